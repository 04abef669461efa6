/* What a warp does with tokens of one sequence, at its own pace: copies K and V, 16 tokens at a time, into a ring of its own, and multiplies them
   with the heads of a group. Heads are the columns of all products, so 8 of them are one tile: scores are K q, values V^T weights, and weights
   change sides by movmatrix.     See tile.cuh for the fragments. */
#pragma once

#include "tile.cuh"

constexpr int kColumns = 8;  // heads of a product

/* Tokens of each split but the last, a multiple of kTileLen. */
__device__ __forceinline__ int split_len(int len, int min_split_len, int max_splits) {
  int num_splits = max(1, min(max_splits, len / min_split_len));
  int least = (len + num_splits - 1) / num_splits;
  return (least + kTileLen - 1) / kTileLen * kTileLen;
}

template <int kHeadDim>
struct Ring {
  static constexpr int kStride = TileShape<kHeadDim>::kStride;
  static constexpr int kValues = kTokensAtOnce * kStride;      // where a stage's V begins
  static constexpr int kStage = 2 * kTokensAtOnce * kStride;   // numbers
  static constexpr int kFoundStride = kHeadDim + 4;            // floats of a head: heads of a thread's neighbours in different banks
};

__device__ __forceinline__ uint32_t transpose8(uint32_t pair) {
  uint32_t other;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(other) : "r"(pair));
  return other;
}

/* A warp's tokens of one split, in steps of 16, and its ring of K and V. */
template <int kHeadDim, int kWarps, int kStages>
struct Stream {
  static constexpr int kChunks = TileShape<kHeadDim>::kChunks;
  static constexpr int kTokensPerPass = kWarp / kChunks;

  const __nv_bfloat16* k;  // this thread's chunk of the head in slot 0
  const __nv_bfloat16* v;
  size_t slot_stride;
  __nv_bfloat16* ring;
  int first, end, num_steps;

  __device__ __forceinline__ int token(int step) const {
    return first + (step * kWarps + threadIdx.x / kWarp) * kTokensAtOnce;
  }

  __device__ __forceinline__ const __nv_bfloat16* rows(int step) const {
    return ring + step % kStages * Ring<kHeadDim>::kStage;
  }

  /* The slot of token lane % 16 of a step, or -1. */
  template <typename Sequence>
  __device__ __forceinline__ int slot(const Sequence& sequence, int step) const {
    int at = token(step) + threadIdx.x % kTokensAtOnce;
    return at < end ? sequence.slot(at) : -1;
  }

  /* Starts a step's copy; tokens from `end` on become zeros. */
  __device__ __forceinline__ void start(int step, int slots) const {
    if (step < num_steps) {
      int lane = threadIdx.x % kWarp;
      uint32_t to = shared_address(rows(step) + lane / kChunks * Ring<kHeadDim>::kStride + lane % kChunks * 8);
      constexpr int kBytes = sizeof(__nv_bfloat16);
#pragma unroll
      for (int pass = 0; pass < kTokensAtOnce / kTokensPerPass; pass++) {
        int slot = __shfl_sync(kFullMask, slots, pass * kTokensPerPass + lane / kChunks);
        bool is_live = slot >= 0;
        size_t from = is_live ? slot * slot_stride : 0;
        uint32_t row = to + pass * kTokensPerPass * Ring<kHeadDim>::kStride * kBytes;
        copy_async16(row, k + from, is_live);
        copy_async16(row + Ring<kHeadDim>::kValues * kBytes, v + from, is_live);
      }
    }
    commit_copies();
  }
};

/* What a warp has found: of columns lane % 4 * 2 and the next one of each tile of heads. */
template <int kHeadDim, int kTiles>
struct Findings {
  float max[kTiles][2];
  float sum[kTiles][2];  // of this thread's tokens only, until finish()
  float mixed[kTiles][kHeadDim / 16][4];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int t = 0; t < kTiles; t++) {
      max[t][0] = max[t][1] = -INFINITY;
      sum[t][0] = sum[t][1] = 0;
#pragma unroll
      for (int n = 0; n < kHeadDim / 16; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) mixed[t][n][i] = 0;
      }
    }
  }

  /* Turns scores of 16 tokens into weights as right operands, and rescales what was mixed before. */
  __device__ __forceinline__ void take(int t, float (&scores)[4], uint32_t (&weights)[2]) {
#pragma unroll
    for (int col = 0; col < 2; col++) {
      float top = fmaxf(max[t][col], fmaxf(scores[col], scores[col + 2]));
#pragma unroll
      for (int other = 4; other < kWarp; other *= 2) top = fmaxf(top, __shfl_xor_sync(kFullMask, top, other));
      float base = top == -INFINITY ? 0.0f : top;  // no token so far
      float factor = exp2f(max[t][col] - base);
      max[t][col] = top;
      scores[col] = exp2f(scores[col] - base);
      scores[col + 2] = exp2f(scores[col + 2] - base);
      sum[t][col] = sum[t][col] * factor + scores[col] + scores[col + 2];
#pragma unroll
      for (int n = 0; n < kHeadDim / 16; n++) {
        mixed[t][n][col] *= factor;
        mixed[t][n][col + 2] *= factor;
      }
    }
    weights[0] = transpose8(pack(scores[0], scores[1]));
    weights[1] = transpose8(pack(scores[2], scores[3]));
  }

  __device__ __forceinline__ void finish() {
#pragma unroll
    for (int t = 0; t < kTiles; t++) {
#pragma unroll
      for (int col = 0; col < 2; col++) {
#pragma unroll
        for (int other = 4; other < kWarp; other *= 2)
          sum[t][col] += __shfl_xor_sync(kFullMask, sum[t][col], other);
      }
    }
  }
};

/* Query heads as right operands; what lies behind the group is zero. Who hasn't waited for the kernels ahead reads past the first-level cache, which may
   have the last layer's; others don't, since neighbouring loads share lines. */
template <int kHeadDim, int kTiles, bool kHasWaited>
__device__ __forceinline__ void load_heads(const __nv_bfloat16* heads, int group,
                                           uint32_t (&q)[kTiles][kHeadDim / 16][2]) {
  int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int t = 0; t < kTiles; t++) {
    int head = t * kColumns + lane / 4;
    const uint32_t* from = reinterpret_cast<const uint32_t*>(heads + head * kHeadDim) + lane % 4;
    auto load = [&](int at) { return head >= group ? 0 : kHasWaited ? from[at] : __ldcg(from + at); };
#pragma unroll
    for (int k = 0; k < kHeadDim / 16; k++) {
      q[t][k][0] = load(k * 8);
      q[t][k][1] = load(k * 8 + 4);
    }
  }
}

/* One step's 16 tokens, whose K and V have arrived. */
template <int kHeadDim, int kTiles>
__device__ __forceinline__ void attend_step(const uint32_t (&q)[kTiles][kHeadDim / 16][2], const __nv_bfloat16* rows,
                                            int token, int end, float scale_log2, Findings<kHeadDim, kTiles>& found) {
  constexpr int kStride = Ring<kHeadDim>::kStride;
  int lane = threadIdx.x % kWarp;
  float scores[kTiles][4] = {};
  uint32_t k_rows = shared_address(rows + lane % 16 * kStride + lane / 16 * 8);
#pragma unroll
  for (int k = 0; k < kHeadDim / 16; k++) {
    uint32_t a[4];
    load_matrix4(a, k_rows + k * 32);
#pragma unroll
    for (int t = 0; t < kTiles; t++) multiply_add(scores[t], a, q[t][k][0], q[t][k][1]);
  }
  uint32_t weights[kTiles][2];
#pragma unroll
  for (int t = 0; t < kTiles; t++) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      bool is_live = token + lane / 4 + i / 2 * 8 < end;
      scores[t][i] = is_live ? scores[t][i] * scale_log2 : -INFINITY;
    }
    found.take(t, scores[t], weights[t]);
  }
  uint32_t v_rows = shared_address(rows + Ring<kHeadDim>::kValues + (lane / 16 * 8 + lane % 8) * kStride +
                                   lane / 8 % 2 * 8);
#pragma unroll
  for (int n = 0; n < kHeadDim / 16; n++) {
    uint32_t a[4];
    load_matrix4_transposed(a, v_rows + n * 32);
#pragma unroll
    for (int t = 0; t < kTiles; t++) multiply_add(found.mixed[t][n], a, weights[t][0], weights[t][1]);
  }
}

/* Maxima and sums of all warps, side by side in shared memory; what they mixed lies in their rings. */
template <int kTiles, int kWarps>
struct Kept {
  float max[kWarps][kTiles * kColumns];
  float sum[kWarps][kTiles * kColumns];
};

template <int kHeadDim, int kTiles, int kWarps>
__device__ __forceinline__ void keep(Findings<kHeadDim, kTiles>& found, Kept<kTiles, kWarps>& kept, float* mixed) {
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  found.finish();
#pragma unroll
  for (int t = 0; t < kTiles; t++) {
#pragma unroll
    for (int col = 0; col < 2; col++) {
      int head = t * kColumns + lane % 4 * 2 + col;
      if (lane < 4) {
        kept.max[warp][head] = found.max[t][col];
        kept.sum[warp][head] = found.sum[t][col];
      }
      float* to = mixed + head * Ring<kHeadDim>::kFoundStride + lane / 4;
#pragma unroll
      for (int n = 0; n < kHeadDim / 16; n++) {
        to[n * 16] = found.mixed[t][n][col];
        to[n * 16 + 8] = found.mixed[t][n][col + 2];
      }
    }
  }
}

/* Adds up parts of one head, whose log2 of weight and four numbers `weight` and `value` give; returns the mean, and log2 of all weights. */
template <typename Weight, typename Value>
__device__ __forceinline__ float4 merge(int num, Weight weight, Value value, float& all_log2) {
  float top = -INFINITY;
#pragma unroll 4
  for (int i = 0; i < num; i++) top = fmaxf(top, weight(i));
  float all = 0;
  float4 sum = {0, 0, 0, 0};
#pragma unroll 4
  for (int i = 0; i < num; i++) {
    float factor = exp2f(weight(i) - top);
    float4 part = value(i, factor, all);
    sum.x += factor * part.x;
    sum.y += factor * part.y;
    sum.z += factor * part.z;
    sum.w += factor * part.w;
  }
  all_log2 = top + log2f(all);
  float share = 1 / all;
  return {sum.x * share, sum.y * share, sum.z * share, sum.w * share};
}

/* All that a warp's stream holds; the first stages are on their way, `next_slots` are those of the stage behind. */
template <int kHeadDim, int kTiles, int kWarps, int kStages, typename Sequence>
__device__ __forceinline__ void attend_stream(Stream<kHeadDim, kWarps, kStages>& stream, const Sequence& sequence,
                                              const uint32_t (&q)[kTiles][kHeadDim / 16][2], int next_slots, float scale_log2,
                                              Findings<kHeadDim, kTiles>& found) {
  found.clear();
  for (int step = 0; step < stream.num_steps; step++) {
    wait_copies<kStages - 2>();
    __syncwarp();
    stream.start(step + kStages - 1, next_slots);
    next_slots = stream.slot(sequence, step + kStages);
    attend_step<kHeadDim, kTiles>(q, stream.rows(step), stream.token(step), stream.end, scale_log2, found);
    __syncwarp();
  }
  wait_copies<0>();
}

/* Four numbers of a head as all warps found them; they lie as many floats apart as half of a warp's ring has numbers. */
template <int kTiles, int kWarps>
__device__ __forceinline__ float4 merge_warps(const Kept<kTiles, kWarps>& kept, const float* mixed, int apart, int head,
                                              float& all_log2) {
  return merge(
      kWarps, [&](int w) { return kept.max[w][head]; },
      [&](int w, float factor, float& all) {
        all += factor * kept.sum[w][head];
        return *reinterpret_cast<const float4*>(mixed + w * apart);
      },
      all_log2);
}

__device__ __forceinline__ void store4(__nv_bfloat16* to, float4 value) {
  reinterpret_cast<__nv_bfloat162*>(to)[0] = __floats2bfloat162_rn(value.x, value.y);
  reinterpret_cast<__nv_bfloat162*>(to)[1] = __floats2bfloat162_rn(value.z, value.w);
}
