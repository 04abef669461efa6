/* decode_attention: one query token per sequence attends over its KV slots; grouped queries; split along the sequence [1].
   qkv         [num_tokens, qkv_cols]  bf16, q heads first       out  [num_tokens, num_heads * head_dim]  bf16
   k_cache     [num_slots, num_kv_heads, head_dim]  bf16 (v_cache alike), this step's K and V included
   slot_table  [rows, stride] int32     row, cached_len, first_token  [num_seqs] int32; the sequence has cached_len + 1 tokens, of which
   those from first_position[seq] on are attended to, or all if that is null     kv_slot  [num_tokens] int32, the newest tokens' slots
   num_new     [num_seqs] int32: tokens at the sequence's end whose K, V and slots come in this step, one at least
   max_splits  of at least about min_split_len tokens each: how a sequence is split decides its result's last bits
   mixed       [num_seqs, num_heads, max_splits, head_dim] fp32: values of splits     weight  [num_seqs, num_heads, max_splits] fp32: log2
   of their weights     num_done  [num_seqs, num_kv_heads] int32, zeros before and after
   grid (num_kv_heads, split walkers, num_seqs) x 128 threads; head_dim 64 or 128; at most 8 or 16 heads a group

   A warp copies, 16 tokens at a time, into a ring of its own and waits for nobody until its split ends; the four take turns along the
   split. Heads are the columns of all products, so 8 of them are one tile: scores are K q, values V^T weights, and weights change sides by
   movmatrix. The block that ends a sequence's last split merges them. K and V of tokens before the new ones are copied before the kernels ahead in
   this step have ended: none of them writes there.
   Moves 4 * sum(len) * num_kv_heads * head_dim bytes.  64 x 4,096 tokens, 8 KV heads of 128: 1.07 GB -> 0.25 ms at 4.3 TB/s
   [1] Dao et al., "Flash-Decoding", 2023. */
#include "../common/launch.cuh"
#include "tile.cuh"

namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kColumns = 8;  // heads of a product
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
constexpr int kStages = 2;
#else
constexpr int kStages = 3;
#endif
static_assert(kTileLen == kWarps * kTokensAtOnce);

template <int kHeadDim>
struct Ring {
  static constexpr int kStride = TileShape<kHeadDim>::kStride;
  static constexpr int kValues = kTokensAtOnce * kStride;      // where a stage's V begins
  static constexpr int kStage = 2 * kTokensAtOnce * kStride;   // numbers
  static constexpr int kFoundStride = kHeadDim + 4;            // floats of a head: heads of a thread's neighbours in different banks
};

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
  const int* first_position;
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

/* Tokens of each split but the last, a multiple of kTileLen. */
__device__ __forceinline__ int split_len(int len, int min_split_len, int max_splits) {
  int num_splits = max(1, min(max_splits, len / min_split_len));
  int least = (len + num_splits - 1) / num_splits;
  return (least + kTileLen - 1) / kTileLen * kTileLen;
}

__device__ __forceinline__ uint32_t transpose8(uint32_t pair) {
  uint32_t other;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(other) : "r"(pair));
  return other;
}

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

/* A warp's tokens of one split, in steps of 16, and its ring of K and V. */
template <int kHeadDim>
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

/* Query heads as right operands; what lies behind the group is zero. */
template <int kHeadDim, int kTiles>
__device__ __forceinline__ void load_heads(const __nv_bfloat16* heads, int group,
                                           uint32_t (&q)[kTiles][kHeadDim / 16][2]) {
  int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int t = 0; t < kTiles; t++) {
    int head = t * kColumns + lane / 4;
    const uint32_t* from = reinterpret_cast<const uint32_t*>(heads + head * kHeadDim) + lane % 4;
#pragma unroll
    for (int k = 0; k < kHeadDim / 16; k++) {
      q[t][k][0] = head < group ? from[k * 8] : 0;
      q[t][k][1] = head < group ? from[k * 8 + 4] : 0;
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

/* Findings of the four warps, side by side in shared memory. */
template <int kHeadDim, int kTiles>
struct Kept {
  float max[kWarps][kTiles * kColumns];
  float sum[kWarps][kTiles * kColumns];
};

template <int kHeadDim, int kTiles>
__device__ __forceinline__ void keep(Findings<kHeadDim, kTiles>& found, Kept<kHeadDim, kTiles>& kept, float* mixed) {
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

__device__ __forceinline__ void store4(__nv_bfloat16* to, float4 value) {
  reinterpret_cast<__nv_bfloat162*>(to)[0] = __floats2bfloat162_rn(value.x, value.y);
  reinterpret_cast<__nv_bfloat162*>(to)[1] = __floats2bfloat162_rn(value.z, value.w);
}

template <int kHeadDim, int kTiles>
__device__ __forceinline__ void attend(const Arguments& given) {
  constexpr int kFours = kHeadDim / 4;
  constexpr int kRingNumbers = kStages * Ring<kHeadDim>::kStage;
  static_assert(kTiles * kColumns * Ring<kHeadDim>::kFoundStride * sizeof(float) <= kRingNumbers * sizeof(__nv_bfloat16));
  extern __shared__ __align__(16) __nv_bfloat16 shared[];
  __shared__ Kept<kHeadDim, kTiles> kept;
  __shared__ bool is_last;
  allow_next();
  int kv_head = blockIdx.x, seq = blockIdx.z, warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  int len = given.cached_len[seq] + 1, num_settled = len - given.num_new[seq];
  int begin = given.first_position ? given.first_position[seq] : 0;
  int split = split_len(len - begin, given.min_split_len, given.max_splits);
  int num_splits = (len - begin + split - 1) / split;
  if (blockIdx.y >= num_splits) return;
  int group = given.num_heads / given.num_kv_heads;
  size_t newest = given.first_token[seq];
  Sequence sequence{given.slot_table + static_cast<size_t>(given.row[seq]) * given.stride, given.kv_slot[newest], len};
  size_t first_head = static_cast<size_t>(kv_head) * group;
  size_t partial = (static_cast<size_t>(seq) * given.num_heads + first_head) * given.max_splits;
  __nv_bfloat16* out = given.out + (newest * given.num_heads + first_head) * kHeadDim;
  Stream<kHeadDim> stream;
  size_t chunk = kv_head * kHeadDim + lane % Stream<kHeadDim>::kChunks * 8;
  stream.k = given.k_cache + chunk;
  stream.v = given.v_cache + chunk;
  stream.slot_stride = static_cast<size_t>(given.num_kv_heads) * kHeadDim;
  stream.ring = shared + warp * kRingNumbers;

  uint32_t q[kTiles][kHeadDim / 16][2];
  bool has_waited = false;
  for (int s = blockIdx.y; s < num_splits; s += gridDim.y) {
    stream.first = begin + s * split;
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
      load_heads<kHeadDim, kTiles>(given.qkv + newest * given.qkv_cols + first_head * kHeadDim, group, q);
    }
#pragma unroll
    for (int i = 0; i < kStages - 1; i++) {
      if (i >= num_early) stream.start(i, slots[i]);
    }
    int next_slots = slots[kStages - 1];
    Findings<kHeadDim, kTiles> found;
    found.clear();
    for (int step = 0; step < stream.num_steps; step++) {
      wait_copies<kStages - 2>();
      __syncwarp();
      stream.start(step + kStages - 1, next_slots);
      next_slots = stream.slot(sequence, step + kStages);
      attend_step<kHeadDim, kTiles>(q, stream.rows(step), stream.token(step), stream.end, given.scale_log2, found);
      __syncwarp();
    }
    wait_copies<0>();
    keep(found, kept, reinterpret_cast<float*>(stream.ring));
    __syncthreads();
    for (int i = threadIdx.x; i < group * kFours; i += kThreads) {
      int head = i / kFours, col = i % kFours * 4;
      const float* mixed = reinterpret_cast<const float*>(shared) + head * Ring<kHeadDim>::kFoundStride + col;
      float all_log2;
      float4 value = merge(
          kWarps, [&](int w) { return kept.max[w][head]; },
          [&](int w, float factor, float& all) {
            all += factor * kept.sum[w][head];
            return *reinterpret_cast<const float4*>(mixed + w * kRingNumbers / 2);
          },
          all_log2);
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
      const int* kv_slot, const int* first_position, const int* num_new, int min_split_len, int max_splits,             \
      int num_heads, int num_kv_heads, float scale_log2, float* mixed, float* weight, int* num_done,                    \
      __nv_bfloat16* out) {                                                                                             \
    attend<HEAD_DIM, MAX_GROUP / kColumns>({qkv, qkv_cols, k_cache, v_cache, slot_table, stride, row, cached_len,       \
                                            first_token, kv_slot, first_position, num_new, min_split_len, max_splits,   \
                                            num_heads, num_kv_heads, scale_log2, mixed, weight, num_done, out});        \
  }

DECODE_ATTENTION(64, 8)
DECODE_ATTENTION(64, 16)
DECODE_ATTENTION(128, 8)
DECODE_ATTENTION(128, 16)
