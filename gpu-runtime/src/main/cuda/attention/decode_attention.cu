/* decode_attention: one query token per sequence attends over its KV slots; grouped queries; split along the sequence [1].
   qkv         [num_tokens, qkv_cols]  bf16, q heads first       out  [num_tokens, num_heads * head_dim]  bf16
   k_cache     [num_slots, num_kv_heads, head_dim]  bf16 (v_cache alike), this step's K and V included
   slot_table  [rows, stride] int32     row, cached_len, first_token  [num_seqs] int32; the sequence has cached_len + 1 tokens
   kv_slot     [num_tokens] int32, the newest tokens' slots
   num_new     [num_seqs] int32: tokens at the sequence's end whose K, V and slots come in this step, one at least
   max_splits  of at least about min_split_len tokens each: how a sequence is split decides its result's last bits
   mixed       [num_seqs, num_heads, max_splits, head_dim] fp32: values of splits     weight  [num_seqs, num_heads, max_splits] fp32: log2
   of their weights     num_done  [num_seqs, num_kv_heads] int32, zeros before and after
   grid (num_kv_heads, split walkers, num_seqs) x 128 threads; head_dim 64 or 128; at most 8 or 16 heads a group

   A warp waits for nobody until its split ends (ring.cuh); the four take turns along the split. The block that ends a sequence's last split merges them. K and V of tokens before the new ones are copied before the kernels ahead in
   this step have ended: none of them writes there.
   Moves 4 * sum(len) * num_kv_heads * head_dim bytes.  64 x 4,096 tokens, 8 KV heads of 128: 1.07 GB -> 0.25 ms at 4.3 TB/s
   [1] Dao et al., "Flash-Decoding", 2023. */
#include "../common/launch.cuh"
#include "ring.cuh"

namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
constexpr int kStages = 2;
#else
constexpr int kStages = 3;
#endif
static_assert(kTileLen == kWarps * kTokensAtOnce);

struct Arguments {
  const __nv_bfloat16* qkv;
  int qkv_cols;
  const __nv_bfloat16* k_cache;
  const __nv_bfloat16* v_cache;
  const int* slot_table;
  int stride;
  const int* row;
  const int* cached_len;
  const int* first_token;
  const int* kv_slot;
  const int* num_new;
  int min_split_len;
  int max_splits;
  int num_heads;
  int num_kv_heads;
  float scale_log2;
  float* mixed;
  float* weight;
  int* num_done;
  __nv_bfloat16* out;
};

/* Adds one, after all that this block has written; returns what was there. */
__device__ __forceinline__ int count_up(int* count) {
  int before;
  asm volatile("atom.acq_rel.gpu.global.add.s32 %0, [%1], 1;" : "=r"(before) : "l"(count) : "memory");
  return before;
}

/* The slot of the sequence's newest token is taken from this step's columns: the table gets it in this step. */
struct Sequence {
  const int* slots;
  int newest_slot;
  int len;

  __device__ __forceinline__ int slot(int token) const { return token == len - 1 ? newest_slot : slots[token]; }
};

template <int kHeadDim, int kTiles>
__device__ __forceinline__ void attend(const Arguments& given) {
  constexpr int kFours = kHeadDim / 4;
  constexpr int kRingNumbers = kStages * Ring<kHeadDim>::kStage;
  static_assert(kTiles * kColumns * Ring<kHeadDim>::kFoundStride * sizeof(float) <= kRingNumbers * sizeof(__nv_bfloat16));
  extern __shared__ __align__(16) __nv_bfloat16 shared[];
  __shared__ Kept<kTiles, kWarps> kept;
  __shared__ bool is_last;
  allow_next();
  int kv_head = blockIdx.x, seq = blockIdx.z, warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  int len = given.cached_len[seq] + 1, num_settled = len - given.num_new[seq];
  int split = split_len(len, given.min_split_len, given.max_splits);
  int num_splits = (len + split - 1) / split;
  if (blockIdx.y >= num_splits) return;
  int group = given.num_heads / given.num_kv_heads;
  size_t newest = given.first_token[seq];
  Sequence sequence{given.slot_table + static_cast<size_t>(given.row[seq]) * given.stride, given.kv_slot[newest], len};
  size_t first_head = static_cast<size_t>(kv_head) * group;
  size_t partial = (static_cast<size_t>(seq) * given.num_heads + first_head) * given.max_splits;
  __nv_bfloat16* out = given.out + (newest * given.num_heads + first_head) * kHeadDim;
  Stream<kHeadDim, kWarps, kStages> stream;
  size_t chunk = kv_head * kHeadDim + lane % stream.kChunks * 8;
  stream.k = given.k_cache + chunk;
  stream.v = given.v_cache + chunk;
  stream.slot_stride = static_cast<size_t>(given.num_kv_heads) * kHeadDim;
  stream.ring = shared + warp * kRingNumbers;

  uint32_t q[kTiles][kHeadDim / 16][2];
  bool has_waited = false;
  for (int s = blockIdx.y; s < num_splits; s += gridDim.y) {
    stream.first = s * split;
    stream.end = min(stream.first + split, len);
    stream.num_steps = (stream.end - stream.first + kWarps * kTokensAtOnce - 1) / (kWarps * kTokensAtOnce);
    int slots[kStages];
#pragma unroll
    for (int i = 0; i < kStages; i++) slots[i] = stream.slot(sequence, i);
    // New tokens' K and V are written by the kernel before this one, and the table's slots of all but the newest in this step too.
    int num_early = 0;
    if (!has_waited) {
#pragma unroll
      for (int i = 0; i < kStages - 1; i++) {
        bool is_early = num_early == i && stream.token(i) + kTokensAtOnce <= num_settled;
        if (is_early) stream.start(i, slots[i]);
        num_early += is_early;
      }
      wait_for_previous();
      has_waited = true;
      if (num_settled < len - 1) {
#pragma unroll
        for (int i = 0; i < kStages; i++) slots[i] = stream.slot(sequence, i);
      }
      load_heads<kHeadDim, kTiles, true>(given.qkv + newest * given.qkv_cols + first_head * kHeadDim, group, q);
    }
#pragma unroll
    for (int i = 0; i < kStages - 1; i++) {
      if (i >= num_early) stream.start(i, slots[i]);
    }
    Findings<kHeadDim, kTiles> found;
    attend_stream(stream, sequence, q, slots[kStages - 1], given.scale_log2, found);
    keep(found, kept, reinterpret_cast<float*>(stream.ring));
    __syncthreads();
    for (int i = threadIdx.x; i < group * kFours; i += kThreads) {
      int head = i / kFours, col = i % kFours * 4;
      const float* mixed = reinterpret_cast<const float*>(shared) + head * Ring<kHeadDim>::kFoundStride + col;
      float all_log2;
      float4 value = merge_warps(kept, mixed, kRingNumbers / 2, head, all_log2);
      if (num_splits == 1) {
        store4(out + head * kHeadDim + col, value);
      } else {
        size_t at = partial + head * given.max_splits + s;
        *reinterpret_cast<float4*>(given.mixed + at * kHeadDim + col) = value;
        if (col == 0) given.weight[at] = all_log2;
      }
    }
    __syncthreads();
  }
  if (num_splits == 1) return;

  if (threadIdx.x == 0) {
    int* num_done = given.num_done + seq * given.num_kv_heads + kv_head;
    is_last = count_up(num_done) == min(static_cast<int>(gridDim.y), num_splits) - 1;
    if (is_last) *num_done = 0;
  }
  __syncthreads();
  for (int i = threadIdx.x; is_last && i < group * kFours; i += kThreads) {
    int head = i / kFours, col = i % kFours * 4;
    size_t at = partial + head * given.max_splits;
    float all_log2;
    float4 value = merge(
        num_splits, [&](int part) { return __ldcg(given.weight + at + part); },
        [&](int part, float factor, float& all) {
          all += factor;
          return __ldcg(reinterpret_cast<const float4*>(given.mixed + (at + part) * kHeadDim + col));
        },
        all_log2);
    store4(out + head * kHeadDim + col, value);
  }
}

}  // namespace

#define DECODE_ATTENTION(HEAD_DIM, MAX_GROUP)                                                                           \
  extern "C" __global__ void __launch_bounds__(kThreads) decode_attention_bf16_##HEAD_DIM##_##MAX_GROUP(                \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* row, const int* cached_len, const int* first_token,                 \
      const int* kv_slot, const int* num_new, int min_split_len, int max_splits, int num_heads, int num_kv_heads,       \
      float scale_log2, float* mixed, float* weight, int* num_done, __nv_bfloat16* out) {                               \
    attend<HEAD_DIM, MAX_GROUP / kColumns>({qkv, qkv_cols, k_cache, v_cache, slot_table, stride, row, cached_len,       \
                                            first_token, kv_slot, num_new, min_split_len, max_splits, num_heads,        \
                                            num_kv_heads, scale_log2, mixed, weight, num_done, out});                   \
  }

DECODE_ATTENTION(64, 8)
DECODE_ATTENTION(64, 16)
DECODE_ATTENTION(128, 8)
DECODE_ATTENTION(128, 16)
