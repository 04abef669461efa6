/* rms_norm: out = x / sqrt(mean(x^2) + eps) * weight row-wise [1]; the add variant first adds delta to x in place.
   x, delta, out  [rows, cols]  bf16, row-major     weight  [cols]  fp32     cols a multiple of 8, at most what the kernel's name says
   grid rows x 128 threads (up to 1,024 columns) or 256; sums in fp32
   Moves 4 * rows * cols bytes, the add variant 8; 64 x 4,096: 2.1 MB -> 0.7 us at 3.0 TB/s, so a launch costs more than the work.
   The sum x + delta is rounded to bf16 before its norm is taken: what the next layer adds to is what this one normalised.
   [1] Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019. */
#include "../common/launch.cuh"
#include "../common/vec.cuh"

namespace {

/* A thread keeps its kVectors vectors of eight numbers, and the weights that belong to them, in registers: few columns leave room for many blocks. */
template <int kThreads, int kVectors, bool kHasDelta>
__device__ __forceinline__ void norm_row(__nv_bfloat16* x, const __nv_bfloat16* delta, const float* weight, float eps,
                                         int cols, __nv_bfloat16* out) {
  __shared__ float scratch[kThreads / kWarp];
  allow_next();
  float weights[kVectors][8];
#pragma unroll
  for (int i = 0; i < kVectors; i++) {
    int col = (i * kThreads + threadIdx.x) * 8;
    if (col < cols) load_floats8(weight + col, weights[i]);
  }
  wait_for_previous();
  Bf16x8 kept[kVectors];
#pragma unroll
  for (int i = 0; i < kVectors; i++) {
    int col = (i * kThreads + threadIdx.x) * 8;
    if (col < cols) kept[i] = load8(x + col);
  }
  if (kHasDelta) {
    Bf16x8 added[kVectors];
#pragma unroll
    for (int i = 0; i < kVectors; i++) {
      int col = (i * kThreads + threadIdx.x) * 8;
      if (col < cols) added[i] = load8(delta + col);
    }
#pragma unroll
    for (int i = 0; i < kVectors; i++) {
      int col = (i * kThreads + threadIdx.x) * 8;
      if (col < cols) {
#pragma unroll
        for (int pair = 0; pair < 4; pair++) kept[i].pair[pair] = __hadd2(kept[i].pair[pair], added[i].pair[pair]);
        store8(x + col, kept[i]);
      }
    }
  }
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kVectors; i++) {
    if ((i * kThreads + threadIdx.x) * 8 < cols) {
      float numbers[8];
      to_floats(kept[i], numbers);
#pragma unroll
      for (int j = 0; j < 8; j++) squares += numbers[j] * numbers[j];
    }
  }
  float factor = rsqrtf(block_sum<kThreads>(squares, scratch) / cols + eps);
#pragma unroll
  for (int i = 0; i < kVectors; i++) {
    int col = (i * kThreads + threadIdx.x) * 8;
    if (col < cols) {
      float numbers[8];
      to_floats(kept[i], numbers);
#pragma unroll
      for (int j = 0; j < 8; j++) numbers[j] *= factor * weights[i][j];
      store8(out + col, from_floats(numbers));
    }
  }
}

}  // namespace

#define RMS_NORM(MAX_COLS, THREADS, VECTORS)                                                                            \
  static_assert(THREADS * VECTORS * 8 == MAX_COLS);                                                                     \
  extern "C" __global__ void __launch_bounds__(THREADS) rms_norm_bf16_##MAX_COLS(                                       \
      __nv_bfloat16* x, const float* weight, float eps, int cols, __nv_bfloat16* out) {                                 \
    size_t row = static_cast<size_t>(blockIdx.x) * cols;                                                                \
    norm_row<THREADS, VECTORS, false>(x + row, nullptr, weight, eps, cols, out + row);                                  \
  }                                                                                                                     \
  extern "C" __global__ void __launch_bounds__(THREADS) rms_norm_add_bf16_##MAX_COLS(                                   \
      __nv_bfloat16* x, const __nv_bfloat16* delta, const float* weight, float eps, int cols, __nv_bfloat16* out) {     \
    size_t row = static_cast<size_t>(blockIdx.x) * cols;                                                                \
    norm_row<THREADS, VECTORS, true>(x + row, delta + row, weight, eps, cols, out + row);                               \
  }

RMS_NORM(1024, 128, 1)
RMS_NORM(2048, 256, 1)
RMS_NORM(4096, 256, 2)
RMS_NORM(8192, 256, 4)
RMS_NORM(16384, 256, 8)
