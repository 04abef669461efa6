/* prefill_attention: a chunk of a sequence's tokens attends causally over the slots of all its tokens so far; grouped queries.
   qkv         [num_tokens, qkv_cols]  bf16, q heads first              out  [num_tokens, num_heads * head_dim]  bf16
   k_cache     [num_slots, num_kv_heads, head_dim]  bf16 (v_cache alike), this chunk's K and V included
   slot_table  [rows, stride] int32     row, cached_len, extend_len, first_token  [num_seqs] int32
   tile_seq, tile_index  [num_tiles] int32: the tile's sequence, and which kBlockRows of its rows it is; a row is a pair of token and head
               of the group, token major, so that all the heads of a group share each K and V read
   grid (num_tiles, num_kv_heads) x 256 threads, 8 warps of 16 rows; head_dim 64 or 128
   4 * head_dim flops a pair of row and visible token on tensor cores (mma.sync); K and V are read once a tile.
   8,192 tokens, 32 heads of 128: 0.55 TFLOP a layer.     See tile.cuh for sources. */
#include "tile.cuh"

namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;
constexpr int kBlockRows = kWarps * kRows;
constexpr int kStages = 2;

struct Sequences {
  const int* row;
  const int* cached_len;
  const int* extend_len;
  const int* first_token;
};

template <int kHeadDim>
__device__ __forceinline__ void attend(const __nv_bfloat16* qkv, int qkv_cols, Pages pages, const Sequences& sequences,
                                       int seq, int tile, int num_heads, int num_kv_heads, float scale_log2,
                                       __nv_bfloat16* out) {
  using Shape = TileShape<kHeadDim>;
  extern __shared__ __align__(16) __nv_bfloat16 shared[];
  __nv_bfloat16* k_tiles = shared;
  __nv_bfloat16* v_tiles = shared + kStages * Shape::kNumbers;
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  int group = num_heads / num_kv_heads;
  int cached = sequences.cached_len[seq];
  int num_rows = sequences.extend_len[seq] * group;
  int first_row = tile * kBlockRows;
  int first_token = sequences.first_token[seq];
  int last_token = (min(first_row + kBlockRows, num_rows) - 1) / group;
  int end = cached + last_token + 1;

  // queries, through the space of the tiles: [kBlockRows, kStride]
  static_assert(kBlockRows <= kStages * 2 * kTileLen);
  for (int i = threadIdx.x; i < kBlockRows * Shape::kChunks; i += kThreads) {
    int r = i / Shape::kChunks, chunk = i % Shape::kChunks;
    int flat = first_row + r;
    bool is_live = flat < num_rows;
    int token = is_live ? flat / group : 0, head = blockIdx.y * group + (is_live ? flat % group : 0);
    const __nv_bfloat16* from = qkv + static_cast<size_t>(first_token + token) * qkv_cols + head * kHeadDim + chunk * 8;
    copy_async16(shared_address(shared + r * Shape::kStride + chunk * 8), from, is_live);
  }
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  uint32_t q[kHeadDim / 16][4];
  load_queries<kHeadDim>(shared + warp * kRows * Shape::kStride, q);
  __syncthreads();

  // the thread's two rows see tokens below these
  int visible[2];
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int flat = first_row + warp * kRows + lane / 4 + 8 * i;
    visible[i] = flat < num_rows ? cached + flat / group + 1 : 0;
  }
  int first_masked = cached + first_row / group + 1;  // tokens below are visible to every row

  Softmax<kHeadDim> softmax;
  float mixed[kHeadDim / 8][4] = {};
  int num_tiles = (end + kTileLen - 1) / kTileLen;
  start_tile<kHeadDim, kThreads>(pages, 0, end, k_tiles, v_tiles);
  for (int t = 0; t < num_tiles; t++) {
    int stage = t % kStages;
    if (t + 1 < num_tiles) {
      int next = (t + 1) % kStages * Shape::kNumbers;
      start_tile<kHeadDim, kThreads>(pages, (t + 1) * kTileLen, end, k_tiles + next, v_tiles + next);
      wait_copies<1>();
    } else {
      wait_copies<0>();
    }
    __syncthreads();
    const __nv_bfloat16* k_tile = k_tiles + stage * Shape::kNumbers;
    const __nv_bfloat16* v_tile = v_tiles + stage * Shape::kNumbers;
    constexpr int kParts = kTileLen / kTokensAtOnce;
    float scores[2 * kParts][4] = {};
#pragma unroll
    for (int part = 0; part < kParts; part++) {
      score<kHeadDim>(q, k_tile + part * kTokensAtOnce * Shape::kStride,
                      *reinterpret_cast<float(*)[2][4]>(scores[2 * part]));
    }
    bool is_masked = (t + 1) * kTileLen > first_masked;
#pragma unroll
    for (int n = 0; n < 2 * kParts; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        int token = t * kTileLen + n * 8 + lane % 4 * 2 + i % 2;
        scores[n][i] = is_masked && token >= visible[i / 2] ? -INFINITY : scores[n][i] * scale_log2;
      }
    }
    softmax.take(scores, mixed);
#pragma unroll
    for (int part = 0; part < kParts; part++) {
      mix<kHeadDim>(*reinterpret_cast<float(*)[2][4]>(scores[2 * part]), v_tile + part * kTokensAtOnce * Shape::kStride,
                    mixed);
    }
    __syncthreads();
  }

  softmax.finish();
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int flat = first_row + warp * kRows + lane / 4 + 8 * i;
    if (flat < num_rows) {
      float factor = 1.0f / softmax.sum[i];
      __nv_bfloat16* to = out + static_cast<size_t>(first_token + flat / group) * num_heads * kHeadDim +
                          (blockIdx.y * group + flat % group) * kHeadDim + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < kHeadDim / 8; n++) {
        *reinterpret_cast<__nv_bfloat162*>(to + n * 8) =
            __floats2bfloat162_rn(mixed[n][2 * i] * factor, mixed[n][2 * i + 1] * factor);
      }
    }
  }
}

}  // namespace

#define PREFILL_ATTENTION(HEAD_DIM)                                                                                     \
  extern "C" __global__ void __launch_bounds__(kThreads) prefill_attention_bf16_##HEAD_DIM(                             \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* row, const int* cached_len, const int* extend_len,                  \
      const int* first_token, const int* tile_seq, const int* tile_index, int num_heads, int num_kv_heads,              \
      float scale_log2, __nv_bfloat16* out) {                                                                           \
    int place = blockIdx.x; /* those that see most come first, so that no long one is left at the end */                \
    int seq = tile_seq[place];                                                                                          \
    Pages pages{k_cache + blockIdx.y * HEAD_DIM, v_cache + blockIdx.y * HEAD_DIM,                                       \
                slot_table + static_cast<size_t>(row[seq]) * stride, static_cast<size_t>(num_kv_heads) * HEAD_DIM};     \
    attend<HEAD_DIM>(qkv, qkv_cols, pages, Sequences{row, cached_len, extend_len, first_token}, seq, tile_index[place], \
                     num_heads, num_kv_heads, scale_log2, out);                                                         \
  }

PREFILL_ATTENTION(64)
PREFILL_ATTENTION(128)
