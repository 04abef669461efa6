/* Sums over a warp, in an order that depends on nothing. */
#pragma once

constexpr int kWarp = 32;
constexpr unsigned kFullMask = 0xffffffffu;

template <typename Number>
__device__ __forceinline__ Number warp_sum(Number value) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(kFullMask, value, offset);
  return value;
}
