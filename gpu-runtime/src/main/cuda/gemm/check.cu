/* check: whether two ways to make a product agree bit by bit.
   fill_bf16          x [num] bf16 := a hash of the place, in [-1, 1)
   count_differences  a [num], b [period] 16-bit words     *count += places i at which a[i] != b[i % period]
   any grid; runs at start only. */
#include <cuda_bf16.h>

#include <cstdint>

extern "C" __global__ void fill_bf16(__nv_bfloat16* x, int num) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < num; i += gridDim.x * blockDim.x) {
    uint32_t hash = i * 2654435761u;
    hash = (hash ^ hash >> 15) * 2246822519u;
    hash = (hash ^ hash >> 13) * 3266489917u;
    x[i] = __float2bfloat16(static_cast<int32_t>(hash) * 0x1p-31f);
  }
}

extern "C" __global__ void count_differences(const uint16_t* a, const uint16_t* b, long long num, long long period,
                                             int* count) {
  int differences = 0;
  for (long long i = blockIdx.x * blockDim.x + threadIdx.x; i < num; i += gridDim.x * blockDim.x) {
    differences += a[i] != b[i % period] ? 1 : 0;
  }
  if (differences > 0) atomicAdd(count, differences);
}
