/* Decode attention as it was before its warps got rings of their own, head_dim 128, at most 16 heads a group: four warps copy a tile of 64 tokens together
   and take 16 of them each, between two barriers of the block; heads are rows of the products, which 4 heads fill to a quarter. A sequence has at most
   16 splits of at least 256 tokens, whatever the batch, and a second kernel merges them. Arguments as decode_attention's;
   partial [num_seqs, num_heads, kMaxSplits, head_dim + 1] fp32. Grids (num_seqs, num_kv_heads, any number) x 128 and (num_seqs, num_heads) x head_dim. */
#pragma once

#include "bench.cuh"
#include "steps/tile.cuh"

namespace decode_barriers {

using namespace tile;

constexpr int kWarps = 4, kThreads = kWarps * kWarp, kStages = 2;
constexpr int kMinSplitLen = 256, kMaxSplits = 16;
constexpr int kSharedBytes = kStages * 2 * TileShape<kHeadDim>::kNumbers * sizeof(Bf16);

__device__ __forceinline__ int split_len(int len) {
  int least = (len + kMaxSplits - 1) / kMaxSplits;
  return max(kMinSplitLen, (least + kTileLen - 1) / kTileLen * kTileLen);
}

/* What warps have found for each row; values not normalised. */
struct Found {
  float max[kWarps][kRows], sum[kWarps][kRows], mixed[kWarps][kRows][kHeadDim];
};
static_assert(sizeof(Found) <= kSharedBytes);

__device__ __forceinline__ void attend_split(const uint32_t (&q)[kHeadDim / 16][4], const Pages& pages, int first, int end,
                                             float scale_log2, Bf16* k_tiles, Found& found) {
  Bf16* v_tiles = k_tiles + kStages * TileShape<kHeadDim>::kNumbers;
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp, num_tiles = (end - first + kTileLen - 1) / kTileLen;
  Softmax<kHeadDim> softmax;
  float mixed[kHeadDim / 8][4] = {};
  start_tile<kHeadDim, kThreads>(pages, first, end, k_tiles, v_tiles);
  for (int t = 0; t < num_tiles; t++) {
    if (t + 1 < num_tiles) {
      int next = (t + 1) % kStages * TileShape<kHeadDim>::kNumbers;
      start_tile<kHeadDim, kThreads>(pages, first + (t + 1) * kTileLen, end, k_tiles + next, v_tiles + next);
      wait_copies<1>();
    } else {
      wait_copies<0>();
    }
    __syncthreads();
    int rows_at = t % kStages * TileShape<kHeadDim>::kNumbers + warp * kTokensAtOnce * TileShape<kHeadDim>::kStride;
    float scores[2][4] = {};
    score<kHeadDim>(q, k_tiles + rows_at, scores);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      int token = first + t * kTileLen + warp * kTokensAtOnce + i / 4 * 8 + lane % 4 * 2 + i % 2;
      scores[i / 4][i % 4] = token < end ? scores[i / 4][i % 4] * scale_log2 : -INFINITY;
    }
    softmax.take(scores, mixed);
    mix<kHeadDim>(scores, v_tiles + rows_at, mixed);
    __syncthreads();
  }
  softmax.finish();
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int row = lane / 4 + 8 * i;
    found.max[warp][row] = softmax.max[i];
    found.sum[warp][row] = softmax.sum[i];
#pragma unroll
    for (int n = 0; n < kHeadDim / 8; n++) {
      found.mixed[warp][row][n * 8 + lane % 4 * 2] = mixed[n][2 * i];
      found.mixed[warp][row][n * 8 + lane % 4 * 2 + 1] = mixed[n][2 * i + 1];
    }
  }
}

static __global__ void __launch_bounds__(kThreads)
    attend(const Bf16* qkv, int qkv_cols, const Bf16* k_cache, const Bf16* v_cache, const int* slot_table, int stride,
           const int* row, const int* cached_len, const int* first_token, int num_heads, int num_kv_heads, float scale_log2,
           float* partial, Bf16* out) {
  extern __shared__ __align__(16) Bf16 shared[];
  int seq = blockIdx.x, group = num_heads / num_kv_heads, len = cached_len[seq] + 1;
  size_t first_head = blockIdx.y * group, token = first_token[seq];
  Pages pages{k_cache + blockIdx.y * kHeadDim, v_cache + blockIdx.y * kHeadDim,
              slot_table + static_cast<size_t>(row[seq]) * stride, static_cast<size_t>(num_kv_heads) * kHeadDim};
  for (int i = threadIdx.x; i < kRows * TileShape<kHeadDim>::kChunks; i += kThreads) {
    int head = i / TileShape<kHeadDim>::kChunks, chunk = i % TileShape<kHeadDim>::kChunks;
    const Bf16* from = qkv + token * qkv_cols + (first_head + (head < group ? head : 0)) * kHeadDim + chunk * 8;
    copy_async16(shared_address(shared + head * TileShape<kHeadDim>::kStride + chunk * 8), from, head < group);
  }
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  uint32_t q[kHeadDim / 16][4];
  load_queries<kHeadDim>(shared, q);
  __syncthreads();
  int split = split_len(len), num_splits = (len + split - 1) / split;
  for (int s = blockIdx.z; s < num_splits; s += gridDim.z) {
    Found& found = *reinterpret_cast<Found*>(shared);
    attend_split(q, pages, s * split, min((s + 1) * split, len), scale_log2, shared, found);
    __syncthreads();
    for (int i = threadIdx.x; i < group * kHeadDim; i += kThreads) {
      int head = i / kHeadDim, col = i % kHeadDim;
      float top = -INFINITY, sum = 0, value = 0;
      for (int warp = 0; warp < kWarps; warp++) top = fmaxf(top, found.max[warp][head]);
      for (int warp = 0; warp < kWarps; warp++) {
        float factor = exp2f(found.max[warp][head] - top);
        sum += factor * found.sum[warp][head];
        value += factor * found.mixed[warp][head][col];
      }
      size_t at = first_head + head;
      if (num_splits == 1) {
        out[(token * num_heads + at) * kHeadDim + col] = __float2bfloat16(value / sum);
      } else {
        float* to = partial + ((seq * num_heads + at) * kMaxSplits + s) * (kHeadDim + 1);
        to[col] = value / sum;
        if (col == 0) to[kHeadDim] = top + log2f(sum);
      }
    }
    __syncthreads();
  }
}

static __global__ void __launch_bounds__(kHeadDim)
    merge(const float* partial, const int* cached_len, const int* first_token, int num_heads, Bf16* out) {
  int split = split_len(cached_len[blockIdx.x] + 1), num_splits = (cached_len[blockIdx.x] + split) / split;
  if (num_splits == 1) return;
  const float* from = partial + (static_cast<size_t>(blockIdx.x) * num_heads + blockIdx.y) * kMaxSplits * (kHeadDim + 1);
  float top = -INFINITY, sum = 0, value = 0;
  for (int s = 0; s < num_splits; s++) top = fmaxf(top, from[s * (kHeadDim + 1) + kHeadDim]);
  for (int s = 0; s < num_splits; s++) {
    float factor = exp2f(from[s * (kHeadDim + 1) + kHeadDim] - top);
    sum += factor;
    value += factor * from[s * (kHeadDim + 1) + threadIdx.x];
  }
  size_t to = (static_cast<size_t>(first_token[blockIdx.x]) * num_heads + blockIdx.y) * kHeadDim;
  out[to + threadIdx.x] = __float2bfloat16(value / sum);
}

}  // namespace decode_barriers
