/* shared_attention: runs of KV slots that several sequences have in common (segments) are read once for all of them: their queries, sequences and
   heads of a group together, are the rows of tensor-core products with the run's K and V [1]. What a sequence has besides is read by
   shared_tail, and shared_tail_join adds up all parts.
   qkv         [num_tokens, qkv_cols]  bf16, q heads first
   k_cache     [num_slots, num_kv_heads, head_dim]  bf16 (v_cache alike)      slot_table  [rows, stride] int32
   work        int32: number of items, padded to kItemInts, then the items. An item is a piece of a segment for at most kBlockRows queries
   order       [num_seqs] int32: sequence at a place       first_token  [num_seqs] int32
   values      [num_records, num_heads, head_dim] fp32, weights  [num_records, num_heads] fp32: mixed values of a piece and log2 of their weight
   grid: any number of blocks x 256 threads, which share out items and KV heads; what there is to do is data, so a captured launch serves all
   batches. 8 warps of 16 rows, K and V in tiles of 64 tokens, two stages; head_dim 64 or 128; at most 16 heads a group
   4 * head_dim flops a pair of query and token; each read of K and V serves kBlockRows queries.
   256 sequences behind 8,192 tokens, 32 heads of 128: 34 GFLOP a layer -> 0.14 ms at 250 TFLOP/s; each for itself they would read 8.6 GB.
   [1] Juravsky et al., "Hydragen", 2024. The parts' merge: Dao et al., "Flash-Decoding", 2023. See tile.cuh for the rest. */
#include "tile.cuh"

namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
constexpr int kBlockRows = kWarps * kRows;
constexpr int kStages = 2;
constexpr int kItemInts = 8;

struct alignas(16) Item {
  int from, to;     // positions
  int place, num;   // first place in `order`, and how many
  int record;       // of the first sequence
  int row;          // of the slot table, that has the slots
  int second_record, unused;  // for shared_wgmma
};
static_assert(sizeof(Item) == kItemInts * sizeof(int));

struct Work {
  const int* order;
  const int* first_token;
  int num_heads, num_kv_heads;
  float scale_log2;
  float* values;
  float* weights;
};

/* Starts the copy of the item's queries, [kBlockRows, kStride]; rows that it doesn't have become zeros. */
template <int kHeadDim>
__device__ __forceinline__ void start_queries(const __nv_bfloat16* qkv, int qkv_cols, const Work& work,
                                              const Item& item, int kv_head, __nv_bfloat16* queries) {
  using Shape = TileShape<kHeadDim>;
  int group = work.num_heads / work.num_kv_heads;
  for (int i = threadIdx.x; i < kBlockRows * Shape::kChunks; i += kThreads) {
    int row = i / Shape::kChunks, chunk = i % Shape::kChunks, seq = row / group;
    bool is_live = seq < item.num;
    size_t token = is_live ? work.first_token[work.order[item.place + seq]] : 0;
    int head = is_live ? kv_head * group + row - seq * group : 0;
    copy_async16(shared_address(queries + row * Shape::kStride + chunk * 8),
                 qkv + token * qkv_cols + head * kHeadDim + chunk * 8, is_live);
  }
  commit_copies();
}

/* Normalised values and log2 of their weight, of the warp's rows that the item has. */
template <int kHeadDim>
__device__ __forceinline__ void store(Softmax<kHeadDim>& softmax, const float (&mixed)[kHeadDim / 8][4],
                                      const Work& work, const Item& item, int kv_head) {
  int lane = threadIdx.x % kWarp, group = work.num_heads / work.num_kv_heads;
  softmax.finish();
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int row = threadIdx.x / kWarp * kRows + lane / 4 + 8 * i, seq = row / group;
    if (seq >= item.num) continue;
    size_t at = static_cast<size_t>(item.record + seq) * work.num_heads + kv_head * group + row - seq * group;
    float factor = 1.0f / softmax.sum[i];
    float* to = work.values + at * kHeadDim + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < kHeadDim / 8; n++) {
      *reinterpret_cast<float2*>(to + n * 8) = make_float2(mixed[n][2 * i] * factor, mixed[n][2 * i + 1] * factor);
    }
    if (lane % 4 == 0) work.weights[at] = softmax.max[i] + log2f(softmax.sum[i]);
  }
}

template <int kHeadDim>
__device__ __forceinline__ void attend(const __nv_bfloat16* qkv, int qkv_cols, const Pages& pages, const Work& work,
                                       const Item& item, int kv_head) {
  using Shape = TileShape<kHeadDim>;
  constexpr int kStageNumbers = 2 * Shape::kNumbers;  // K, then V
  static_assert(kBlockRows * Shape::kStride == kStageNumbers, "queries come through the second stage");
  extern __shared__ __align__(16) __nv_bfloat16 shared[];
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  bool has_rows = warp * kRows < item.num * (work.num_heads / work.num_kv_heads);

  // queries and the first tile
  start_queries<kHeadDim>(qkv, qkv_cols, work, item, kv_head, shared + kStageNumbers);
  start_tile<kHeadDim, kThreads>(pages, item.from, item.to, shared, shared + Shape::kNumbers);
  wait_copies<1>();
  __syncthreads();
  uint32_t q[kHeadDim / 16][4];
  load_queries<kHeadDim>(shared + kStageNumbers + warp * kRows * Shape::kStride, q);

  Softmax<kHeadDim> softmax;
  float mixed[kHeadDim / 8][4] = {};
  int num_tiles = (item.to - item.from + kTileLen - 1) / kTileLen;
  for (int t = 0; t < num_tiles; t++) {
    wait_copies<0>();
    __syncthreads();  // the tile is there, and nobody reads the other stage any more
    int first = item.from + t * kTileLen;
    if (t + 1 < num_tiles) {
      __nv_bfloat16* next = shared + (t + 1) % kStages * kStageNumbers;
      start_tile<kHeadDim, kThreads>(pages, first + kTileLen, item.to, next, next + Shape::kNumbers);
    }
    if (!has_rows) continue;
    const __nv_bfloat16* k_tile = shared + t % kStages * kStageNumbers;
    constexpr int kParts = kTileLen / kTokensAtOnce;
    float scores[2 * kParts][4] = {};
#pragma unroll
    for (int part = 0; part < kParts; part++) {
      score<kHeadDim>(q, k_tile + part * kTokensAtOnce * Shape::kStride,
                      *reinterpret_cast<float(*)[2][4]>(scores[2 * part]));
    }
    bool is_masked = first + kTileLen > item.to;
#pragma unroll
    for (int n = 0; n < 2 * kParts; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bool is_seen = !is_masked || first + n * 8 + lane % 4 * 2 + i % 2 < item.to;
        scores[n][i] = is_seen ? scores[n][i] * work.scale_log2 : -INFINITY;
      }
    }
    softmax.take(scores, mixed);
#pragma unroll
    for (int part = 0; part < kParts; part++) {
      mix<kHeadDim>(*reinterpret_cast<float(*)[2][4]>(scores[2 * part]),
                    k_tile + Shape::kNumbers + part * kTokensAtOnce * Shape::kStride, mixed);
    }
  }
  if (has_rows) store<kHeadDim>(softmax, mixed, work, item, kv_head);
  __syncthreads();
}

}  // namespace

#define SHARED_ATTENTION(HEAD_DIM)                                                                                      \
  extern "C" __global__ void __launch_bounds__(kThreads) shared_attention_bf16_##HEAD_DIM(                              \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* work, const int* order, const int* first_token, int num_heads,      \
      int num_kv_heads, float scale_log2, float* values, float* weights) {                                              \
    const Item* items = reinterpret_cast<const Item*>(work + kItemInts);                                                \
    for (int unit = blockIdx.x; unit < work[0] * num_kv_heads; unit += gridDim.x) {                                     \
      Item item = items[unit / num_kv_heads];                                                                           \
      int kv_head = unit % num_kv_heads;                                                                                \
      Pages pages{k_cache + kv_head * HEAD_DIM, v_cache + kv_head * HEAD_DIM,                                           \
                  slot_table + static_cast<size_t>(item.row) * stride, static_cast<size_t>(num_kv_heads) * HEAD_DIM};   \
      attend<HEAD_DIM>(qkv, qkv_cols, pages,                                                                            \
                       Work{order, first_token, num_heads, num_kv_heads, scale_log2, values, weights}, item, kv_head);  \
    }                                                                                                                   \
  }

SHARED_ATTENTION(64)
SHARED_ATTENTION(128)
