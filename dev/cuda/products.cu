/* products: the ladder of products of some rows, y = x w^T, of the Qwen3-8B and Qwen3-0.6B shapes beside cuBLASLt. Times in a graph over so many
   layers' weights that none comes from the cache, each product followed by a small kernel that reads what it wrote and writes what the next one reads, as in a
   decode step; that kernel's time is in them. µs, share of the read limit. LT: the folder of cuBLASLt. */
#include <cuda.h>

#include "bench.cuh"
#include "common/cluster.cuh"
#include "cublas.cuh"
#include "steps/rows.cuh"
#include "steps/streamed_now.cuh"
#include "steps/streamed_single_boxes.cuh"
#include "steps/streamed_turned.cuh"
#include "steps/streamed_two_blocks.cuh"

namespace {

constexpr int kMostRows = 128;
constexpr size_t kPoolNumbers = size_t{3700} << 20;
constexpr size_t kUncachedBytes = size_t{512} << 20;  // several times the second level cache

struct Product {
  const char* name;
  int n, k;
  bool is_gated = false;  // silu of the first half of y's columns times the second
  int outputs() const { return is_gated ? n / 2 : n; }
  size_t numbers() const { return static_cast<size_t>(n) * k; }
};

/* What the copy engine is told of a matrix (TensorMap.java); to a kernel it is a struct of its own. */
class Map {
 public:
  Map(const Bf16* matrix, int rows, int cols, int box_rows) {
    static auto encode = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(find("cuTensorMapEncodeTiled"));
    cuuint64_t dims[] = {static_cast<cuuint64_t>(cols), static_cast<cuuint64_t>(rows)};
    cuuint64_t row_bytes = dims[0] * sizeof(Bf16);
    cuuint32_t box[] = {64, static_cast<cuuint32_t>(box_rows)}, each[] = {1, 1};
    CUresult status = encode(&map_, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, const_cast<Bf16*>(matrix), dims, &row_bytes, box, each,
                             CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                             CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (status != CUDA_SUCCESS) {
      std::printf("no tensor map of %d x %d: %d\n", rows, cols, status);
      std::exit(2);
    }
  }

  template <typename T>
  explicit operator T() const {
    static_assert(sizeof(T) == sizeof(CUtensorMap));
    T map;
    std::memcpy(&map, &map_, sizeof(T));
    return map;
  }

 private:
  static void* find(const char* name) {
    void* function;
    cudaDriverEntryPointQueryResult result;
    CHECK(cudaGetDriverEntryPointByVersion(name, &function, 13000, cudaEnableDefault, &result));
    return function;
  }

  CUtensorMap map_;
};

using Run = std::function<void(Start, const Product&, const Bf16* w, const Bf16* x, int rows, Bf16* y)>;

struct Step {
  const char* name;
  int columns;  // 0: any number
  bool is_gated;
  Start start;
  Run run;
};

template <typename Kernel>
Step streamed(const char* name, int columns, Kernel kernel, int tile_rows, int parts, bool is_gated, int ring_kb = 200,
              Start start = Start::kEarly) {
  return {name, columns, is_gated, start, [=](Start now, const Product& p, const Bf16* w, const Bf16* x, int rows, Bf16* y) {
            int box = is_gated ? tile_rows / 2 : tile_rows, blocks = (p.outputs() + box - 1) / box * parts;
            launch(now, blocks, tile_rows * 2 + kWarp, ring_kb * 1024 + 1024, kernel, Map(w, p.n, p.k, box),
                   Map(x, rows, p.k, columns), y, p.n, p.k, rows);
          }};
}

#define STREAMED(COLUMNS)                                                                                                     \
  streamed("64 rows", COLUMNS, streamed_now::streamed_gemm_bf16_##COLUMNS##_64_1, 64, 1, false),                            \
      streamed("64 rows, k in 2 parts", COLUMNS, streamed_now::streamed_gemm_bf16_##COLUMNS##_64_2, 64, 2, false),          \
      streamed("the same, launched plainly", COLUMNS, streamed_now::streamed_gemm_bf16_##COLUMNS##_64_2, 64, 2, false, 200, \
               Start::kPlain),                                                                                              \
      streamed("the same, two blocks a multiprocessor", COLUMNS, streamed_two_blocks::streamed_gemm_bf16_##COLUMNS##_64_2,  \
               64, 2, false, 106),                                                                                          \
      streamed("the same, each tile from another k on", COLUMNS, streamed_turned::streamed_gemm_bf16_##COLUMNS##_64_2, 64,  \
               2, false),                                                                                                   \
      streamed("the same, one box a stage", COLUMNS, streamed_single_boxes::streamed_gemm_bf16_##COLUMNS##_64_2, 64, 2,     \
               false),                                                                                                      \
      streamed("64 rows, k in 4 parts", COLUMNS, streamed_now::streamed_gemm_bf16_##COLUMNS##_64_4, 64, 4, false),          \
      streamed("128 rows", COLUMNS, streamed_now::streamed_gemm_bf16_##COLUMNS##_128_1, 128, 1, false),                     \
      streamed("gates: 64 rows", COLUMNS, streamed_now::streamed_gemm_gated_##COLUMNS##_64_1, 64, 1, true),                 \
      streamed("gates: 128 rows", COLUMNS, streamed_now::streamed_gemm_gated_##COLUMNS##_128_1, 128, 1, true),              \
      streamed("gates: 192 rows", COLUMNS, streamed_now::streamed_gemm_gated_##COLUMNS##_192_1, 192, 1, true)

struct Memory {
  Array<Bf16> pool = noise(kPoolNumbers, 1.0f / 64, 1);
  Array<Bf16> x = noise(static_cast<size_t>(kMostRows) * 12288, 1, 2), product{static_cast<size_t>(kMostRows) * 24576};
  Array<float> want{static_cast<size_t>(kMostRows) * 24576};
  Outputs y{static_cast<size_t>(kMostRows) * 24576};
};

/* cuBLASLt, then the gates' own kernel. */
Step library(CublasLt& cublas, const Memory& memory) {
  return {"cuBLASLt", 0, false, Start::kEarly, [&](Start start, const Product& p, const Bf16* w, const Bf16* x, int rows, Bf16* y) {
            cublas.multiply(w, x, p.is_gated ? static_cast<Bf16*>(memory.product) : y, rows, p.n, p.k, false);
            int ffn = p.outputs();
            if (p.is_gated) {
              launch(start, dim3((ffn + 2047) / 2048, rows), 256, 0, rows::silu_mul_bf16, memory.product, ffn, y);
            }
          }};
}

/* A row's smallest number is added to nothing: x stays as it is, but only after y was written. */
__global__ void __launch_bounds__(256) pass_on(const Bf16* y, int n, Bf16* x, int k) {
  allow_next();
  wait_for_previous();
  float least = 0;
  for (int i = threadIdx.x * 8; i < n; i += blockDim.x * 8) {
    float numbers[8];
    to_floats(load8(y + static_cast<size_t>(blockIdx.x) * n + i), numbers);
    for (float number : numbers) least = fminf(least, number);
  }
  float zero = __syncthreads_or(least > 0) ? 1.0f : 0.0f;
  for (int i = threadIdx.x * 8; i < k; i += blockDim.x * 8) {
    float numbers[8];
    Bf16* to = x + static_cast<size_t>(blockIdx.x) * k + i;
    to_floats(load8(to), numbers);
    for (float& number : numbers) number += zero;
    store8(to, from_floats(numbers));
  }
}

/* A warp for each number. */
__global__ void naive_product(const Bf16* w, const Bf16* x, int n, int k, float* y) {
  int row = blockIdx.x * (blockDim.x / kWarp) + threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  if (row >= n) return;
  float sum = 0;
  for (int i = lane; i < k; i += kWarp) {
    sum += __bfloat162float(w[static_cast<size_t>(row) * k + i]) * __bfloat162float(x[static_cast<size_t>(blockIdx.y) * k + i]);
  }
  sum = warp_sum(sum);
  if (lane == 0) y[static_cast<size_t>(blockIdx.y) * n + row] = sum;
}

std::vector<float> expected(const Memory& memory, const Product& p, int rows) {
  naive_product<<<dim3((p.n + 7) / 8, rows), 256, 0, stream()>>>(memory.pool, memory.x, p.n, p.k, memory.want);
  std::vector<float> all = memory.want.read(), want(static_cast<size_t>(rows) * p.outputs());
  for (int row = 0; row < rows; row++) {
    for (int i = 0; i < p.outputs(); i++) {
      float first = all[static_cast<size_t>(row) * p.n + i];
      float second = p.is_gated ? all[static_cast<size_t>(row) * p.n + p.outputs() + i] : 0;
      want[static_cast<size_t>(row) * p.outputs() + i] = p.is_gated ? first / (1 + std::exp(-first)) * second : first;
    }
  }
  return want;
}

void check(const Step& step, Memory& memory, const Product& p, int rows, const std::vector<float>& want) {
  memory.y.poison();
  step.run(step.start, p, memory.pool + p.numbers(), memory.x, rows, memory.y);  // other weights first
  step.run(step.start, p, memory.pool, memory.x, rows, memory.y);
  double error = error_of(want, memory.y.read(0, want.size()));
  bool is_behind_whole = std::isnan(memory.y.read(want.size(), 1)[0]);
  judge(error < kTolerance && is_behind_whole, step.name,
        std::string(p.name) + " of " + std::to_string(rows) + " rows, error " + std::to_string(error));
}

double time_of(const Step& step, const Memory& memory, const Product& p, int rows) {
  int layers = std::min<int>(memory.pool.size() / p.numbers(), std::max<int>(36, kUncachedBytes / p.numbers() / 2));
  return time_us([&] {
           for (int i = 0; i < layers; i++) {
             step.run(step.start, p, memory.pool + i * p.numbers(), memory.x, rows, memory.y);
             launch(step.start, rows, 256, 0, pass_on, memory.y, p.outputs(), memory.x, p.k);
           }
         }) / layers;
}

int columns_for(int rows) {
  int columns = 16;
  while (columns < rows) columns *= 2;
  return columns;
}

}  // namespace

int main() {
  Memory memory;
  CublasLt cublas;
  std::vector<Step> steps = {library(cublas, memory), STREAMED(16), STREAMED(32), STREAMED(64), STREAMED(128)};
  double limit = introduce("products of some rows", memory.pool);
  auto fits = [](const Step& step, const Product& p, int rows) {
    return step.columns == 0 || (step.columns == columns_for(rows) && step.is_gated == p.is_gated);
  };
  for (Product p : {Product{"edges", 200, 456}, {"edges", 1032, 2056}, {"gates' edges", 208, 456, true}}) {
    for (int rows : {1, 9, 16, 17, 31, 33, 64, 65, 100, 127, 128}) {
      std::vector<float> want = expected(memory, p, rows);
      for (const Step& step : steps) {
        if (fits(step, p, rows)) check(step, memory, p, rows, want);
      }
    }
  }
  constexpr int kTimed[] = {16, 32, 64, 128};
  for (Product p : {Product{"qkv", 6144, 4096}, {"o", 4096, 4096}, {"gate_up", 24576, 4096, true}, {"down", 4096, 12288},
                    {"qkv of 0.6B", 4096, 1024}, {"o of 0.6B", 1024, 2048}, {"gate_up of 0.6B", 6144, 1024, true},
                    {"down of 0.6B", 1024, 3072}}) {
    std::printf("\n%s, %d x %d, rows of x:\n\n| step | 16 | 32 | 64 | 128 |\n| --- | --- | --- | --- | --- |\n", p.name, p.n, p.k);
    std::vector<std::string> names;
    for (const Step& step : steps) {
      if (std::find(names.begin(), names.end(), step.name) != names.end() || !(step.columns == 0 || step.is_gated == p.is_gated)) continue;
      names.push_back(step.name);
      std::printf("| %s |", step.name);
      for (int rows : kTimed) {
        for (const Step& same : steps) {
          if (std::strcmp(same.name, step.name) != 0 || !fits(same, p, rows)) continue;
          double us = time_of(same, memory, p, rows);
          std::printf(" %.1f (%.0f %%) |", us, 100 * 2.0 * p.numbers() / us / 1e3 / limit);
        }
      }
      std::printf("\n");
      std::fflush(stdout);
    }
  }
  return num_wrong() > 0;
}
