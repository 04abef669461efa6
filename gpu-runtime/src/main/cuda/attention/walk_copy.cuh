/* The third warp group of prefill_wgmma. */
#pragma once

#include "../common/ptx.cuh"
#include "../common/ptx_sm90.cuh"
#include "../common/warp.cuh"
#include "walk.cuh"

constexpr int kCopierBarrier = 1 + kMultiplying;

/* The third warp group: copies in the order of use: K0 | K1 V0 | K2 V1 ..., over all items. A lane knows where one of its warp's rows lies. */
template <int kHeadDim>
struct Copier {
  using S = Shape<kHeadDim>;
  static constexpr int kWarpRows = kTileLen / 4;
  static constexpr int kRowsAtOnce = kWarp / S::kChunks;
  static constexpr int kRowsEach = kWarpRows / kRowsAtOnce;
  static constexpr int kBatch = 8;  // places asked for before rows are copied

  uint32_t shared;
  Barriers barriers;
  RingPlace place;

  static __device__ __forceinline__ int warp() { return threadIdx.x % kGroup / kWarp; }
  static __device__ __forceinline__ int own_row() { return warp() * kWarpRows + threadIdx.x % kWarp; }

  /* Rows of the warp in a tile; those from num_live on become zero. `at`: where the lane's own row lies behind `from`, in `stride_bytes`. */
  __device__ __forceinline__ void copy_rows(const __nv_bfloat16* from, uint32_t at, uint32_t stride_bytes, int num_live,
                                            uint32_t to) {
    int lane = threadIdx.x % kWarp, chunk = lane % S::kChunks;
    int first = warp() * kWarpRows + lane / S::kChunks * kRowsEach;
    const char* base = reinterpret_cast<const char*>(from) + chunk * 16;
    to += chunk / 8 * kSubTileBytes;
#pragma unroll
    for (int row = 0; row < kRowsEach; row += kBatch) {
      uint32_t place[kBatch];
#pragma unroll
      for (int i = 0; i < kBatch; i++) place[i] = __shfl_sync(kFullMask, at, row + i, S::kChunks);
#pragma unroll
      for (int i = 0; i < kBatch; i++) {
        copy_or_clear16(to + swizzled(first + row + i, chunk % 8), base + static_cast<uint64_t>(place[i]) * stride_bytes,
                        first + row + i >= num_live);
      }
    }
  }

  __device__ __forceinline__ void copy_queries(const Inputs& in, const Item& item, int buffer) {
    int group = in.num_heads / in.num_kv_heads, flat = item.first_row + own_row();
    bool is_live = flat < item.num_rows;
    int token = item.first_token + (is_live ? flat / group : 0), head = item.head * group + (is_live ? flat % group : 0);
    uint32_t at = token * (in.qkv_cols / 8) + head * S::kChunks;
    copy_rows(in.qkv, at, 16, item.num_rows - item.first_row, shared + S::kQueries + buffer * S::kTileBytes);
  }

  __device__ __forceinline__ void copy_next(const __nv_bfloat16* cache, int slot, uint32_t slot_bytes, int num_live) {
    wait_barrier(barriers.is_free(place.buffer), place.phase ^ 1);
    copy_rows(cache, slot, slot_bytes, num_live, shared + S::kRing + place.buffer * S::kTileBytes);
    arrive_after_copies(barriers.is_full(place.buffer));
    place.advance();
  }

  /* The next item but one, for all of the group. */
  __device__ __forceinline__ Item look_ahead(const Inputs& in, int taken, int* index) {
    if (threadIdx.x % kGroup == 0) *index = taken;
    sync_named(kCopierBarrier, kGroup);
    return read_item(in, *index);
  }

  __device__ __forceinline__ void run(const Inputs& in, int* items) {
    uint32_t slot_bytes = in.num_kv_heads * kHeadDim * sizeof(__nv_bfloat16);
    bool is_leader = threadIdx.x % kGroup == 0;
    int last_slot = 0, last_num_live = 0, last_head = -1;
    Item next = read_item(in, blockIdx.x);
    int next_slot = own_row() < next.end ? next.slots[own_row()] : 0;
    for (int round = 0;; round++) {
      Item item = next;
      int slot = next_slot, taken = 0, buffer = round % kItemBuffers;
      wait_barrier(barriers.is_item_free(buffer), round / kItemBuffers % 2 ^ 1);
      if (item.end > 0) copy_queries(in, item, buffer);
      if (is_leader) {
        item.write(items + buffer * Item::kInts);
        arrive(barriers.is_item_full(buffer));
        if (item.end > 0) taken = in.take_item();
      }
      arrive_after_copies(barriers.is_item_full(buffer));
      if (item.end == 0) break;
      for (int first = 0; first < item.end; first += kTileLen) {
        int token = first + kTileLen + own_row();
        int slot_after = token < item.end ? item.slots[token] : 0;
        copy_next(in.k_cache + item.head * kHeadDim, slot, slot_bytes, item.end - first);
        if (last_head >= 0) copy_next(in.v_cache + last_head * kHeadDim, last_slot, slot_bytes, last_num_live);
        last_head = item.head;
        last_slot = slot;
        last_num_live = item.end - first;
        slot = slot_after;
        if (first == 0) {  // much is under way now
          next = look_ahead(in, taken, items + (round + 1) % kItemBuffers * Item::kInts + Item::kIndex);
          next_slot = own_row() < next.end ? next.slots[own_row()] : 0;
        }
      }
    }
    copy_next(in.v_cache + last_head * kHeadDim, last_slot, slot_bytes, last_num_live);
    if (is_leader) in.take_no_more();
    wait_copies<0>();
  }
};
