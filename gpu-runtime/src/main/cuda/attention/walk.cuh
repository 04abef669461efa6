/* What blocks of prefill_wgmma share: their inputs, the items that they walk over, and what lies where in shared memory. */
#pragma once

#include <cuda_bf16.h>

#include "warp_groups.cuh"

constexpr int kItemBuffers = 2;
constexpr int kRingBuffers = 5;

/* The kernel's arguments, as in prefill_attention. */
struct Inputs {
  const __nv_bfloat16* qkv;
  int qkv_cols;
  const __nv_bfloat16 *k_cache, *v_cache;
  const int* slot_table;
  int stride;
  const int *row, *cached_len, *extend_len, *first_token, *tile_seq, *tile_index;
  int num_tiles, num_heads, num_kv_heads, heads_at_once;
  float scale_log2;
  unsigned* counts;
  __nv_bfloat16* out;
  __device__ __forceinline__ int num_items() const { return num_tiles * num_kv_heads; }

  /* What comes after the items that the blocks begin with. One thread of a block. */
  __device__ __forceinline__ int take_item() const { return static_cast<int>(gridDim.x + atomicAdd(counts, 1)); }

  /* The block takes no more items; the last one leaves the counts as they were. */
  __device__ __forceinline__ void take_no_more() const {
    if (atomicInc(counts + 1, gridDim.x - 1) == gridDim.x - 1) atomicExch(counts, 0);
  }
};

/* A tile of rows, a row being a token and a head of its group, and a KV head. */
struct Item {
  static constexpr int kInts = 8, kIndex = 7;  // in shared memory; where its index is passed on
  const int* slots;
  int cached, first_token, first_row, num_rows, end, head;

  /* For those that multiply. */
  __device__ __forceinline__ void write(int* to) const {
    to[0] = cached, to[1] = first_token, to[2] = first_row, to[3] = num_rows, to[4] = end, to[5] = head;
  }

  __device__ __forceinline__ void read(const int* from) {
    cached = from[0], first_token = from[1], first_row = from[2], num_rows = from[3], end = from[4], head = from[5];
  }
};

/* The tiles in their order, each with some heads, then with the next ones: K and V of those few stay in the second level cache. */
__device__ __forceinline__ Item read_item(const Inputs& in, int index) {
  Item item;
  item.end = 0;  // none: there are no more
  if (index >= in.num_items()) return item;
  int part = index / (in.num_tiles * in.heads_at_once), rest = index % (in.num_tiles * in.heads_at_once);
  int tile = rest / in.heads_at_once, seq = in.tile_seq[tile], group = in.num_heads / in.num_kv_heads;
  item.slots = in.slot_table + static_cast<size_t>(in.row[seq]) * in.stride;
  item.cached = in.cached_len[seq];
  item.first_token = in.first_token[seq];
  item.first_row = in.tile_index[tile] * kBlockRows;
  item.num_rows = in.extend_len[seq] * group;
  item.end = item.cached + (min(item.first_row + kBlockRows, item.num_rows) - 1) / group + 1;
  item.head = part * in.heads_at_once + rest % in.heads_at_once;
  return item;
}

template <int kHeadDim>
struct Shape {
  static constexpr int kSubTiles = kHeadDim / 64;
  static constexpr int kTileBytes = kSubTiles * kSubTileBytes;
  static constexpr int kChunks = kHeadDim / 8;  // of 16 bytes in a row
  static constexpr int kQueries = 0;
  static constexpr int kRing = kItemBuffers * kTileBytes;
  static constexpr int kBarriers = kRing + kRingBuffers * kTileBytes;
  static constexpr int kItems = kBarriers + 2 * (kRingBuffers + kItemBuffers) * 8;
  static constexpr int kExtraBytes = 2048;  // barriers, items, and what the alignment may skip
  static_assert(kItems % 16 == 0);
  static_assert(kItems - kBarriers + kItemBuffers * Item::kInts * sizeof(int) + kAlignment <= kExtraBytes);
};

/* Barriers in shared memory, of 8 bytes: whether a tile of the ring, or an item and its queries, are there; whether they may be overwritten. */
struct Barriers {
  uint32_t base;
  __device__ __forceinline__ uint32_t is_full(int buffer) const { return base + buffer * 8; }
  __device__ __forceinline__ uint32_t is_free(int buffer) const { return is_full(kRingBuffers + buffer); }
  __device__ __forceinline__ uint32_t is_item_full(int buffer) const { return is_full(2 * kRingBuffers + buffer); }
  __device__ __forceinline__ uint32_t is_item_free(int buffer) const {
    return is_full(2 * kRingBuffers + kItemBuffers + buffer);
  }

  __device__ __forceinline__ void init() const {
    constexpr int kWarpsMultiplying = kMultiplying * kGroup / 32;
    for (int i = 0; i < kRingBuffers; i++) {
      init_barrier(is_full(i), kGroup);
      init_barrier(is_free(i), kWarpsMultiplying);
    }
    for (int i = 0; i < kItemBuffers; i++) {
      init_barrier(is_item_full(i), kGroup + 1);
      init_barrier(is_item_free(i), kWarpsMultiplying);
    }
  }
};

/* Where in the ring, and how often around it. */
struct RingPlace {
  int buffer = 0, phase = 0;
  __device__ __forceinline__ void advance() {
    if (++buffer == kRingBuffers) {
      buffer = 0;
      phase ^= 1;
    }
  }
};
