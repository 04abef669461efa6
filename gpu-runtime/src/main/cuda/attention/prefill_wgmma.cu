/* prefill_wgmma: prefill_attention for Hopper: the same function, arguments and order of rows, with products of warp groups.
   grid (num_tiles, num_kv_heads) x 384 threads: two warp groups of 64 rows each multiply, a third one copies tiles of 128 tokens, two ahead;
   head_dim 64 or 128
   While one warp group takes the softmax, the other one's products run; a group's next scores are multiplied together with its last values.
   A row's tokens are added in tiles from the first on, whatever else is in its block.
   4 * head_dim flops a pair of row and visible token; a block reads 4 * head_dim bytes a token for 128 rows: at 660 TFLOP/s on 132
   multiprocessors 5 TB/s from the second level cache.     [1] Shah et al., "FlashAttention-3", 2024. */
#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)

extern "C" __global__ void prefill_wgmma_bf16_64() { __trap(); }  // never launched: others take prefill_attention
extern "C" __global__ void prefill_wgmma_bf16_128() { __trap(); }

#else

#include "../common/ptx.cuh"
#include "../common/ptx_sm90.cuh"
#include "../common/vec.cuh"

namespace {

constexpr int kGroup = 128;  // threads of a warp group
constexpr int kMultiplying = 2;
constexpr int kThreads = (kMultiplying + 1) * kGroup;
constexpr int kGroupRows = 64;
constexpr int kBlockRows = kMultiplying * kGroupRows;
constexpr int kTileLen = 128;
constexpr int kStages = 2;
constexpr int kAhead = 2;  // copies of a K or V tile under way besides the newest
constexpr int kSubTileBytes = 128 * 128;
constexpr int kAlignment = 1024;

template <int kHeadDim>
struct Shape {
  static constexpr int kSubTiles = kHeadDim / 64;
  static constexpr int kTileBytes = kSubTiles * kSubTileBytes;
  static constexpr int kChunks = kHeadDim / 8;  // of 16 bytes in a row
  static constexpr int kQueries = 0;
  static constexpr int kKeys = kTileBytes;
  static constexpr int kValues = kKeys + kStages * kTileBytes;
  static constexpr int kBarriers = kValues + kStages * kTileBytes;
  static_assert(kBlockRows == kTileLen, "queries take the space of a tile");
};

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

template <int kHeadDim>
__device__ __forceinline__ void load_queries(const __nv_bfloat16* qkv, int qkv_cols, const Block& block,
                                             uint32_t shared) {
  using S = Shape<kHeadDim>;
  for (int i = threadIdx.x; i < kBlockRows * S::kChunks; i += kThreads) {
    int row = i / S::kChunks, chunk = i % S::kChunks, flat = block.first_row + row;
    bool is_live = flat < block.num_rows;
    int token = is_live ? flat / block.group : 0, head = blockIdx.y * block.group + (is_live ? flat % block.group : 0);
    copy_async16(shared + S::kQueries + chunk / 8 * kSubTileBytes + swizzled(row, chunk % 8),
                 qkv + static_cast<size_t>(block.first_token + token) * qkv_cols + head * kHeadDim + chunk * 8, is_live);
  }
  commit_copies();
  wait_copies<0>();
  publish_to_products();
}

/* The third warp group: copies K and V tiles in turn and says when they are there. */
template <int kHeadDim>
__device__ __forceinline__ void copy_tiles(const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
                                           const Block& block, uint32_t shared, Barriers barriers) {
  using S = Shape<kHeadDim>;
  constexpr int kRowsAtOnce = kGroup / S::kChunks;
  constexpr int kPasses = kTileLen / kRowsAtOnce;
  int thread = threadIdx.x % kGroup, chunk = thread % S::kChunks, first = thread / S::kChunks;
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
    uint32_t to = shared + (is_value ? S::kValues : S::kKeys) + stage * S::kTileBytes + chunk / 8 * kSubTileBytes;
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

template <int kHeadDim>
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

__device__ __forceinline__ uint32_t pack(float low, float high) {
  __nv_bfloat162 two = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<uint32_t*>(&two);
}

/* out += weights . values of a tile; eight rows of a sub-tile are 1,024 bytes. */
template <int kHeadDim>
__device__ __forceinline__ void start_values(const uint32_t (&weights)[kTileLen / 16][4], uint32_t values,
                                             float (&out)[kHeadDim / 2]) {
  pin(out);
  begin_products();
#pragma unroll
  for (int k = 0; k < kTileLen / 16; k++) {
    uint64_t b = matrix_at(values + k * 2 * 1024, kSubTileBytes);
    if constexpr (kHeadDim == 128) {
      multiply_add_n128(out, weights[k], b);
    } else {
      multiply_add_n64(out, weights[k], b);
    }
  }
  commit_products();
}

/* The multiplying warp groups start their products in turns, so that one takes its softmax while the other's run; the first group begins. */
__device__ __forceinline__ void await_turn(int warp_group) { sync_named(1 + warp_group, kMultiplying * kGroup); }

__device__ __forceinline__ void pass_turn(int warp_group) { arrive_named(2 - warp_group, kMultiplying * kGroup); }

/* Running softmax of the thread's two rows, lane / 4 and lane / 4 + 8 of its warp's 16. */
struct Rows {
  int visible[2];  // tokens below
  float max[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};  // of this thread's columns

  /* Turns a tile's scores into weights and rescales what was mixed before. */
  template <int kNumbers>
  __device__ __forceinline__ void take(float (&scores)[kTileLen / 2], uint32_t (&weights)[kTileLen / 16][4],
                                       float (&out)[kNumbers], float scale_log2, int first, bool is_masked) {
    int lane = threadIdx.x % kWarp;
#pragma unroll
    for (int row = 0; row < 2; row++) {
      float top = max[row];
#pragma unroll
      for (int n = 0; n < kTileLen / 8; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& score = scores[n * 4 + row * 2 + i];
          if (is_masked && first + n * 8 + lane % 4 * 2 + i >= visible[row]) score = -INFINITY;
          top = fmaxf(top, score);
        }
      }
      top = fmaxf(top, __shfl_xor_sync(kFullMask, top, 1));
      top = fmaxf(top, __shfl_xor_sync(kFullMask, top, 2));
      float base = top == -INFINITY ? 0.0f : __fmul_rn(top, scale_log2);  // a row without any token so far
      // Not fused, so that the factor is 1 where the maximum stays: a row's bits must not depend on tiles that it doesn't see.
      float factor = exp2_fast(__fsub_rn(__fmul_rn(max[row], scale_log2), base));
      max[row] = top;
      float added = 0;
#pragma unroll
      for (int n = 0; n < kTileLen / 8; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
          float& score = scores[n * 4 + row * 2 + i];
          score = exp2_fast(fmaf(score, scale_log2, -base));
          added += score;
        }
        weights[n / 2][n % 2 * 2 + row] = pack(scores[n * 4 + row * 2], scores[n * 4 + row * 2 + 1]);
      }
      sum[row] = sum[row] * factor + added;
#pragma unroll
      for (int n = 0; n < kNumbers / 4; n++) {
        out[n * 4 + row * 2] *= factor;
        out[n * 4 + row * 2 + 1] *= factor;
      }
    }
  }
};

template <int kHeadDim>
__device__ __forceinline__ void attend(const Block& block, uint32_t shared, Barriers barriers, float scale_log2,
                                       int num_heads, __nv_bfloat16* out_rows) {
  using S = Shape<kHeadDim>;
  int warp_group = threadIdx.x / kGroup, warp = threadIdx.x % kGroup / kWarp, lane = threadIdx.x % kWarp;
  int own_row = block.first_row + warp_group * kGroupRows + warp * 16 + lane / 4;
  Rows rows;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int flat = own_row + 8 * i;
    rows.visible[i] = flat < block.num_rows ? block.cached + flat / block.group + 1 : 0;
  }
  int first_masked = block.cached + block.first_row / block.group + 1;  // tokens below are visible to every row
  uint32_t queries = shared + S::kQueries + warp_group * kGroupRows * 128;
  float scores[kTileLen / 2];
  float out[kHeadDim / 2];
  uint32_t weights[kTileLen / 16][4];
#pragma unroll
  for (int i = 0; i < kHeadDim / 2; i++) out[i] = 0;
  int num_tiles = (block.end + kTileLen - 1) / kTileLen;
  if (warp_group == 1) pass_turn(warp_group);
  wait_barrier(barriers.is_full(0, false), 0);
  start_scores<kHeadDim>(queries, shared + S::kKeys, scores);
  wait_products<0>();
  pin(scores);
  if (lane == 0) arrive(barriers.is_free(0, false));
  for (int t = 0; t < num_tiles; t++) {
    int stage = t % kStages, next = (t + 1) % kStages;
    rows.take(scores, weights, out, scale_log2, t * kTileLen, (t + 1) * kTileLen > first_masked);
    wait_barrier(barriers.is_full(stage, true), t / kStages % 2);
    await_turn(warp_group);
    start_values<kHeadDim>(weights, shared + S::kValues + stage * S::kTileBytes, out);
    if (t + 1 < num_tiles) {
      wait_barrier(barriers.is_full(next, false), (t + 1) / kStages % 2);
      start_scores<kHeadDim>(queries, shared + S::kKeys + next * S::kTileBytes, scores);
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

template <int kHeadDim>
__device__ __forceinline__ void run(const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache,
                                    const __nv_bfloat16* v_cache, Block block, int num_heads, int num_kv_heads,
                                    float scale_log2, __nv_bfloat16* out) {
  extern __shared__ unsigned char memory[];
  uint32_t shared = (shared_address(memory) + kAlignment - 1) / kAlignment * kAlignment;
  Barriers barriers{shared + Shape<kHeadDim>::kBarriers};
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2 * kStages; i++) {
      init_barrier(barriers.is_full(i / 2, i % 2), kGroup);
      init_barrier(barriers.is_free(i / 2, i % 2), kMultiplying * kGroup / kWarp);
    }
  }
  load_queries<kHeadDim>(qkv, qkv_cols, block, shared);
  __syncthreads();
  if (threadIdx.x >= kMultiplying * kGroup) {
    give_registers<40>();
    copy_tiles<kHeadDim>(k_cache + blockIdx.y * kHeadDim, v_cache + blockIdx.y * kHeadDim, block, shared, barriers);
  } else {
    take_registers<232>();
    attend<kHeadDim>(block, shared, barriers, scale_log2, num_heads, out);
  }
}

}  // namespace

#define PREFILL_WGMMA(HEAD_DIM)                                                                                         \
  extern "C" __global__ void __launch_bounds__(kThreads, 1) prefill_wgmma_bf16_##HEAD_DIM(                              \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* row, const int* cached_len, const int* extend_len,                  \
      const int* first_token, const int* tile_seq, const int* tile_index, int num_heads, int num_kv_heads,              \
      float scale_log2, __nv_bfloat16* out) {                                                                           \
    int tile = gridDim.x - 1 - blockIdx.x; /* the last tiles of a sequence have most to do */                           \
    int seq = tile_seq[tile];                                                                                           \
    Block block;                                                                                                        \
    block.slots = slot_table + static_cast<size_t>(row[seq]) * stride;                                                  \
    block.slot_stride = static_cast<size_t>(num_kv_heads) * HEAD_DIM;                                                   \
    block.cached = cached_len[seq];                                                                                     \
    block.first_token = first_token[seq];                                                                               \
    block.group = num_heads / num_kv_heads;                                                                             \
    block.first_row = tile_index[tile] * kBlockRows;                                                                    \
    block.num_rows = extend_len[seq] * block.group;                                                                     \
    block.end = block.cached + (min(block.first_row + kBlockRows, block.num_rows) - 1) / block.group + 1;               \
    run<HEAD_DIM>(qkv, qkv_cols, k_cache, v_cache, block, num_heads, num_kv_heads, scale_log2, out);                    \
  }

PREFILL_WGMMA(64)
PREFILL_WGMMA(128)

#endif
