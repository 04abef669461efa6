/* Programmatic dependent launch [1]: a kernel launched so may start while the one before it in the stream still runs. Before it reads what that
   one wrote, or writes what that one reads, it waits; every kernel waits, so what lies further back is complete then too. Without the launch
   attribute, and on GPUs before Hopper, both calls do nothing.
   [1] NVIDIA, PTX ISA: griddepcontrol. */
#pragma once

/* Until all kernels before this one have ended and their writes can be seen. */
__device__ __forceinline__ void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/* Lets the next kernel start once all thread blocks have come here. */
__device__ __forceinline__ void allow_next() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/* Brings the line of 128 bytes at an address to the second level cache; for what no kernel of this step writes, before waiting. */
__device__ __forceinline__ void fetch_line(const void* address) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
}
