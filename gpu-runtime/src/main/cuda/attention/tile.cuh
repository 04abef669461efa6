/* Tiles of a paged KV cache in shared memory and the tensor-core products of one warp's 16 query rows with them [1].
   Rows of a tile are padded by 16 bytes, so that the eight rows of a matrix load lie in different banks.
   Layouts of the fragments: PTX ISA, mma.m16n8k16; `lane` is the thread's index in its warp.
   [1] Dao, "FlashAttention-2", 2023; Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018. */
#pragma once

#include "../common/ptx.cuh"
#include "../common/vec.cuh"

constexpr int kTileLen = 64;      // tokens of a tile
constexpr int kRows = 16;         // query rows of a warp
constexpr int kTokensAtOnce = 16; // of one product

/* Where one layer's K or V lie and which slots a sequence has. */
struct Pages {
  const __nv_bfloat16* k;
  const __nv_bfloat16* v;
  const int* slots;     // of the sequence, by position
  size_t slot_stride;   // numbers between two slots: num_kv_heads * head_dim
};

template <int kHeadDim>
struct TileShape {
  static constexpr int kStride = kHeadDim + 8;  // numbers of a padded row
  static constexpr int kNumbers = kTileLen * kStride;
  static constexpr int kChunks = kHeadDim / 8;  // of 16 bytes in a row
};

/* Starts the copy of tokens [first, first + kTileLen) to k_tile and v_tile; tokens from `end` on become zeros. */
template <int kHeadDim, int kThreads>
__device__ __forceinline__ void start_tile(const Pages& pages, int first, int end, __nv_bfloat16* k_tile,
                                           __nv_bfloat16* v_tile) {
  using Shape = TileShape<kHeadDim>;
  constexpr int kTokensPerPass = kThreads / Shape::kChunks;
  static_assert(kThreads % Shape::kChunks == 0 && kTileLen % kTokensPerPass == 0);
  int chunk = threadIdx.x % Shape::kChunks;
  int slots[kTileLen / kTokensPerPass];
#pragma unroll
  for (int pass = 0; pass < kTileLen / kTokensPerPass; pass++) {
    int token = first + pass * kTokensPerPass + threadIdx.x / Shape::kChunks;
    slots[pass] = token < end ? pages.slots[token] : -1;
  }
#pragma unroll
  for (int pass = 0; pass < kTileLen / kTokensPerPass; pass++) {
    int in_tile = pass * kTokensPerPass + threadIdx.x / Shape::kChunks;
    bool is_live = slots[pass] >= 0;
    size_t from = is_live ? slots[pass] * pages.slot_stride + chunk * 8 : 0;
    int to = in_tile * Shape::kStride + chunk * 8;
    copy_async16(shared_address(k_tile + to), pages.k + from, is_live);
    copy_async16(shared_address(v_tile + to), pages.v + from, is_live);
  }
  commit_copies();
}

/* Loads 16 query rows [kRows, kHeadDim], padded as a tile, as left operands. */
template <int kHeadDim>
__device__ __forceinline__ void load_queries(const __nv_bfloat16* rows, uint32_t (&q)[kHeadDim / 16][4]) {
  int lane = threadIdx.x % kWarp;
  const __nv_bfloat16* from = rows + (lane % 16) * TileShape<kHeadDim>::kStride + lane / 16 * 8;
#pragma unroll
  for (int k = 0; k < kHeadDim / 16; k++) load_matrix4(q[k], shared_address(from + k * 16));
}

/* scores[2][4] += q . k for 16 tokens whose padded rows start at k_rows. */
template <int kHeadDim>
__device__ __forceinline__ void score(const uint32_t (&q)[kHeadDim / 16][4], const __nv_bfloat16* k_rows,
                                      float (&scores)[2][4]) {
  int lane = threadIdx.x % kWarp;
  const __nv_bfloat16* from = k_rows + (lane / 16 * 8 + lane % 8) * TileShape<kHeadDim>::kStride + lane / 8 % 2 * 8;
#pragma unroll
  for (int k = 0; k < kHeadDim / 16; k++) {
    uint32_t b[4];
    load_matrix4(b, shared_address(from + k * 16));
    multiply_add(scores[0], q[k], b[0], b[1]);
    multiply_add(scores[1], q[k], b[2], b[3]);
  }
}

/* out += weights . v for 16 tokens whose padded rows start at v_rows. */
template <int kHeadDim>
__device__ __forceinline__ void mix(const float (&weights)[2][4], const __nv_bfloat16* v_rows,
                                    float (&out)[kHeadDim / 8][4]) {
  int lane = threadIdx.x % kWarp;
  uint32_t a[4] = {pack(weights[0][0], weights[0][1]), pack(weights[0][2], weights[0][3]),
                   pack(weights[1][0], weights[1][1]), pack(weights[1][2], weights[1][3])};
  const __nv_bfloat16* from = v_rows + (lane / 8 % 2 * 8 + lane % 8) * TileShape<kHeadDim>::kStride + lane / 16 * 8;
#pragma unroll
  for (int n = 0; n < kHeadDim / 16; n++) {
    uint32_t b[4];
    load_matrix4_transposed(b, shared_address(from + n * 16));
    multiply_add(out[2 * n], a, b[0], b[1]);
    multiply_add(out[2 * n + 1], a, b[2], b[3]);
  }
}

/* Running softmax of the two rows that a thread has a part of: lane / 4 and lane / 4 + 8; scores in units of log2. */
template <int kHeadDim>
struct Softmax {
  float max[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};  // of this thread's columns only, until finish()

  /* Takes kBlocks blocks of eight scores a row, turns them into weights, and rescales what was mixed before. */
  template <int kBlocks>
  __device__ __forceinline__ void take(float (&scores)[kBlocks][4], float (&out)[kHeadDim / 8][4]) {
#pragma unroll
    for (int row = 0; row < 2; row++) {
      float top = max[row];
#pragma unroll
      for (int n = 0; n < kBlocks; n++) top = fmaxf(top, fmaxf(scores[n][2 * row], scores[n][2 * row + 1]));
      top = fmaxf(top, __shfl_xor_sync(kFullMask, top, 1));
      top = fmaxf(top, __shfl_xor_sync(kFullMask, top, 2));
      float base = top == -INFINITY ? 0.0f : top;  // a row without any token so far
      float factor = exp2f(max[row] - base);
      max[row] = top;
      sum[row] *= factor;
#pragma unroll
      for (int n = 0; n < kHeadDim / 8; n++) {
        out[n][2 * row] *= factor;
        out[n][2 * row + 1] *= factor;
      }
#pragma unroll
      for (int n = 0; n < kBlocks; n++) {
        scores[n][2 * row] = exp2f(scores[n][2 * row] - base);
        scores[n][2 * row + 1] = exp2f(scores[n][2 * row + 1] - base);
        sum[row] += scores[n][2 * row] + scores[n][2 * row + 1];
      }
    }
  }

  __device__ __forceinline__ void finish() {
#pragma unroll
    for (int row = 0; row < 2; row++) {
      sum[row] += __shfl_xor_sync(kFullMask, sum[row], 1);
      sum[row] += __shfl_xor_sync(kFullMask, sum[row], 2);
    }
  }
};
