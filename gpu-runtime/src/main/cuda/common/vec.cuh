/* Vectors of eight bf16 (16 bytes, the widest load of a thread) and sums over a thread block. */
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "warp.cuh"

/* Eight neighbouring bf16 as they lie in memory. */
struct alignas(16) Bf16x8 {
  __nv_bfloat162 pair[4];
};

__device__ __forceinline__ Bf16x8 load8(const __nv_bfloat16* from) {
  return *reinterpret_cast<const Bf16x8*>(from);
}

__device__ __forceinline__ void store8(__nv_bfloat16* to, const Bf16x8& value) {
  *reinterpret_cast<Bf16x8*>(to) = value;
}

__device__ __forceinline__ void to_floats(const Bf16x8& from, float (&into)[8]) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float2 two = __bfloat1622float2(from.pair[i]);
    into[2 * i] = two.x;
    into[2 * i + 1] = two.y;
  }
}

__device__ __forceinline__ Bf16x8 from_floats(const float (&from)[8]) {
  Bf16x8 into;
#pragma unroll
  for (int i = 0; i < 4; i++) into.pair[i] = __floats2bfloat162_rn(from[2 * i], from[2 * i + 1]);
  return into;
}

/* Eight floats from an address that is a multiple of 16. */
__device__ __forceinline__ void load_floats8(const float* from, float (&into)[8]) {
  float4 low = *reinterpret_cast<const float4*>(from), high = *reinterpret_cast<const float4*>(from + 4);
  into[0] = low.x;
  into[1] = low.y;
  into[2] = low.z;
  into[3] = low.w;
  into[4] = high.x;
  into[5] = high.y;
  into[6] = high.z;
  into[7] = high.w;
}

/* What a gate lets through: silu(gate) * up. */
__device__ __forceinline__ float gated(float gate, float up) { return gate / (1.0f + __expf(-gate)) * up; }

/* Two neighbours as bf16 in one register, an operand of a product. */
__device__ __forceinline__ uint32_t pack(float low, float high) {
  __nv_bfloat162 two = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<uint32_t*>(&two);
}

/* Sum over a thread block of kThreads; every thread gets it. `scratch` has one float a warp. */
template <int kThreads>
__device__ __forceinline__ float block_sum(float value, float* scratch) {
  constexpr int kWarps = kThreads / kWarp;
  static_assert(kThreads % kWarp == 0 && kWarps <= kWarp);
  value = warp_sum(value);
  if (threadIdx.x % kWarp == 0) scratch[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = threadIdx.x % kWarp < kWarps ? scratch[threadIdx.x % kWarp] : 0.0f;
  return warp_sum(value);
}
