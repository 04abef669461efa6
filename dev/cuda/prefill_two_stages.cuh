/* The first step of prefill attention with wgmma, head_dim 128: a block a tile of 128 rows and a KV head, two stages of 128 tokens, queries in shared
   memory. The third warp group waits for its own copies before it says that they are there, and each tile begins and ends alone. While one warp group
   takes the softmax, the other one's products run; its next scores are multiplied together with its last values. Arguments as prefill_attention's.
   What became of it: prefill_wgmma.cu, with a ring, copies that arrive by themselves, a walk over a list, queries in registers. */
#pragma once

#include "bench.cuh"
#include "steps/prefill_now.cuh"

namespace prefill_two_stages {

using namespace prefill_now;  // groups and their turns, softmax, products with values

constexpr int kStages = 2;
constexpr int kAhead = 2;  // copies of a K or V tile under way besides the newest
constexpr int kTileBytes = kHeadDim / 64 * kSubTileBytes;
constexpr int kChunks = kHeadDim / 8;  // of 16 bytes in a row
constexpr int kQueries = 0, kKeys = kTileBytes, kValues = kKeys + kStages * kTileBytes;
constexpr int kBarriers = kValues + kStages * kTileBytes;
constexpr int kSharedBytes = kBarriers + kStages * 4 * 8 + kAlignment;

/* Barriers in shared memory, of 8 bytes: for each stage, whether K and V are there, and whether they may be overwritten. */
struct Barriers {
  uint32_t base;
  __device__ __forceinline__ uint32_t is_full(int stage, bool is_value) const { return base + (stage * 2 + is_value) * 8; }
  __device__ __forceinline__ uint32_t is_free(int stage, bool is_value) const {
    return is_full(stage, is_value) + kStages * 2 * 8;
  }
};

struct Block {
  const int* slots;
  size_t slot_stride;
  int cached, first_token, first_row, num_rows, end, group;
};

__device__ __forceinline__ void load_queries(const __nv_bfloat16* qkv, int qkv_cols, const Block& block,
                                             uint32_t shared) {
  for (int i = threadIdx.x; i < kBlockRows * kChunks; i += kThreads) {
    int row = i / kChunks, chunk = i % kChunks, flat = block.first_row + row;
    bool is_live = flat < block.num_rows;
    int token = is_live ? flat / block.group : 0, head = blockIdx.y * block.group + (is_live ? flat % block.group : 0);
    copy_async16(shared + kQueries + chunk / 8 * kSubTileBytes + swizzled(row, chunk % 8),
                 qkv + static_cast<size_t>(block.first_token + token) * qkv_cols + head * kHeadDim + chunk * 8, is_live);
  }
  commit_copies();
  wait_copies<0>();
  publish_to_products();
}

/* The third warp group: copies K and V tiles in turn and says when they are there. */
__device__ __forceinline__ void copy_tiles(const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
                                           const Block& block, uint32_t shared, Barriers barriers) {
  constexpr int kRowsAtOnce = kGroup / kChunks;
  constexpr int kPasses = kTileLen / kRowsAtOnce;
  int thread = threadIdx.x % kGroup, chunk = thread % kChunks, first = thread / kChunks;
  int num_copies = (block.end + kTileLen - 1) / kTileLen * 2;
  int slots[kPasses];
  for (int copy = 0; copy < num_copies; copy++) {
    int tile = copy / 2, stage = tile % kStages;
    bool is_value = copy % 2;
    if (!is_value) {
#pragma unroll
      for (int pass = 0; pass < kPasses; pass++) {
        int token = tile * kTileLen + pass * kRowsAtOnce + first;
        slots[pass] = token < block.end ? block.slots[token] : -1;
      }
    }
    wait_barrier(barriers.is_free(stage, is_value), tile / kStages % 2 ^ 1);
    const __nv_bfloat16* cache = is_value ? v_cache : k_cache;
    uint32_t to = shared + (is_value ? kValues : kKeys) + stage * kTileBytes + chunk / 8 * kSubTileBytes;
#pragma unroll
    for (int pass = 0; pass < kPasses; pass++) {
      bool is_live = slots[pass] >= 0;
      size_t from = is_live ? slots[pass] * block.slot_stride + chunk * 8 : 0;
      copy_async16(to + swizzled(pass * kRowsAtOnce + first, chunk % 8), cache + from, is_live);
    }
    commit_copies();
    if (copy >= kAhead) {
      wait_copies<kAhead>();
      publish_to_products();
      arrive(barriers.is_full((copy - kAhead) / 2 % kStages, (copy - kAhead) % 2));
    }
  }
  static_assert(kAhead == 2);
  wait_copies<1>();
  publish_to_products();
  arrive(barriers.is_full((num_copies / 2 - 1) % kStages, false));
  wait_copies<0>();
  publish_to_products();
  arrive(barriers.is_full((num_copies / 2 - 1) % kStages, true));
}

__device__ __forceinline__ void start_scores(uint32_t queries, uint32_t keys, float (&scores)[kTileLen / 2]) {
  pin(scores);
  begin_products();
#pragma unroll
  for (int k = 0; k < kHeadDim / 16; k++) {
    uint32_t at = k / 4 * kSubTileBytes + k % 4 * 32;
    multiply_n128(scores, matrix_at(queries + at, kSubTileBytes), matrix_at(keys + at, kSubTileBytes), k > 0);
  }
  commit_products();
}

/* The softmax of what is shipped; rescales what was mixed before. */
__device__ __forceinline__ void take(Rows& rows, float (&scores)[kTileLen / 2], uint32_t (&weights)[kTileLen / 16][4],
                                     float (&out)[kHeadDim / 2], float scale_log2, int first, bool is_masked) {
  if (is_masked) rows.mask(scores, first);
  rows.take(scores, scale_log2);
#pragma unroll
  for (int i = 0; i < kHeadDim / 2; i++) out[i] *= rows.factor[i / 2 % 2];
#pragma unroll
  for (int i = 0; i < kTileLen / 4; i++) weights[i / 4][i % 4] = pack(scores[2 * i], scores[2 * i + 1]);
}

__device__ __forceinline__ void attend(const Block& block, uint32_t shared, Barriers barriers, float scale_log2,
                                       int num_heads, __nv_bfloat16* out_rows) {
  int warp_group = threadIdx.x / kGroup, warp = threadIdx.x % kGroup / kWarp, lane = threadIdx.x % kWarp;
  int own_row = block.first_row + warp_group * kGroupRows + warp * 16 + lane / 4;
  Rows rows;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int flat = own_row + 8 * i;
    rows.visible[i] = flat < block.num_rows ? block.cached + flat / block.group + 1 : 0;
    rows.max[i] = -INFINITY;
    rows.sum[i] = 0;
  }
  int first_masked = block.cached + block.first_row / block.group + 1;  // tokens below are visible to every row
  uint32_t queries = shared + kQueries + warp_group * kGroupRows * 128;
  float scores[kTileLen / 2];
  float out[kHeadDim / 2];
  uint32_t weights[kTileLen / 16][4];
#pragma unroll
  for (int i = 0; i < kHeadDim / 2; i++) out[i] = 0;
  int num_tiles = (block.end + kTileLen - 1) / kTileLen;
  if (warp_group == 1) pass_turn(warp_group);
  wait_barrier(barriers.is_full(0, false), 0);
  start_scores(queries, shared + kKeys, scores);
  wait_products<0>();
  pin(scores);
  if (lane == 0) arrive(barriers.is_free(0, false));
  for (int t = 0; t < num_tiles; t++) {
    int stage = t % kStages, next = (t + 1) % kStages;
    take(rows, scores, weights, out, scale_log2, t * kTileLen, (t + 1) * kTileLen > first_masked);
    wait_barrier(barriers.is_full(stage, true), t / kStages % 2);
    await_turn(warp_group);
    start_values<kHeadDim>(weights, shared + kValues + stage * kTileBytes, true, out);
    if (t + 1 < num_tiles) {
      wait_barrier(barriers.is_full(next, false), (t + 1) / kStages % 2);
      start_scores(queries, shared + kKeys + next * kTileBytes, scores);
      pass_turn(warp_group);
      wait_products<1>();
      pin(out);
      if (lane == 0) arrive(barriers.is_free(stage, true));
      wait_products<0>();
      pin(scores);
      if (lane == 0) arrive(barriers.is_free(next, false));
    } else {
      if (warp_group == 0) pass_turn(warp_group);
      wait_products<0>();
      pin(out);
    }
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    float sum = rows.sum[i];
    sum += __shfl_xor_sync(kFullMask, sum, 1);
    sum += __shfl_xor_sync(kFullMask, sum, 2);
    int flat = own_row + 8 * i;
    if (flat < block.num_rows) {
      float factor = 1.0f / sum;
      __nv_bfloat16* to = out_rows + static_cast<size_t>(block.first_token + flat / block.group) * num_heads * kHeadDim +
                          (blockIdx.y * block.group + flat % block.group) * kHeadDim + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < kHeadDim / 8; n++) {
        *reinterpret_cast<__nv_bfloat162*>(to + n * 8) =
            __floats2bfloat162_rn(out[n * 4 + 2 * i] * factor, out[n * 4 + 2 * i + 1] * factor);
      }
    }
  }
}

__device__ __forceinline__ void run(const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache,
                                    const __nv_bfloat16* v_cache, Block block, int num_heads, float scale_log2,
                                    __nv_bfloat16* out) {
  extern __shared__ unsigned char memory[];
  uint32_t shared = (shared_address(memory) + kAlignment - 1) / kAlignment * kAlignment;
  Barriers barriers{shared + kBarriers};
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2 * kStages; i++) {
      init_barrier(barriers.is_full(i / 2, i % 2), kGroup);
      init_barrier(barriers.is_free(i / 2, i % 2), kMultiplying * kGroup / kWarp);
    }
  }
  load_queries(qkv, qkv_cols, block, shared);
  __syncthreads();
  if (threadIdx.x >= kMultiplying * kGroup) {
    give_registers<40>();
    copy_tiles(k_cache + blockIdx.y * kHeadDim, v_cache + blockIdx.y * kHeadDim, block, shared, barriers);
  } else {
    take_registers<232>();
    attend(block, shared, barriers, scale_log2, num_heads, out);
  }
}

__global__ void __launch_bounds__(kThreads, 1)
    prefill(const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
            const int* slot_table, int stride, const int* row, const int* cached_len, const int* extend_len,
            const int* first_token, const int* tile_seq, const int* tile_index, int num_heads, int num_kv_heads,
            float scale_log2, __nv_bfloat16* out) {
  int seq = tile_seq[blockIdx.x];
  Block block;
  block.slots = slot_table + static_cast<size_t>(row[seq]) * stride;
  block.slot_stride = static_cast<size_t>(num_kv_heads) * kHeadDim;
  block.cached = cached_len[seq];
  block.first_token = first_token[seq];
  block.group = num_heads / num_kv_heads;
  block.first_row = tile_index[blockIdx.x] * kBlockRows;
  block.num_rows = extend_len[seq] * block.group;
  block.end = block.cached + (min(block.first_row + kBlockRows, block.num_rows) - 1) / block.group + 1;
  run(qkv, qkv_cols, k_cache, v_cache, block, num_heads, scale_log2, out);
}

}  // namespace prefill_two_stages
