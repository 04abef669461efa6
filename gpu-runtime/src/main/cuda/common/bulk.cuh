/* Bulk copies from global to shared memory, whose bytes a barrier in shared memory counts (Hopper) [1].     [1] NVIDIA, PTX ISA: cp.async.bulk. */
#pragma once

#include <cstdint>

/* Arrives at a barrier, whose phase then ends when so many bytes have been copied too. */
__device__ __forceinline__ void arrive_expecting(uint32_t barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

/* Starts to copy a multiple of 16 bytes, on both sides at multiples of 16. */
__device__ __forceinline__ void copy_bulk(uint32_t to, const void* from, int bytes, uint32_t barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
               "l"(from), "r"(bytes), "r"(barrier)
               : "memory");
}

/* Barriers that this thread has initialised are seen by copies. */
__device__ __forceinline__ void publish_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

/* What this thread has read from shared memory has been read once it arrives at a barrier, so that a copy which waits there may write over it. An
   arrival alone doesn't see to that: copies are another proxy [1], and loads that nobody has needed yet may be overtaken. */
__device__ __forceinline__ void finish_reads() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

enum class Reuse : uint64_t { kNone = 0x12f0000000000000, kMuch = 0x14f0000000000000 };  // as the second level cache is to know it

/* Starts to copy a box of a matrix, from this column and row on, as its map says; zeros for what lies outside. */
template <Reuse kReuse>
__device__ __forceinline__ void copy_box(uint32_t to, const void* map, int col, int row, uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(
          to),
      "l"(map), "r"(col), "r"(row), "r"(barrier), "l"(static_cast<uint64_t>(kReuse))
      : "memory");
}
