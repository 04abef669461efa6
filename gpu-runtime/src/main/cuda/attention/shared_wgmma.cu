/* shared_wgmma: shared_attention for Hopper: the same function and arguments, with products of warp groups.
   grid: any number of blocks x 384 threads: two warp groups of 64 rows each multiply, a third one copies tiles of 128 tokens, two ahead, also
   across items; head_dim 64 or 128. While one warp group takes the softmax, the other one's products run; a group's next scores are multiplied
   together with its last values.
   Started early, it copies K and V of segments, which no kernel of this step writes, before the kernels ahead have ended. Only then it lets
   shared_tail start, which so needs to wait for nothing that it reads.
   See shared_attention.cu for arguments and sources, prefill_wgmma.cu for the same scheme over a prompt. */
#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)

extern "C" __global__ void shared_wgmma_bf16_64() { __trap(); }  // never launched: others take shared_attention
extern "C" __global__ void shared_wgmma_bf16_128() { __trap(); }

#else

#include "../common/launch.cuh"
#include "../common/ptx.cuh"
#include "../common/vec.cuh"
#include "warp_groups.cuh"

namespace {

constexpr int kStages = 2;
constexpr int kAhead = 2;  // copies of a K or V tile under way besides the newest
constexpr int kItemInts = 8;
constexpr int kNone = -1;

/* Of a thread: at the start, then of those that multiply and of those that copy. What is left of a multiprocessor's, 80 for one more warp of each
   scheduler, is enough for a block of shared_tail's, which so reads while this one multiplies. */
constexpr int kRegisters = 144;
constexpr int kMultiplyingRegisters = 192;
constexpr int kCopyingRegisters = 48;
static_assert(kMultiplying * kMultiplyingRegisters + kCopyingRegisters == (kMultiplying + 1) * kRegisters);

template <int kHeadDim>
struct Shape {
  static constexpr int kSubTiles = kHeadDim / 64;
  static constexpr int kTileBytes = kSubTiles * kSubTileBytes;
  static constexpr int kChunks = kHeadDim / 8;  // of 16 bytes in a row
  static constexpr int kQueries = 0;
  static constexpr int kKeys = kTileBytes;
  static constexpr int kValues = kKeys + kStages * kTileBytes;
  static constexpr int kBarriers = kValues + kStages * kTileBytes;
};

struct alignas(16) Item {
  int from, to, place, num, record, row;
  int second_record;  // of the first sequence, if the warp groups share out each tile's tokens instead of the rows, else kNone
  int unused;
};
static_assert(sizeof(Item) == kItemInts * sizeof(int));

/* Barriers in shared memory, of 8 bytes: for each stage, whether K and V are there, and whether they may be overwritten. */
struct Barriers {
  uint32_t base;
  __device__ __forceinline__ uint32_t is_full(int stage, bool is_value) const { return base + (stage * 2 + is_value) * 8; }
  __device__ __forceinline__ uint32_t is_free(int stage, bool is_value) const {
    return is_full(stage, is_value) + kStages * 2 * 8;
  }
};

struct Work {
  const int* work;
  const int* slot_table;
  int stride, num_heads, num_kv_heads;

  __device__ __forceinline__ int num_units() const { return work[0] * num_kv_heads; }
  __device__ __forceinline__ Item item(int unit) const {
    return reinterpret_cast<const Item*>(work + kItemInts)[unit / num_kv_heads];
  }
};

/* The third warp group: copies K and V tiles of all the block's items in turn and says when they are there. */
template <int kHeadDim>
struct TileCopies {
  using S = Shape<kHeadDim>;
  static constexpr int kRowsOfWarp = kTileLen / (kGroup / kWarp);
  static constexpr int kRowsAtOnce = kWarp / S::kChunks;
  static constexpr int kPasses = kRowsOfWarp / kRowsAtOnce;
  static_assert(kRowsOfWarp == kWarp, "a lane looks up one slot");

  const __nv_bfloat16* k_cache;
  const __nv_bfloat16* v_cache;
  size_t slot_stride;
  uint32_t shared;
  Barriers barriers;
  int num_copies = 0;

  __device__ __forceinline__ void run(const Work& work) {
    for (int unit = blockIdx.x; unit < work.num_units(); unit += gridDim.x) {
      Item item = work.item(unit);
      const int* slots = work.slot_table + static_cast<size_t>(item.row) * work.stride;
      copy_item(slots, item.from, item.to, unit % work.num_kv_heads * kHeadDim);
    }
    if (num_copies == 0) return;
    static_assert(kAhead == 2);
    wait_copies<1>();
    publish(num_copies - 2);
    wait_copies<0>();
    publish(num_copies - 1);
  }

  __device__ __forceinline__ void publish(int copy) {
    publish_to_products();
    arrive(barriers.is_full(copy / 2 % kStages, copy % 2));
  }

  __device__ __forceinline__ void copy_item(const int* slots, int from, int to, int head_at) {
    int own = from + threadIdx.x % kGroup;  // a warp's 32 tokens are next to each other
    int slot = own < to ? slots[own] : -1;
    for (int at = from; at < to; at += kTileLen) {
      start(slot, k_cache + head_at, S::kKeys, false);
      settle();
      start(slot, v_cache + head_at, S::kValues, true);
      own += kTileLen;
      slot = own < to ? slots[own] : -1;  // the next tile's, to be there in time
      settle();
    }
  }

  /* The copy of a K or V tile, when its place is free; slots of the warp's tokens, one a lane. */
  __device__ __forceinline__ void start(int slots, const __nv_bfloat16* cache, int tiles_at, bool is_value) {
    int lane = threadIdx.x % kWarp, chunk = lane % S::kChunks;
    int first = threadIdx.x % kGroup / kWarp * kRowsOfWarp + lane / S::kChunks;
    int tile = num_copies / 2, stage = tile % kStages;
    cache += chunk * 8;
    int own[kPasses];  // before the place is free: one after another they would take longer than the copies
#pragma unroll
    for (int i = 0; i < kPasses; i++) own[i] = __shfl_sync(kFullMask, slots, i * kRowsAtOnce + lane / S::kChunks);
    wait_barrier(barriers.is_free(stage, is_value), tile / kStages % 2 ^ 1);
    uint32_t into = shared + tiles_at + stage * S::kTileBytes + chunk / 8 * kSubTileBytes;
#pragma unroll
    for (int i = 0; i < kPasses; i++) {
      bool is_live = own[i] >= 0;
      size_t from = is_live ? own[i] * slot_stride : 0;
      copy_async16(into + swizzled(i * kRowsAtOnce + first, chunk % 8), cache + from, is_live);
    }
    commit_copies();
  }

  /* Says of the copy kAhead before that it is there. */
  __device__ __forceinline__ void settle() {
    if (num_copies >= kAhead) {
      wait_copies<kAhead>();
      publish(num_copies - kAhead);
    }
    num_copies++;
  }
};

/* Of kTokens tokens whose keys begin at an address. */
template <int kHeadDim, int kTokens>
__device__ __forceinline__ void start_scores(uint32_t queries, uint32_t keys, float (&scores)[kTokens / 2]) {
  pin(scores);
  begin_products();
#pragma unroll
  for (int k = 0; k < kHeadDim / 16; k++) {
    uint32_t at = k / 4 * kSubTileBytes + k % 4 * 32;
    uint64_t a = matrix_at(queries + at, kSubTileBytes), b = matrix_at(keys + at, kSubTileBytes);
    if constexpr (kTokens == 128) {
      multiply_n128(scores, a, b, k > 0);
    } else {
      multiply_n64(scores, a, b, k > 0);
    }
  }
  commit_products();
}

/* out += weights . values of kTokens tokens; eight rows of a sub-tile are 1,024 bytes. */
template <int kHeadDim, int kTokens>
__device__ __forceinline__ void start_values(const uint32_t (&weights)[kTokens / 16][4], uint32_t values,
                                             float (&out)[kHeadDim / 2]) {
  pin(out);
  begin_products();
#pragma unroll
  for (int k = 0; k < kTokens / 16; k++) {
    uint64_t b = matrix_at(values + k * 2 * 1024, kSubTileBytes);
    if constexpr (kHeadDim == 128) {
      multiply_n128<false>(out, weights[k], b, true);
    } else {
      multiply_n64(out, weights[k], b, true);
    }
  }
  commit_products();
}

__device__ __forceinline__ void sync_group(int warp_group) { sync_named(1 + kMultiplying + warp_group, kGroup); }

/* Running softmax of the thread's two rows, lane / 4 and lane / 4 + 8 of its warp's 16. */
struct Rows {
  float max[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};  // of this thread's columns

  /* Turns the scores of kTokens tokens into weights, those from num_tokens on into 0, and rescales what was mixed before. */
  template <int kTokens, int kNumbers>
  __device__ __forceinline__ void take(float (&scores)[kTokens / 2], uint32_t (&weights)[kTokens / 16][4],
                                       float (&out)[kNumbers], float scale_log2, int num_tokens) {
    int lane = threadIdx.x % kWarp;
    if (num_tokens < kTokens) {
#pragma unroll
      for (int n = 0; n < kTokens / 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          if (n * 8 + lane % 4 * 2 + i % 2 >= num_tokens) scores[n * 4 + i] = -INFINITY;
        }
      }
    }
#pragma unroll
    for (int row = 0; row < 2; row++) {
      float top = max[row];
#pragma unroll
      for (int n = 0; n < kTokens / 8; n++) {
        top = fmaxf(top, fmaxf(scores[n * 4 + row * 2], scores[n * 4 + row * 2 + 1]));
      }
      top = fmaxf(top, __shfl_xor_sync(kFullMask, top, 1));
      top = fmaxf(top, __shfl_xor_sync(kFullMask, top, 2));
      float base = top == -INFINITY ? 0.0f : top * scale_log2;  // no token so far
      float factor = exp2_fast(fmaf(max[row], scale_log2, -base));
      max[row] = top;
      float added = 0;
#pragma unroll
      for (int n = 0; n < kTokens / 8; n++) {
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

/* A multiplying warp group: its half of the rows of all the block's items. */
template <int kHeadDim>
struct Multiplier {
  using S = Shape<kHeadDim>;

  const __nv_bfloat16* qkv;
  int qkv_cols;
  const int* order;
  const int* first_token_of;
  int num_kv_heads;
  float scale_log2;
  float* values;
  float* weight_logs;
  uint32_t shared;
  Barriers barriers;
  int tiles_before = 0;

  __device__ __forceinline__ void run(const Work& work) {
    for (int unit = blockIdx.x; unit < work.num_units(); unit += gridDim.x) {
      Item item = work.item(unit);
      int kv_head = unit % work.num_kv_heads, warp_group = threadIdx.x / kGroup;
      if (item.second_record == kNone) {
        attend<kTileLen>(item, kv_head, work.num_heads, warp_group * kGroupRows, 0, item.record);
      } else {
        attend<kTileLen / kMultiplying>(item, kv_head, work.num_heads, 0, warp_group * kTileLen / kMultiplying,
                                        warp_group == 0 ? item.record : item.second_record);
      }
    }
  }

  __device__ __forceinline__ void load_queries(const Item& item, int kv_head, int group, int first_row) {
    int warp_group = threadIdx.x / kGroup, num_rows = item.num * group;
    sync_group(warp_group);  // the last item's have been read
    for (int i = threadIdx.x % kGroup; i < kGroupRows * S::kChunks; i += kGroup) {
      int own_row = i / S::kChunks, row = first_row + own_row, chunk = i % S::kChunks;
      bool is_live = row < num_rows;
      int seq = row / group, head = kv_head * group + row - seq * group;
      size_t from = is_live ? static_cast<size_t>(first_token_of[order[item.place + seq]]) * qkv_cols + head * kHeadDim +
                                  chunk * 8
                            : 0;
      copy_async16(shared + S::kQueries + chunk / 8 * kSubTileBytes +
                       swizzled(warp_group * kGroupRows + own_row, chunk % 8),
                   qkv + from, is_live);
    }
    commit_copies();
    wait_copies<0>();
    publish_to_products();
    sync_group(warp_group);
  }

  /* 64 rows from first_row on, with kTokens tokens of each tile from first_token on. */
  template <int kTokens>
  __device__ __forceinline__ void attend(const Item& item, int kv_head, int num_heads, int first_row, int first_token,
                                         int record) {
    int warp_group = threadIdx.x / kGroup, lane = threadIdx.x % kWarp, group = num_heads / num_kv_heads;
    uint32_t keys = shared + S::kKeys + first_token * 128, tokens_values = shared + S::kValues + first_token * 128;
    load_queries(item, kv_head, group, first_row);
    Rows rows;
    uint32_t queries = shared + S::kQueries + warp_group * kGroupRows * 128;
    float scores[kTokens / 2];
    float out[kHeadDim / 2];
    uint32_t weights[kTokens / 16][4];
#pragma unroll
    for (int i = 0; i < kHeadDim / 2; i++) out[i] = 0;
    int num_tiles = (item.to - item.from + kTileLen - 1) / kTileLen;
    if (warp_group == 1) pass_turn(warp_group);
    int first_stage = tiles_before % kStages;
    wait_barrier(barriers.is_full(first_stage, false), tiles_before / kStages % 2);
    start_scores<kHeadDim, kTokens>(queries, keys + first_stage * S::kTileBytes, scores);
    wait_products<0>();
    pin(scores);
    if (lane == 0) arrive(barriers.is_free(first_stage, false));
    for (int t = 0; t < num_tiles; t++) {
      int tile = tiles_before + t, stage = tile % kStages, next = (tile + 1) % kStages;
      rows.template take<kTokens>(scores, weights, out, scale_log2,
                                  item.to - item.from - t * kTileLen - first_token);
      wait_barrier(barriers.is_full(stage, true), tile / kStages % 2);
      await_turn(warp_group);
      start_values<kHeadDim, kTokens>(weights, tokens_values + stage * S::kTileBytes, out);
      if (t + 1 < num_tiles) {
        wait_barrier(barriers.is_full(next, false), (tile + 1) / kStages % 2);
        start_scores<kHeadDim, kTokens>(queries, keys + next * S::kTileBytes, scores);
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
        if (lane == 0) arrive(barriers.is_free(stage, true));
      }
    }
    tiles_before += num_tiles;
    store(first_row, item.num * group, record, kv_head, num_heads, rows, out);
  }

  __device__ __forceinline__ void store(int first_row, int num_rows, int record, int kv_head, int num_heads,
                                        const Rows& rows, const float (&out)[kHeadDim / 2]) {
    int lane = threadIdx.x % kWarp, group = num_heads / num_kv_heads;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      float sum = rows.sum[i];
      sum += __shfl_xor_sync(kFullMask, sum, 1);
      sum += __shfl_xor_sync(kFullMask, sum, 2);
      int row = first_row + threadIdx.x % kGroup / kWarp * 16 + lane / 4 + 8 * i, seq = row / group;
      if (row >= num_rows) continue;
      size_t at = static_cast<size_t>(record + seq) * num_heads + kv_head * group + row - seq * group;
      float factor = sum > 0 ? 1.0f / sum : 0.0f;  // without a token the weight is 0
      float* to = values + at * kHeadDim + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < kHeadDim / 8; n++) {
        *reinterpret_cast<float2*>(to + n * 8) =
            make_float2(out[n * 4 + 2 * i] * factor, out[n * 4 + 2 * i + 1] * factor);
      }
      if (lane % 4 == 0) weight_logs[at] = fmaf(rows.max[i], scale_log2, log2f(sum));
    }
  }
};

template <int kHeadDim>
__device__ __forceinline__ void share_out(const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache,
                                          const __nv_bfloat16* v_cache, const Work& work, const int* order,
                                          const int* first_token, float scale_log2, float* values, float* weights) {
  extern __shared__ unsigned char memory[];
  if (blockIdx.x >= work.num_units()) {
    wait_for_previous();
    return;
  }
  uint32_t shared = (shared_address(memory) + kAlignment - 1) / kAlignment * kAlignment;
  Barriers barriers{shared + Shape<kHeadDim>::kBarriers};
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2 * kStages; i++) {
      init_barrier(barriers.is_full(i / 2, i % 2), kGroup);
      init_barrier(barriers.is_free(i / 2, i % 2), kMultiplying * kGroup / kWarp);
    }
  }
  __syncthreads();
  if (threadIdx.x >= kMultiplying * kGroup) {
    give_registers<kCopyingRegisters>();
    TileCopies<kHeadDim> copies{k_cache, v_cache, static_cast<size_t>(work.num_kv_heads) * kHeadDim, shared, barriers};
    copies.run(work);
  } else {
    take_registers<kMultiplyingRegisters>();
    wait_for_previous();
    allow_next();
    Multiplier<kHeadDim> multiplier{qkv,        qkv_cols, order,   first_token, work.num_kv_heads,
                                    scale_log2, values,   weights, shared,      barriers};
    multiplier.run(work);
  }
}

}  // namespace

#define SHARED_WGMMA(HEAD_DIM)                                                                                          \
  extern "C" __global__ void __maxnreg__(kRegisters) shared_wgmma_bf16_##HEAD_DIM(                                      \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* work, const int* order, const int* first_token, int num_heads,      \
      int num_kv_heads, float scale_log2, float* values, float* weights) {                                              \
    share_out<HEAD_DIM>(qkv, qkv_cols, k_cache, v_cache, Work{work, slot_table, stride, num_heads, num_kv_heads},       \
                        order, first_token, scale_log2, values, weights);                                               \
  }

SHARED_WGMMA(64)
SHARED_WGMMA(128)

#endif
