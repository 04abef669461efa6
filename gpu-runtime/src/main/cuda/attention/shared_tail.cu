/* shared_tail: what shared_attention leaves to each sequence: one query token attends over the slots from shared_len on, which are few; grouped
   queries; split along the sequence [1]. shared_tail_join adds up a row's splits and its records of segments.
   qkv         [num_tokens, qkv_cols]  bf16, q heads first       out  [num_tokens, num_heads * head_dim]  bf16
   k_cache     [num_slots, num_kv_heads, head_dim]  bf16 (v_cache alike), this step's K and V included
   slot_table  [rows, stride] int32     row, cached_len, shared_len, first_token  [num_seqs] int32; tokens [shared_len, cached_len + 1) are read
   partial     [num_seqs, num_heads, kMaxSplits, head_dim + 1] fp32: mixed values and log2 of the weight
   first_record, num_records  [num_seqs] int32: where in `record` the row's records are; values, weights: see shared_attention.cu
   grid (num_seqs, num_kv_heads, any number of split walkers) x 128 threads, 4 warps that take turns of 16 tokens; head_dim 64 or 128;
   at most 16 heads a group. The join: grid (num_seqs, num_heads / 4) x 128 threads, a warp a head. A row without records and with one split
   is written at once.
   Moves 4 * sum(cached_len + 1 - shared_len) * num_kv_heads * head_dim bytes.  256 x 128 tokens, 8 KV heads of 128: 134 MB -> 32 us at 4.2 TB/s
   [1] Dao et al., "Flash-Decoding", 2023. */
#include "tile.cuh"

namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarp;
constexpr int kStages = 2;
constexpr int kMinSplitLen = 256;
constexpr int kMaxSplits = 8;
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
__device__ __forceinline__ void attend(const __nv_bfloat16* q_heads, const Pages& pages, int len, bool is_all,
                                       int group, float scale_log2, float* partial, __nv_bfloat16* out) {
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
      if (num_splits == 1 && is_all) {
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

/* All parts of a row's head as one, by a warp: splits of what the row has for itself, and its records of segments, which hold values
   [num_heads, head_dim] and weights [num_heads]. */
template <int kHeadDim>
__device__ __forceinline__ void join(const float* partial, int len, const int* record, int num_records,
                                     const float* values, const float* weights, int num_heads, int head,
                                     __nv_bfloat16* out) {
  constexpr int kNumbers = kHeadDim / kWarp;  // of a lane
  int lane = threadIdx.x % kWarp;
  int split = split_len(len);
  int num_splits = (len + split - 1) / split;
  if (num_splits == 1 && num_records == 0) return;
  float top = -INFINITY, sum = 0;
  float value[kNumbers] = {};
  for (int base = 0; base < num_splits + num_records; base += kWarp) {
    // weights, a part each lane
    int part = base + lane;
    const float* from = nullptr;
    float weight_log2 = -INFINITY;
    if (part < num_splits) {
      from = partial + part * (kHeadDim + 1);
      weight_log2 = from[kHeadDim];
    } else if (part < num_splits + num_records) {
      size_t at = static_cast<size_t>(record[part - num_splits]) * num_heads + head;
      from = values + at * kHeadDim;
      weight_log2 = weights[at];
    }
    float next = fmaxf(top, warp_max(weight_log2));
    float factor = exp2f(top - next), weight = exp2f(weight_log2 - next);
    top = next;
    sum = sum * factor + warp_sum(weight);
#pragma unroll
    for (int i = 0; i < kNumbers; i++) value[i] *= factor;
    // values, all lanes together
    int num_parts = min(kWarp, num_splits + num_records - base);
#pragma unroll 4
    for (int p = 0; p < num_parts; p++) {
      const float* at = reinterpret_cast<const float*>(
          __shfl_sync(kFullMask, reinterpret_cast<unsigned long long>(from), p));
      float of_part = __shfl_sync(kFullMask, weight, p);
#pragma unroll
      for (int i = 0; i < kNumbers; i++) value[i] += of_part * at[i * kWarp + lane];
    }
  }
#pragma unroll
  for (int i = 0; i < kNumbers; i++) out[i * kWarp + lane] = __float2bfloat16(value[i] / sum);
}

}  // namespace

#define SHARED_TAIL(HEAD_DIM)                                                                                           \
  extern "C" __global__ void __launch_bounds__(kThreads) shared_tail_bf16_##HEAD_DIM(                                   \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* row, const int* cached_len, const int* first_token, int num_heads,  \
      int num_kv_heads, float scale_log2, float* partial, __nv_bfloat16* out, const int* shared_len) {                  \
    int seq = blockIdx.x, group = num_heads / num_kv_heads, shared = shared_len[seq];                                   \
    Pages pages{k_cache + blockIdx.y * HEAD_DIM, v_cache + blockIdx.y * HEAD_DIM,                                       \
                slot_table + static_cast<size_t>(row[seq]) * stride + shared,                                           \
                static_cast<size_t>(num_kv_heads) * HEAD_DIM};                                                          \
    size_t head = blockIdx.y * group, token = first_token[seq];                                                         \
    attend<HEAD_DIM>(qkv + token * qkv_cols + head * HEAD_DIM, pages, cached_len[seq] + 1 - shared, shared == 0, group, \
                     scale_log2,                                                                                        \
                     partial + (seq * static_cast<size_t>(num_heads) + head) * kMaxSplits * (HEAD_DIM + 1),             \
                     out + (token * num_heads + head) * HEAD_DIM);                                                      \
  }                                                                                                                     \
  extern "C" __global__ void __launch_bounds__(kThreads) shared_tail_join_bf16_##HEAD_DIM(                              \
      const float* partial, const int* cached_len, const int* shared_len, const int* first_token,                       \
      const int* first_record, const int* num_records, const int* record, const float* values, const float* weights,    \
      int num_heads, __nv_bfloat16* out) {                                                                              \
    size_t seq = blockIdx.x;                                                                                            \
    int head = blockIdx.y * kWarps + threadIdx.x / kWarp;                                                               \
    if (head >= num_heads) return;                                                                                      \
    join<HEAD_DIM>(partial + (seq * num_heads + head) * kMaxSplits * (HEAD_DIM + 1),                                    \
                   cached_len[seq] + 1 - shared_len[seq], record + first_record[seq], num_records[seq], values, weights, \
                   num_heads, head, out + (first_token[seq] * static_cast<size_t>(num_heads) + head) * HEAD_DIM);       \
  }

SHARED_TAIL(64)
SHARED_TAIL(128)
