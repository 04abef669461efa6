/* One row of logits and a thread block of 1,024 threads that looks for something in it.
   Distances below the largest logit, weights and random numbers have the bits of the host's sampler (HostSampler, Exponential, Philox4x32), so
   products and sums are spelled out: a compiler must not fuse them. */
#pragma once

#include <cstdint>

#include "../common/warp.cuh"

constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / kWarp;
static_assert(kWarps == kWarp, "a warp reduces what the warps have found");
constexpr float kInfinity = __builtin_huge_valf();

/* e^-x for x of 0 or more; 0 beyond 87. */
__device__ __forceinline__ float exp_of_minus(float x) {
  constexpr float kLimit = 87.0f, kLog2E = 1.4426950408889634f, kRounder = 12582912.0f;
  constexpr float kLn2Upper = 355 / 512.0f, kLn2Lower = static_cast<float>(0.6931471805599453 - 355 / 512.0);
  if (!(x < kLimit)) return 0.0f;
  float shifted = __fadd_rn(__fmul_rn(x, kLog2E), kRounder);
  float n = __fsub_rn(shifted, kRounder);
  float r = __fadd_rn(__fsub_rn(__fmul_rn(n, kLn2Upper), x), __fmul_rn(n, kLn2Lower));
  float r2 = __fmul_rn(r, r);
  float series = __fadd_rn(1 / 720.0f, __fmul_rn(r, 1 / 5040.0f));
  series = __fadd_rn(__fadd_rn(1 / 24.0f, __fmul_rn(r, 1 / 120.0f)), __fmul_rn(r2, series));
  series = __fadd_rn(__fadd_rn(1 / 2.0f, __fmul_rn(r, 1 / 6.0f)), __fmul_rn(r2, series));
  series = __fadd_rn(__fadd_rn(1.0f, r), __fmul_rn(r2, series));
  return __uint_as_float(__float_as_uint(series) - (__float_as_uint(shifted) << 23));
}

/* A row and the measure by which its tokens are weighed. */
struct Row {
  const float* logits;
  int cols;
  float max;
  float scale;  // 1 / temperature

  __device__ __forceinline__ float distance(float logit) const { return __fmul_rn(__fsub_rn(max, logit), scale); }
};

/* What a block's threads tell each other. */
struct Scratch {
  double mass[kWarps];
  float value[kWarps];
  int id[kWarps];
};

/* The same sum for every thread. */
template <typename Number>
__device__ __forceinline__ Number block_sum(Number value, Number* of_warp) {
  value = warp_sum(value);
  __syncthreads();  // of_warp may still be read
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = value;
  __syncthreads();
  return warp_sum(of_warp[threadIdx.x % kWarp]);
}

struct Top {
  float value;  // -infinity if there is no token
  int id;       // the lowest of equal ones
  bool is_broken;  // some logit is NaN or +infinity
};

__device__ __forceinline__ void keep_better(Top& top, float value, int id) {
  if (value > top.value || (value == top.value && id < top.id)) {
    top.value = value;
    top.id = id;
  }
}

__device__ __forceinline__ void keep_best_of_warp(Top& top) {
#pragma unroll
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    float value = __shfl_xor_sync(kFullMask, top.value, offset);
    int id = __shfl_xor_sync(kFullMask, top.id, offset);
    keep_better(top, value, id);
  }
}

/* Every thread gets the largest logit. */
__device__ __forceinline__ Top find_top(const float* logits, int cols, Scratch& scratch) {
  Top top{-kInfinity, cols, false};
#pragma unroll 8
  for (int id = threadIdx.x; id < cols; id += kThreads) {
    float value = logits[id];
    top.is_broken |= !(value < kInfinity);
    if (value > top.value) {
      top.value = value;
      top.id = id;
    }
  }
  keep_best_of_warp(top);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) {
    scratch.value[threadIdx.x / kWarp] = top.value;
    scratch.id[threadIdx.x / kWarp] = top.id;
  }
  top.is_broken = __syncthreads_or(top.is_broken);
  top.value = scratch.value[threadIdx.x % kWarp];
  top.id = scratch.id[threadIdx.x % kWarp];
  keep_best_of_warp(top);
  return top;
}
