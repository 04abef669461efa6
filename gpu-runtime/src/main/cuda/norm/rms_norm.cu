/* rms_norm: out = x / sqrt(mean(x^2) + eps) * weight row-wise [1]; the add variant first adds delta to x in place.
   x, delta, out  [rows, cols]  bf16, row-major     weight  [cols]  fp32     cols a multiple of 8, at most 16,384
   grid rows x 256 threads; sums in fp32
   Moves 4 * rows * cols bytes, the add variant 8; 64 x 4,096: 2.1 MB -> 0.7 us at 3.0 TB/s, so a launch costs more than the work.
   The sum x + delta is rounded to bf16 before its norm is taken: what the next layer adds to is what this one normalised.
   [1] Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019. */
#include "../common/launch.cuh"
#include "../common/vec.cuh"

namespace {

constexpr int kThreads = 256;
constexpr int kVectors = 8;  // of eight numbers, kept in registers by a thread
constexpr int kLineFloats = 32;
constexpr int kMaxCols = kThreads * kVectors * 8;
static_assert(kMaxCols == 16384);

template <bool kHasDelta>
__device__ __forceinline__ void norm_row(__nv_bfloat16* x, const __nv_bfloat16* delta, const float* weight, float eps,
                                         int cols, __nv_bfloat16* out) {
  __shared__ float scratch[kThreads / kWarp];
  allow_next();
  if (blockIdx.x == 0) {  // one row for all
    for (int col = threadIdx.x * kLineFloats; col < cols; col += kThreads * kLineFloats) fetch_line(weight + col);
  }
  wait_for_previous();
  float kept[kVectors][8];
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kVectors; i++) {
    int col = (i * kThreads + threadIdx.x) * 8;
    if (col < cols) {
      Bf16x8 packed = load8(x + col);
      if (kHasDelta) {
        Bf16x8 other = load8(delta + col);
#pragma unroll
        for (int pair = 0; pair < 4; pair++) packed.pair[pair] = __hadd2(packed.pair[pair], other.pair[pair]);
        store8(x + col, packed);
      }
      to_floats(packed, kept[i]);
#pragma unroll
      for (int j = 0; j < 8; j++) squares += kept[i][j] * kept[i][j];
    }
  }
  float factor = rsqrtf(block_sum<kThreads>(squares, scratch) / cols + eps);
#pragma unroll
  for (int i = 0; i < kVectors; i++) {
    int col = (i * kThreads + threadIdx.x) * 8;
    if (col < cols) {
#pragma unroll
      for (int j = 0; j < 8; j++) kept[i][j] *= factor * weight[col + j];
      store8(out + col, from_floats(kept[i]));
    }
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads)
    rms_norm_bf16(__nv_bfloat16* x, const float* weight, float eps, int cols, __nv_bfloat16* out) {
  size_t row = static_cast<size_t>(blockIdx.x) * cols;
  norm_row<false>(x + row, nullptr, weight, eps, cols, out + row);
}

extern "C" __global__ void __launch_bounds__(kThreads)
    rms_norm_add_bf16(__nv_bfloat16* x, const __nv_bfloat16* delta, const float* weight, float eps, int cols,
                      __nv_bfloat16* out) {
  size_t row = static_cast<size_t>(blockIdx.x) * cols;
  norm_row<true>(x + row, delta + row, weight, eps, cols, out + row);
}
