/* The first step of decode attention, head_dim 128: four warps between two block barriers a tile of 64 tokens, two stages, at most 16 splits of at least
   256 tokens, and a kernel that adds them up. Grid (num_seqs, num_kv_heads, split walkers) x 128 threads; partial [num_seqs, num_heads, kMaxSplits,
   head_dim + 1]. Never launched early, as it doesn't wait for the kernel ahead. What became of it: decode_attention.cu, with a ring for each warp. */
#pragma once

#include "bench.cuh"
#include "steps/decode_now.cuh"

namespace decode_barriers {

using namespace decode_now;  // tiles, and the products of a warp's rows with them

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kStages = 2;
constexpr int kMinSplitLen = 256;
constexpr int kMaxSplits = 16;
static_assert(kTileLen == kWarps * kTokensAtOnce);
static_assert(kMinSplitLen % kTileLen == 0);

__device__ __forceinline__ int split_len(int len) {
  int least = (len + kMaxSplits - 1) / kMaxSplits;
  return max(kMinSplitLen, (least + kTileLen - 1) / kTileLen * kTileLen);
}

/* What a warp has found for each row: [kRows] maxima, sums, and [kRows, kHeadDim] unnormalised values. */
template <int kHeadDim>
struct Found {
  float max[kWarps][kRows];
  float sum[kWarps][kRows];
  float mixed[kWarps][kRows][kHeadDim];
};

template <int kHeadDim>
__device__ __forceinline__ void keep(Softmax<kHeadDim>& softmax, const float (&mixed)[kHeadDim / 8][4],
                                     Found<kHeadDim>& found) {
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  softmax.finish();
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int row = lane / 4 + 8 * i;
    if (lane % 4 == 0) {
      found.max[warp][row] = softmax.max[i];
      found.sum[warp][row] = softmax.sum[i];
    }
#pragma unroll
    for (int n = 0; n < kHeadDim / 8; n++) {
      found.mixed[warp][row][n * 8 + lane % 4 * 2] = mixed[n][2 * i];
      found.mixed[warp][row][n * 8 + lane % 4 * 2 + 1] = mixed[n][2 * i + 1];
    }
  }
}

/* The warps' findings of one row and column as one: the normalised value, and log2 of the weight. */
template <int kHeadDim>
__device__ __forceinline__ float merge_warps(const Found<kHeadDim>& found, int row, int col, float& weight_log2) {
  float top = -INFINITY;
#pragma unroll
  for (int warp = 0; warp < kWarps; warp++) top = fmaxf(top, found.max[warp][row]);
  float sum = 0, value = 0;
#pragma unroll
  for (int warp = 0; warp < kWarps; warp++) {
    float factor = exp2f(found.max[warp][row] - top);
    sum += factor * found.sum[warp][row];
    value += factor * found.mixed[warp][row][col];
  }
  weight_log2 = top + log2f(sum);
  return value / sum;
}

template <int kHeadDim>
__device__ __forceinline__ void attend_split(const uint32_t (&q)[kHeadDim / 16][4], const Pages& pages, int first,
                                             int end, float scale_log2, __nv_bfloat16* shared,
                                             Softmax<kHeadDim>& softmax, float (&mixed)[kHeadDim / 8][4]) {
  using Shape = TileShape<kHeadDim>;
  __nv_bfloat16* k_tiles = shared;
  __nv_bfloat16* v_tiles = shared + kStages * Shape::kNumbers;
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  int num_tiles = (end - first + kTileLen - 1) / kTileLen;
  start_tile<kHeadDim, kThreads>(pages, first, end, k_tiles, v_tiles);
  for (int t = 0; t < num_tiles; t++) {
    if (t + 1 < num_tiles) {
      int next = (t + 1) % kStages * Shape::kNumbers;
      start_tile<kHeadDim, kThreads>(pages, first + (t + 1) * kTileLen, end, k_tiles + next, v_tiles + next);
      wait_copies<1>();
    } else {
      wait_copies<0>();
    }
    __syncthreads();
    int rows_at = t % kStages * Shape::kNumbers + warp * kTokensAtOnce * Shape::kStride;
    float scores[2][4] = {};
    score<kHeadDim>(q, k_tiles + rows_at, scores);
#pragma unroll
    for (int n = 0; n < 2; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        int token = first + t * kTileLen + warp * kTokensAtOnce + n * 8 + lane % 4 * 2 + i % 2;
        scores[n][i] = token < end ? scores[n][i] * scale_log2 : -INFINITY;
      }
    }
    softmax.take(scores, mixed);
    mix<kHeadDim>(scores, v_tiles + rows_at, mixed);
    __syncthreads();
  }
}

template <int kHeadDim>
__device__ __forceinline__ void attend(const __nv_bfloat16* q_heads, const Pages& pages, int len, int group, float scale_log2, float* partial, __nv_bfloat16* out) {
  using Shape = TileShape<kHeadDim>;
  extern __shared__ __align__(16) __nv_bfloat16 shared[];
  static_assert(sizeof(Found<kHeadDim>) <= kStages * 2 * Shape::kNumbers * sizeof(__nv_bfloat16));
  for (int i = threadIdx.x; i < kRows * Shape::kChunks; i += kThreads) {
    int row = i / Shape::kChunks, chunk = i % Shape::kChunks;
    bool is_live = row < group;
    copy_async16(shared_address(shared + row * Shape::kStride + chunk * 8),
                 q_heads + (is_live ? row : 0) * kHeadDim + chunk * 8, is_live);
  }
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  uint32_t q[kHeadDim / 16][4];
  load_queries<kHeadDim>(shared, q);
  __syncthreads();

  int split = split_len(len);
  int num_splits = (len + split - 1) / split;
  for (int s = blockIdx.z; s < num_splits; s += gridDim.z) {
    Softmax<kHeadDim> softmax;
    float mixed[kHeadDim / 8][4] = {};
    attend_split<kHeadDim>(q, pages, s * split, min((s + 1) * split, len), scale_log2, shared, softmax, mixed);
    Found<kHeadDim>& found = *reinterpret_cast<Found<kHeadDim>*>(shared);
    keep<kHeadDim>(softmax, mixed, found);
    __syncthreads();
    for (int i = threadIdx.x; i < group * kHeadDim; i += kThreads) {
      int row = i / kHeadDim, col = i % kHeadDim;
      float weight_log2;
      float value = merge_warps<kHeadDim>(found, row, col, weight_log2);
      if (num_splits == 1) {
        out[row * kHeadDim + col] = __float2bfloat16(value);
      } else {
        float* to = partial + (static_cast<size_t>(row) * kMaxSplits + s) * (kHeadDim + 1);
        to[col] = value;
        if (col == 0) to[kHeadDim] = weight_log2;
      }
    }
    __syncthreads();
  }
}

__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value = fmaxf(value, __shfl_xor_sync(kFullMask, value, offset));
  return value;
}

/* All splits of a row's head as one, by a warp. */
template <int kHeadDim>
__device__ __forceinline__ void join(const float* partial, int len, __nv_bfloat16* out) {
  constexpr int kNumbers = kHeadDim / kWarp;  // of a lane
  int lane = threadIdx.x % kWarp, split = split_len(len), num_splits = (len + split - 1) / split;
  if (num_splits == 1) return;
  float weight_log2 = lane < num_splits ? partial[lane * (kHeadDim + 1) + kHeadDim] : -INFINITY;
  float weight = exp2f(weight_log2 - warp_max(weight_log2)), sum = warp_sum(weight);
  float value[kNumbers] = {};
  for (int s = 0; s < num_splits; s++) {
    float of_split = __shfl_sync(kFullMask, weight, s);
#pragma unroll
    for (int i = 0; i < kNumbers; i++) value[i] += of_split * partial[s * (kHeadDim + 1) + i * kWarp + lane];
  }
#pragma unroll
  for (int i = 0; i < kNumbers; i++) out[i * kWarp + lane] = __float2bfloat16(value[i] / sum);
}

__global__ void __launch_bounds__(kThreads) decode(const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache,
                                                   const __nv_bfloat16* v_cache, const int* slot_table, int stride,
                                                   const int* row, const int* cached_len, const int* first_token,
                                                   int num_heads, int num_kv_heads, float scale_log2, float* partial,
                                                   __nv_bfloat16* out) {
  int seq = blockIdx.x, group = num_heads / num_kv_heads;
  Pages pages{k_cache + blockIdx.y * kHeadDim, v_cache + blockIdx.y * kHeadDim,
              slot_table + static_cast<size_t>(row[seq]) * stride, static_cast<size_t>(num_kv_heads) * kHeadDim};
  size_t head = blockIdx.y * group, token = first_token[seq];
  attend<kHeadDim>(qkv + token * qkv_cols + head * kHeadDim, pages, cached_len[seq] + 1, group, scale_log2,
                   partial + (seq * static_cast<size_t>(num_heads) + head) * kMaxSplits * (kHeadDim + 1),
                   out + (token * num_heads + head) * kHeadDim);
}

/* grid (num_seqs, num_heads / 4) x 128 threads: a warp a head. */
__global__ void __launch_bounds__(kThreads) add_up(const float* partial, const int* cached_len, const int* first_token,
                                                   int num_heads, __nv_bfloat16* out) {
  size_t seq = blockIdx.x;
  int head = blockIdx.y * kWarps + threadIdx.x / kWarp;
  if (head >= num_heads) return;
  join<kHeadDim>(partial + (seq * num_heads + head) * kMaxSplits * (kHeadDim + 1), cached_len[seq] + 1,
                 out + (first_token[seq] * static_cast<size_t>(num_heads) + head) * kHeadDim);
}

}  // namespace decode_barriers
