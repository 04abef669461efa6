/* shared_tail: what shared_attention leaves to each sequence: one query token attends over the slots from shared_len on, which are few; grouped
   queries; split along the sequence [1]. shared_tail_join adds up a row's splits and its records of segments.
   qkv         [num_tokens, qkv_cols]  bf16, q heads first       out  [num_tokens, num_heads * head_dim]  bf16
   k_cache     [num_slots, num_kv_heads, head_dim]  bf16 (v_cache alike), this step's K and V included
   slot_table  [rows, stride] int32     row, cached_len, shared_len, first_token  [num_seqs] int32; tokens [shared_len, cached_len + 1) are read
   partial     [num_seqs, num_heads, kMaxSplits, kPartial] fp32: mixed values and log2 of the weight
   first_record, num_records  [num_seqs] int32: where in `record` the row's records are; values, weights: see shared_attention.cu
   max_splits  at most kMaxSplits, of at least about 128 tokens each
   grid (num_kv_heads, max_splits, num_seqs) x 96 threads, three warps that take turns along the split, each with a ring of its
   own (ring.cuh); head_dim 64 or 128; at most 8 or 16 heads a group. Blocks are small enough to run beside one of shared_wgmma's.
   The join: grid (num_seqs, num_heads / 4) x 128 threads, a warp a head. A row without records and with one split is written at once.
   Started early, it begins when all of shared_attention's blocks have waited for the kernels before it: queries and this step's K and V are
   there, and nobody reads any more what it writes. One of its blocks waits for the segments, so that its end tells the join of theirs.
   Moves 4 * sum(cached_len + 1 - shared_len) * num_kv_heads * head_dim bytes.  256 x 128 tokens, 8 KV heads of 128: 134 MB -> 32 us at 4.2 TB/s
   [1] Dao et al., "Flash-Decoding", 2023. */
#include "../common/launch.cuh"
#include "ring.cuh"

namespace {

constexpr int kWarps = 3;
constexpr int kThreads = kWarps * kWarp;
constexpr int kJoinWarps = 4;
constexpr int kStages = 2;
/* Each of three schedulers has 80 registers a thread for one warp beside shared_wgmma's three; twice as many heads take what they need. */
constexpr int kBlocksOfSmallGroups = 8;
constexpr int kMinSplitLen = 128;
constexpr int kMaxSplits = 8;

/* Floats of a split's result: values, the weight, and what keeps the next one at a multiple of 16 bytes. */
template <int kHeadDim>
constexpr int kPartial = kHeadDim + 4;

struct Tail {
  const int* slots;

  __device__ __forceinline__ int slot(int token) const { return slots[token]; }
};

template <int kHeadDim, int kTiles>
__device__ __forceinline__ void attend(const __nv_bfloat16* heads, const Pages& pages, int len, int max_splits,
                                       bool is_all, int group, float scale_log2, float* partial, __nv_bfloat16* out) {
  constexpr int kFours = kHeadDim / 4;
  constexpr int kRingNumbers = kStages * Ring<kHeadDim>::kStage;
  static_assert(kTiles * kColumns * Ring<kHeadDim>::kFoundStride * sizeof(float) <= kRingNumbers * sizeof(__nv_bfloat16));
  extern __shared__ __align__(16) __nv_bfloat16 shared[];
  __shared__ Kept<kTiles, kWarps> kept;
  int split = split_len(len, kMinSplitLen, max_splits);
  int num_splits = (len + split - 1) / split;
  if (blockIdx.y >= num_splits) return;
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  Tail tail{pages.slots};
  Stream<kHeadDim, kWarps, kStages> stream;
  stream.k = pages.k + lane % stream.kChunks * 8;
  stream.v = pages.v + lane % stream.kChunks * 8;
  stream.slot_stride = pages.slot_stride;
  stream.ring = shared + warp * kRingNumbers;
  stream.first = blockIdx.y * split;
  stream.end = min(stream.first + split, len);
  stream.num_steps = (stream.end - stream.first + kWarps * kTokensAtOnce - 1) / (kWarps * kTokensAtOnce);
  int slots[kStages];
#pragma unroll
  for (int i = 0; i < kStages; i++) slots[i] = stream.slot(tail, i);
#pragma unroll
  for (int i = 0; i < kStages - 1; i++) stream.start(i, slots[i]);
  uint32_t q[kTiles][kHeadDim / 16][2];
  load_heads<kHeadDim, kTiles, false>(heads, group, q);
  Findings<kHeadDim, kTiles> found;
  attend_stream(stream, tail, q, slots[kStages - 1], scale_log2, found);
  keep(found, kept, reinterpret_cast<float*>(stream.ring));
  __syncthreads();
  for (int i = threadIdx.x; i < group * kFours; i += kThreads) {
    int head = i / kFours, col = i % kFours * 4;
    const float* mixed = reinterpret_cast<const float*>(shared) + head * Ring<kHeadDim>::kFoundStride + col;
    float all_log2;
    float4 value = merge_warps(kept, mixed, kRingNumbers / 2, head, all_log2);
    if (num_splits == 1 && is_all) {
      store4(out + head * kHeadDim + col, value);
    } else {
      float* to = partial + (static_cast<size_t>(head) * kMaxSplits + blockIdx.y) * kPartial<kHeadDim>;
      *reinterpret_cast<float4*>(to + col) = value;
      if (col == 0) to[kHeadDim] = all_log2;
    }
  }
}

__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value = fmaxf(value, __shfl_xor_sync(kFullMask, value, offset));
  return value;
}

/* All parts of a row's head as one, by a warp: splits of what the row has for itself, and its records of segments, which hold values
   [num_heads, head_dim] and weights [num_heads]. */
template <int kHeadDim>
__device__ __forceinline__ void join(const float* partial, int len, int max_splits, const int* record,
                                     int num_records, const float* values, const float* weights, int num_heads,
                                     int head, __nv_bfloat16* out) {
  constexpr int kNumbers = kHeadDim / kWarp;  // of a lane
  int lane = threadIdx.x % kWarp;
  int split = split_len(len, kMinSplitLen, max_splits);
  int num_splits = (len + split - 1) / split, num_parts = num_splits + num_records;
  int own_record = lane >= num_splits && lane < num_parts ? record[lane - num_splits] : 0;
  wait_for_previous();
  if (num_splits == 1 && num_records == 0) return;
  float top = -INFINITY, sum = 0;
  float value[kNumbers] = {};
  for (int base = 0; base < num_parts; base += kWarp) {
    // weights, a part each lane
    int part = base + lane;
    const float* from = nullptr;
    float weight_log2 = -INFINITY;
    if (part < num_splits) {
      from = partial + part * kPartial<kHeadDim>;
      weight_log2 = __ldcg(from + kHeadDim);
    } else if (part < num_parts) {
      if (base > 0) own_record = record[part - num_splits];
      size_t at = static_cast<size_t>(own_record) * num_heads + head;
      from = values + at * kHeadDim;
      weight_log2 = __ldcg(weights + at);
    }
    float next = fmaxf(top, warp_max(weight_log2));
    float factor = exp2f(top - next), weight = exp2f(weight_log2 - next);
    top = next;
    sum = sum * factor + warp_sum(weight);
#pragma unroll
    for (int i = 0; i < kNumbers; i++) value[i] *= factor;
    // values, all lanes together
    int num_here = min(kWarp, num_parts - base);
#pragma unroll 4
    for (int p = 0; p < num_here; p++) {
      const float* at = reinterpret_cast<const float*>(
          __shfl_sync(kFullMask, reinterpret_cast<unsigned long long>(from), p));
      float of_part = __shfl_sync(kFullMask, weight, p);
#pragma unroll
      for (int i = 0; i < kNumbers; i++) value[i] += of_part * __ldcg(at + i * kWarp + lane);
    }
  }
#pragma unroll
  for (int i = 0; i < kNumbers; i++) out[i * kWarp + lane] = __float2bfloat16(value[i] / sum);
}

}  // namespace

#define SHARED_TAIL(HEAD_DIM, MAX_GROUP)                                                                                \
  extern "C" __global__ void                                                                                            \
      __launch_bounds__(kThreads, MAX_GROUP == kColumns ? kBlocksOfSmallGroups : 1)                                     \
          shared_tail_bf16_##HEAD_DIM##_##MAX_GROUP(                                                                    \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* row, const int* cached_len, const int* first_token, int num_heads,  \
      int num_kv_heads, float scale_log2, float* partial, __nv_bfloat16* out, const int* shared_len,                    \
      int max_splits) {                                                                                                 \
    allow_next();                                                                                                       \
    int seq = blockIdx.z, group = num_heads / num_kv_heads, shared = shared_len[seq];                                   \
    Pages pages{k_cache + blockIdx.x * HEAD_DIM, v_cache + blockIdx.x * HEAD_DIM,                                       \
                slot_table + static_cast<size_t>(row[seq]) * stride + shared,                                           \
                static_cast<size_t>(num_kv_heads) * HEAD_DIM};                                                          \
    size_t head = blockIdx.x * group, token = first_token[seq];                                                         \
    attend<HEAD_DIM, MAX_GROUP / kColumns>(                                                                             \
        qkv + token * qkv_cols + head * HEAD_DIM, pages, cached_len[seq] + 1 - shared, max_splits, shared == 0, group,  \
        scale_log2,                                                                                                     \
        partial + (seq * static_cast<size_t>(num_heads) + head) * kMaxSplits * kPartial<HEAD_DIM>,                      \
        out + (token * num_heads + head) * HEAD_DIM);                                                                   \
    if (blockIdx.x == 0 && blockIdx.y == 0 && blockIdx.z == 0) wait_for_previous();                                     \
  }

#define SHARED_TAIL_JOIN(HEAD_DIM)                                                                                      \
  extern "C" __global__ void __launch_bounds__(kJoinWarps* kWarp) shared_tail_join_bf16_##HEAD_DIM(                     \
      const float* partial, const int* cached_len, const int* shared_len, const int* first_token,                       \
      const int* first_record, const int* num_records, const int* record, const float* values, const float* weights,    \
      int num_heads, int max_splits, __nv_bfloat16* out) {                                                              \
    allow_next();                                                                                                       \
    size_t seq = blockIdx.x;                                                                                            \
    int head = blockIdx.y * kJoinWarps + threadIdx.x / kWarp;                                                           \
    if (head >= num_heads) return;                                                                                      \
    join<HEAD_DIM>(partial + (seq * num_heads + head) * kMaxSplits * kPartial<HEAD_DIM>,                                \
                   cached_len[seq] + 1 - shared_len[seq], max_splits, record + first_record[seq], num_records[seq],      \
                   values, weights, num_heads, head, out + (first_token[seq] * static_cast<size_t>(num_heads) + head) * HEAD_DIM);       \
  }

SHARED_TAIL(64, 8)
SHARED_TAIL(64, 16)
SHARED_TAIL(128, 8)
SHARED_TAIL(128, 16)
SHARED_TAIL_JOIN(64)
SHARED_TAIL_JOIN(128)
