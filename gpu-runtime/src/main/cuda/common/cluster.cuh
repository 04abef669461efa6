/* Thread blocks of a cluster [1]: one another's shared memory, and barriers of all their threads.     [1] NVIDIA, PTX ISA: barrier.cluster, mapa. */
#pragma once

#include <cstdint>

/* A shared address of this block as that of another one. */
__device__ __forceinline__ uint32_t address_in(uint32_t address, int rank) {
  uint32_t other;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(other) : "r"(address), "r"(rank));
  return other;
}

__device__ __forceinline__ float4 load_cluster16(uint32_t from) {
  float4 to;
  asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(to.x), "=f"(to.y), "=f"(to.z), "=f"(to.w)
               : "r"(from)
               : "memory");
  return to;
}

/* Of all threads of all blocks, by whole warps; what they wrote to shared memory before is seen after. */
__device__ __forceinline__ void sync_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}
