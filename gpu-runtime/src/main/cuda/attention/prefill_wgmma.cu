/* prefill_wgmma: prefill_attention for Hopper: the same function and arguments, and the number of tiles; products of warp groups.
   grid (at most num_tiles * num_kv_heads, meant: one a multiprocessor) x 384 threads; head_dim 64 or 128
   counts: two zeros, which it leaves behind.     heads_at_once: a divisor of num_kv_heads, for speed only
   An item is a tile of 128 rows and a KV head; each block takes the next one when it gets there, those that see most tokens first. Two warp groups
   of 64 rows each multiply with tiles of 128 tokens, queries in registers; a third one copies queries, K and V into a ring, an item ahead, and
   never waits for what it copies. A group's scores of the next tile, or of the next item's first, are multiplied together with this one's values;
   their softmax is taken while its values and the other group's products run. The groups start their products in turns.
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
#include "walk.cuh"
#include "walk_copy.cuh"

namespace {

template <int kHeadDim>
__device__ __forceinline__ void start_scores(const uint32_t (&queries)[kHeadDim / 16][4], uint32_t keys,
                                             float (&scores)[kTileLen / 2]) {
  pin(scores);
  begin_products();
#pragma unroll
  for (int k = 0; k < kHeadDim / 16; k++) {
    multiply_n128<true>(scores, queries[k], matrix_at(keys + k / 4 * kSubTileBytes + k % 4 * 32, kSubTileBytes), k > 0);
  }
  commit_products();
}

/* out (+)= weights . values of a tile; eight rows of a sub-tile are 1,024 bytes. */
template <int kHeadDim>
__device__ __forceinline__ void start_values(const uint32_t (&weights)[kTileLen / 16][4], uint32_t values, bool is_added,
                                             float (&out)[kHeadDim / 2]) {
  pin(out);
  begin_products();
#pragma unroll
  for (int k = 0; k < kTileLen / 16; k++) {
    uint64_t b = matrix_at(values + k * 2 * 1024, kSubTileBytes);
    if constexpr (kHeadDim == 128) {
      multiply_n128<false>(out, weights[k], b, k > 0 || is_added);
    } else {
      multiply_n64(out, weights[k], b, k > 0 || is_added);
    }
  }
  commit_products();
}

/* Running softmax of the thread's two rows, lane / 4 and lane / 4 + 8 of its warp's 16. */
struct Rows {
  int visible[2];  // tokens below
  float max[2], sum[2];  // sum of this thread's columns
  float factor[2];       // of what was mixed before

  __device__ __forceinline__ void start(const Item& item, int first_row, int group) {
#pragma unroll
    for (int row = 0; row < 2; row++) {
      int flat = item.first_row + first_row + 8 * row;
      visible[row] = flat < item.num_rows ? item.cached + flat / group + 1 : 0;
      max[row] = -INFINITY;
      sum[row] = 0;
    }
  }

  __device__ __forceinline__ void mask(float (&scores)[kTileLen / 2], int first_token) {
    int col = first_token + threadIdx.x % 4 * 2;
#pragma unroll
    for (int i = 0; i < kTileLen / 2; i++) {
      if (col + i / 4 * 8 + i % 2 >= visible[i / 2 % 2]) scores[i] = -INFINITY;
    }
  }

  /* Turns a tile's scores into weights. */
  __device__ __forceinline__ void take(float (&scores)[kTileLen / 2], float scale_log2) {
#pragma unroll
    for (int row = 0; row < 2; row++) {
      float top[2] = {max[row], -INFINITY}, added[2] = {0, 0};
#pragma unroll
      for (int i = 0; i < kTileLen / 4; i++) top[i % 2] = fmaxf(top[i % 2], scores[i / 2 * 4 + row * 2 + i % 2]);
      float now = fmaxf(top[0], top[1]);
      now = fmaxf(now, __shfl_xor_sync(kFullMask, now, 1));
      now = fmaxf(now, __shfl_xor_sync(kFullMask, now, 2));
      float base = now == -INFINITY ? 0.0f : __fmul_rn(now, scale_log2);  // a row without any token so far
      // Not fused, so that the factor is 1 where the maximum stays: a row's bits must not depend on tiles that it doesn't see.
      factor[row] = exp2_fast(__fsub_rn(__fmul_rn(max[row], scale_log2), base));
      max[row] = now;
#pragma unroll
      for (int i = 0; i < kTileLen / 4; i++) {
        float& score = scores[i / 2 * 4 + row * 2 + i % 2];
        score = exp2_fast(fmaf(score, scale_log2, -base));
        added[i % 2] += score;
      }
      sum[row] = sum[row] * factor[row] + (added[0] + added[1]);
    }
  }
};

/* Divides by the sums and writes the warp's 16 rows, by way of the space of their queries, which nobody reads any more. */
template <int kHeadDim>
__device__ __forceinline__ void write_rows(const Inputs& in, const Item& item, const float (&out)[kHeadDim / 2],
                                           const float (&sums)[2], int warp_row, uint32_t space) {
  using S = Shape<kHeadDim>;
  constexpr int kRowsAtOnce = kWarp / S::kChunks;
  int lane = threadIdx.x % kWarp, group = in.num_heads / in.num_kv_heads;
  float factor[2];
#pragma unroll
  for (int row = 0; row < 2; row++) {
    float sum = sums[row];
    sum += __shfl_xor_sync(kFullMask, sum, 1);
    sum += __shfl_xor_sync(kFullMask, sum, 2);
    factor[row] = reciprocal_fast(sum);
  }
  int matrix = lane / 8;
#pragma unroll
  for (int n = 0; n < kHeadDim / 8; n += 2) {
    uint32_t four[4];
#pragma unroll
    for (int i = 0; i < 4; i++) four[i] = pack(out[n * 4 + i * 2] * factor[i % 2], out[n * 4 + i * 2 + 1] * factor[i % 2]);
    int chunk = n + matrix / 2;
    store_matrix4(space + chunk / 8 * kSubTileBytes + swizzled(warp_row + matrix % 2 * 8 + lane % 8, chunk % 8), four);
  }
  __syncwarp();
  int flat = item.first_row + warp_row + lane % 16, chunk = lane % S::kChunks;
  int own_place = flat < item.num_rows
                      ? (item.first_token + flat / group) * in.num_heads + item.head * group + flat % group
                      : -1;
#pragma unroll
  for (int first = 0; first < 16; first += kRowsAtOnce) {
    int row = first + lane / S::kChunks, place = __shfl_sync(kFullMask, own_place, row);
    uint4 numbers = load_shared16(space + chunk / 8 * kSubTileBytes + swizzled(warp_row + row, chunk % 8));
    if (place >= 0) *reinterpret_cast<uint4*>(in.out + static_cast<size_t>(place) * kHeadDim + chunk * 8) = numbers;
  }
}

/* One of the two warp groups that multiply. */
template <int kHeadDim>
struct Multiplier {
  using S = Shape<kHeadDim>;
  const Inputs& in;
  const int* items;
  uint32_t shared;
  Barriers barriers;
  RingPlace place;
  int warp_group = threadIdx.x / kGroup;
  int group = in.num_heads / in.num_kv_heads;
  int num_tiles, first_masked;  // of the item whose scores come next
  Rows rows;
  float scores[kTileLen / 2];
  float out[kHeadDim / 2];
  uint32_t queries[kHeadDim / 16][4];
  uint32_t weights[kTileLen / 16][4];

  __device__ __forceinline__ int warp_row() const { return threadIdx.x / kWarp * 16; }
  __device__ __forceinline__ uint32_t space(int round) const {
    return shared + S::kQueries + round % kItemBuffers * S::kTileBytes;
  }

  /* Whether there is such an item. Queries go to registers: products then read half as much of shared memory for scores. */
  __device__ __forceinline__ bool open(int round) {
    wait_barrier(barriers.is_item_full(round % kItemBuffers), round / kItemBuffers % 2);
    __syncwarp();  // a thread may leave a wait before its neighbours
    Item item;
    item.read(items + round % kItemBuffers * Item::kInts);
    if (item.end == 0) return false;
    int lane = threadIdx.x % kWarp;
    rows.start(item, warp_row() + lane / 4, group);
    first_masked = item.cached + item.first_row / group + 1;  // tokens below are visible to every row
    num_tiles = (item.end + kTileLen - 1) / kTileLen;
#pragma unroll
    for (int k = 0; k < kHeadDim / 16; k++) {
      int chunk = k * 2 + lane / 16;
      load_matrix4(queries[k], space(round) + chunk / 8 * kSubTileBytes + swizzled(warp_row() + lane % 16, chunk % 8));
    }
    return true;
  }

  /* The next tile of the ring, once it is there. */
  __device__ __forceinline__ int await_tile() {
    int buffer = place.buffer;
    wait_barrier(barriers.is_full(buffer), place.phase);
    __syncwarp();
    publish_to_products();
    place.advance();
    return buffer;
  }

  __device__ __forceinline__ void release(uint32_t barrier) const {
    if (threadIdx.x % kWarp == 0) arrive(barrier);
  }

  __device__ __forceinline__ void take_scores(int tile) {
    if ((tile + 1) * kTileLen > first_masked) rows.mask(scores, tile * kTileLen);
    rows.take(scores, in.scale_log2);
  }

  __device__ __forceinline__ void to_weights() {
#pragma unroll
    for (int i = 0; i < kTileLen / 4; i++) weights[i / 4][i % 4] = pack(scores[2 * i], scores[2 * i + 1]);
  }

  __device__ __forceinline__ void begin() {
    open(0);
    if (warp_group == 1) pass_turn(warp_group);
    int keys = await_tile();
    await_turn(warp_group);
    start_scores<kHeadDim>(queries, shared + S::kRing + keys * S::kTileBytes, scores);
    pass_turn(warp_group);
    wait_products<0>();
    pin(scores);
    release(barriers.is_free(keys));
    take_scores(0);
    to_weights();
  }

  /* This tile's values and the next one's scores. */
  __device__ __forceinline__ void step(int next_tile, bool is_first) {
    int keys = await_tile();
    await_turn(warp_group);
    start_scores<kHeadDim>(queries, shared + S::kRing + keys * S::kTileBytes, scores);
    int values = await_tile();
    start_values<kHeadDim>(weights, shared + S::kRing + values * S::kTileBytes, !is_first, out);
    pass_turn(warp_group);
    wait_products<1>();
    pin(scores);
    release(barriers.is_free(keys));
    take_scores(next_tile);
    hold_until(rows.sum);
    wait_products<0>();
    pin(out);
    pin(weights);
    release(barriers.is_free(values));
  }

  /* The last values of all. */
  __device__ __forceinline__ void end(bool is_first) {
    int values = await_tile();
    await_turn(warp_group);
    start_values<kHeadDim>(weights, shared + S::kRing + values * S::kTileBytes, !is_first, out);
    if (warp_group == 0) pass_turn(warp_group);
    wait_products<0>();
    pin(out);
  }

  __device__ __forceinline__ void close(int round, const float (&sums)[2]) {
    int buffer = round % kItemBuffers;
    Item item;
    item.read(items + buffer * Item::kInts);
    write_rows<kHeadDim>(in, item, out, sums, warp_row(), space(round));
    __syncwarp();
    release(barriers.is_item_free(buffer));
  }

  __device__ __forceinline__ void run() {
    begin();
    int round = 0, tile = 0;
    while (true) {
      bool is_last = tile + 1 == num_tiles;
      float sums[2] = {rows.sum[0], rows.sum[1]};
      if (is_last && !open(round + 1)) {
        end(tile == 0);
        close(round, sums);
        return;
      }
      step(is_last ? 0 : tile + 1, tile == 0);
      if (is_last) {
        close(round, sums);
        round++;
        tile = 0;
      } else {
        // Multiplying by 1 changes no bit.
        if (__any_sync(kFullMask, rows.factor[0] != 1.0f || rows.factor[1] != 1.0f)) {
#pragma unroll
          for (int i = 0; i < kHeadDim / 2; i++) out[i] *= rows.factor[i / 2 % 2];
        }
        tile++;
      }
      to_weights();
    }
  }
};

template <int kHeadDim>
__device__ __forceinline__ void run(const Inputs& in) {
  extern __shared__ unsigned char memory[];
  uint32_t shared = (shared_address(memory) + kAlignment - 1) / kAlignment * kAlignment;
  int* items = reinterpret_cast<int*>(memory + (shared - shared_address(memory)) + Shape<kHeadDim>::kItems);
  Barriers barriers{shared + Shape<kHeadDim>::kBarriers};
  if (threadIdx.x == 0) barriers.init();
  __syncthreads();
  if (threadIdx.x >= kMultiplying * kGroup) {
    give_registers<56>();
    Copier<kHeadDim>{shared, barriers}.run(in, items);
  } else {
    take_registers<224>();
    Multiplier<kHeadDim>{in, items, shared, barriers}.run();
  }
}

}  // namespace

#define PREFILL_WGMMA(HEAD_DIM)                                                                                         \
  extern "C" __global__ void __launch_bounds__(kThreads, 1) prefill_wgmma_bf16_##HEAD_DIM(                              \
      const __nv_bfloat16* qkv, int qkv_cols, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,               \
      const int* slot_table, int stride, const int* row, const int* cached_len, const int* extend_len,                  \
      const int* first_token, const int* tile_seq, const int* tile_index, int num_tiles, int num_heads,                 \
      int num_kv_heads, int heads_at_once, float scale_log2, unsigned* counts, __nv_bfloat16* out) {                    \
    run<HEAD_DIM>(Inputs{qkv, qkv_cols, k_cache, v_cache, slot_table, stride, row, cached_len, extend_len, first_token, \
                         tile_seq, tile_index, num_tiles, num_heads, num_kv_heads, heads_at_once, scale_log2, counts,   \
                         out});                                                                                         \
  }

PREFILL_WGMMA(64)
PREFILL_WGMMA(128)

#endif
