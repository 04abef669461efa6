/* What the ladders share: memory filled with noise, launches in graphs timed by events, sequences whose KV slots lie in runs at random places, and
   naive kernels in fp32 to compare with. Programs end with 1 if a result was wrong. */
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/bulk.cuh"
#include "common/launch.cuh"
#include "common/ptx.cuh"
#include "common/ptx_sm90.cuh"
#include "common/vec.cuh"
#include "common/warp.cuh"

using Bf16 = __nv_bfloat16;

constexpr int kHeads = 32, kKvHeads = 8, kHeadDim = 128;
constexpr int kQkvCols = (kHeads + 2 * kKvHeads) * kHeadDim;
constexpr size_t kSlotNumbers = kKvHeads * kHeadDim;
constexpr int kRunLen = 64;  // slots that lie side by side
constexpr double kTolerance = 0.01;  // bf16 results and weights, as a share of the largest number
const float kScaleLog2 = static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(kHeadDim)));

#define CHECK(call) check_cuda(call, #call, __FILE__, __LINE__)

inline void check_cuda(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  std::printf("%s in %s, %s:%d\n", cudaGetErrorString(status), call, file, line);
  std::exit(2);
}

inline cudaStream_t stream() {
  static cudaStream_t one = [] {
    cudaStream_t made;
    CHECK(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
    return made;
  }();
  return one;
}

inline void wait_for_device() { CHECK(cudaDeviceSynchronize()); }

inline int num_multiprocessors() {
  static int num = [] {
    int is;
    CHECK(cudaDeviceGetAttribute(&is, cudaDevAttrMultiProcessorCount, 0));
    return is;
  }();
  return num;
}

/* Memory of the device, given back with its owner. */
template <typename T>
class Array {
 public:
  explicit Array(size_t num = 0) : num_(num) {
    if (num > 0) CHECK(cudaMalloc(&at_, num * sizeof(T)));
  }
  explicit Array(const std::vector<T>& values) : Array(values.size()) {
    if (num_ > 0) CHECK(cudaMemcpyAsync(at_, values.data(), num_ * sizeof(T), cudaMemcpyHostToDevice, stream()));
  }
  Array(Array&& other) noexcept : at_(std::exchange(other.at_, nullptr)), num_(std::exchange(other.num_, 0)) {}
  Array& operator=(Array&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(num_, other.num_);
    return *this;
  }
  ~Array() { cudaFree(at_); }

  operator T*() const { return at_; }
  size_t size() const { return num_; }
  void set_bytes(int byte) { CHECK(cudaMemsetAsync(at_, byte, num_ * sizeof(T), stream())); }
  std::vector<T> read() const { return read(num_); }
  std::vector<T> read(size_t num) const {
    std::vector<T> values(num);
    wait_for_device();
    CHECK(cudaMemcpy(values.data(), at_, num * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  T* at_ = nullptr;
  size_t num_;
};

/* Sums of four uniform numbers: about normal, with a standard deviation of `scale`. */
static __global__ void fill_noise(Bf16* to, size_t num, float scale, uint64_t seed) {
  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < num;
       i += static_cast<size_t>(gridDim.x) * blockDim.x) {
    uint64_t hash = (i + 1) * 0x9E3779B97F4A7C15ull + seed * 0xD1B54A32D192ED03ull;
    float sum = 0;
    for (int k = 0; k < 4; k++) {
      hash = (hash ^ hash >> 31) * 0xBF58476D1CE4E5B9ull;
      hash ^= hash >> 27;
      sum += static_cast<uint32_t>(hash >> 40) * 0x1p-24f - 0.5f;
    }
    to[i] = __float2bfloat16(sum * 1.7320508f * scale);
  }
}

inline Array<Bf16> noise(size_t num, float scale, uint64_t seed) {
  Array<Bf16> made(num);
  fill_noise<<<2048, 256, 0, stream()>>>(made, num, scale, seed);
  CHECK(cudaGetLastError());
  return made;
}

/* How kernels are launched: one after the other, or early, as in launch.cuh. */
enum class Start { kPlain, kEarly };

template <typename... P, typename... A>
void launch(Start start, dim3 grid, int threads, size_t shared_bytes, void (*kernel)(P...), const A&... arguments) {
  static_assert(sizeof...(P) == sizeof...(A));
  if (shared_bytes > 48 * 1024) {
    CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)));
  }
  if (start == Start::kEarly) {  // as Kernel.preferSharedMemory: kernels that run side by side must want the same
    CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared));
  }
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream();
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &attribute;
  config.numAttrs = start == Start::kEarly ? 1 : 0;
  CHECK(cudaLaunchKernelEx(&config, kernel, static_cast<P>(arguments)...));
}

/* Does what `launches` does once, captures it and replays it; the median of an odd number of rounds, in µs. */
inline double time_us(const std::function<void()>& launches, int rounds = 5) {
  cudaGraph_t graph;
  cudaGraphExec_t replay;
  cudaEvent_t begin, end;
  launches();  // what is loaded or chosen once isn't part of it
  CHECK(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal));
  launches();
  CHECK(cudaStreamEndCapture(stream(), &graph));
  CHECK(cudaGraphInstantiate(&replay, graph, 0));
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  CHECK(cudaGraphLaunch(replay, stream()));
  std::vector<double> times;
  for (int round = 0; round < rounds; round++) {
    float ms;
    CHECK(cudaEventRecord(begin, stream()));
    CHECK(cudaGraphLaunch(replay, stream()));
    CHECK(cudaEventRecord(end, stream()));
    CHECK(cudaStreamSynchronize(stream()));
    CHECK(cudaEventElapsedTime(&ms, begin, end));
    times.push_back(ms * 1e3);
  }
  CHECK(cudaGraphExecDestroy(replay));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaEventDestroy(begin));
  CHECK(cudaEventDestroy(end));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

static __global__ void __launch_bounds__(512) read_all(const uint4* from, size_t num, uint32_t* out) {
  constexpr int kAtOnce = 8;
  uint32_t all = 0;
  for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) * kAtOnce + threadIdx.x;
       i + (kAtOnce - 1) * blockDim.x < num; i += static_cast<size_t>(gridDim.x) * blockDim.x * kAtOnce) {
    uint4 values[kAtOnce];
#pragma unroll
    for (int u = 0; u < kAtOnce; u++) values[u] = __ldcs(from + i + u * blockDim.x);
#pragma unroll
    for (int u = 0; u < kAtOnce; u++) all ^= values[u].x ^ values[u].y ^ values[u].z ^ values[u].w;
  }
  if (all == 0x12345678) *out = all;  // never, but the compiler can't know
}

/* GB/s of reading 8 GB, which shares of the read limit are of. */
inline double read_limit(const Array<Bf16>& memory) {
  size_t bytes = std::min(memory.size() * sizeof(Bf16), size_t{8} << 30);
  Array<uint32_t> out(1);
  double best = 0;
  for (int blocks : {1056, 16896}) {
    double us = time_us([&] {
      read_all<<<blocks, 512, 0, stream()>>>(reinterpret_cast<const uint4*>(static_cast<Bf16*>(memory)), bytes / 16, out);
    });
    best = std::max(best, bytes / us / 1e3);
  }
  return best;
}

/* Writes which device this is, and returns its read limit in GB/s. */
inline double introduce(const char* what, const Array<Bf16>& memory) {
  cudaDeviceProp device;
  CHECK(cudaGetDeviceProperties(&device, 0));
  double limit = read_limit(memory);
  std::printf("# %s: %s, %d multiprocessors, reads %.0f GB/s\n", what, device.name, device.multiProcessorCount, limit);
  std::fflush(stdout);
  return limit;
}

inline int& num_wrong() {
  static int num = 0;
  return num;
}

inline void judge(bool is_right, const std::string& step, const std::string& where) {
  if (is_right) return;
  num_wrong()++;
  std::printf("\n!!!!!!!! WRONG: %s at %s\n\n", step.c_str(), where.c_str());
  std::fflush(stdout);
}

/* The largest error as a share of the largest number wanted; infinite where a number is missing. */
inline double error_of(const std::vector<float>& want, const std::vector<float>& got) {
  double worst = 0, largest = 0;
  for (size_t i = 0; i < want.size(); i++) {
    double error = std::abs(static_cast<double>(got[i]) - want[i]);
    worst = std::max(worst, std::isfinite(error) ? error : INFINITY);
    largest = std::max(largest, std::abs(static_cast<double>(want[i])));
  }
  return worst / largest;
}

/* Results, NaN before they are written, with memory behind them that must stay as it is. */
class Outputs {
 public:
  explicit Outputs(size_t num) : memory_(num + kGuard), num_(num) {}
  operator Bf16*() const { return memory_; }
  void poison() { memory_.set_bytes(0xff); }
  std::vector<float> read(size_t from, size_t num) const {
    std::vector<Bf16> values(num);
    wait_for_device();
    CHECK(cudaMemcpy(values.data(), memory_ + from, num * sizeof(Bf16), cudaMemcpyDeviceToHost));
    std::vector<float> floats(num);
    for (size_t i = 0; i < num; i++) floats[i] = __bfloat162float(values[i]);
    return floats;
  }
  bool is_guard_whole() const {
    std::vector<float> guard = read(num_, kGuard);
    return std::all_of(guard.begin(), guard.end(), [](float value) { return std::isnan(value); });
  }

 private:
  static constexpr size_t kGuard = 1024;
  Array<Bf16> memory_;
  size_t num_;
};

/* `num` slots in runs at random places. */
inline std::vector<int> random_slots(size_t num, int run_len, std::mt19937& random) {
  size_t num_runs = (num + run_len - 1) / run_len;
  std::vector<int> runs(num_runs), slots(num);
  for (size_t i = 0; i < num_runs; i++) runs[i] = static_cast<int>(i);
  std::shuffle(runs.begin(), runs.end(), random);
  for (size_t i = 0; i < num; i++) slots[i] = runs[i / run_len] * run_len + static_cast<int>(i % run_len);
  return slots;
}

/* A sequence's tokens whose K and V were there before this step, and those that it computes. */
struct Sequence {
  int cached, extend;
  int len() const { return cached + extend; }
};

/* A step's sequences, as kernels get them; tables of rows in an order that isn't theirs. */
struct Batch {
  std::vector<Sequence> sequences;
  std::vector<int> first;  // token of each
  int num_tokens = 0, stride = 0;
  size_t num_slots = 0;
  double num_pairs = 0;  // of tokens and what they see
  Array<int> table, row, cached, extend, first_token, newest_slot, ones;

  /* `slots_of` has each sequence's slots, by position. */
  Batch(std::vector<Sequence> given, const std::vector<std::vector<int>>& slots_of) : sequences(std::move(given)) {
    int num = static_cast<int>(sequences.size());
    for (const Sequence& s : sequences) stride = std::max(stride, s.len() + 3);
    std::vector<int> table_(static_cast<size_t>(num) * stride, 0), rows(num), cached_, extend_, newest;
    for (int s = 0; s < num; s++) {
      rows[s] = num - 1 - s;
      cached_.push_back(sequences[s].cached);
      extend_.push_back(sequences[s].extend);
      first.push_back(num_tokens);
      num_tokens += sequences[s].extend;
      num_pairs += sequences[s].extend * (sequences[s].cached + (sequences[s].extend + 1) / 2.0);
      newest.push_back(slots_of[s][sequences[s].len() - 1]);
      std::copy(slots_of[s].begin(), slots_of[s].end(), table_.begin() + static_cast<size_t>(rows[s]) * stride);
      for (int slot : slots_of[s]) num_slots = std::max(num_slots, static_cast<size_t>(slot) + 1);
    }
    table = Array<int>(table_), row = Array<int>(rows), cached = Array<int>(cached_), extend = Array<int>(extend_);
    first_token = Array<int>(first), newest_slot = Array<int>(newest);
    ones = Array<int>(std::vector<int>(num, 1));
  }

  Batch(const std::vector<Sequence>& given, int run_len, uint32_t seed) : Batch(given, slots(given, run_len, seed)) {}

  int size() const { return static_cast<int>(sequences.size()); }
  size_t layer_numbers() const { return num_slots * kSlotNumbers; }

 private:
  static std::vector<std::vector<int>> slots(const std::vector<Sequence>& given, int run_len, uint32_t seed) {
    std::mt19937 random(seed);
    size_t total = 0;
    for (const Sequence& s : given) total += s.len();
    std::vector<int> all = random_slots(total, run_len, random);
    std::vector<std::vector<int>> each;
    auto at = all.begin();
    for (const Sequence& s : given) {
      each.emplace_back(at, at + s.len());
      at += s.len();
    }
    return each;
  }
};

/* K and V of as many layers as fit, so that a layer's don't come from the cache. */
struct KvPool {
  const Array<Bf16>& memory;
  const Batch& batch;
  int num_layers(int most) const {
    return static_cast<int>(std::min<size_t>(most, memory.size() / (2 * batch.layer_numbers())));
  }
  Bf16* k(int layer) const { return memory + 2 * batch.layer_numbers() * layer; }
  Bf16* v(int layer) const { return k(layer) + batch.layer_numbers(); }
};

/* One query: its token, its sequence's row, and how many tokens it sees. */
struct Query {
  int token, row, visible;
};

/* A warp for each query and head. */
static __global__ void naive_attention(const Bf16* qkv, const Bf16* k, const Bf16* v, const int* table, int stride,
                                       const Query* queries, int num, float scale_log2, float* out) {
  constexpr int kEach = kHeadDim / kWarp;
  int unit = (blockIdx.x * blockDim.x + threadIdx.x) / kWarp, lane = threadIdx.x % kWarp;
  if (unit >= num * kHeads) return;
  Query query = queries[unit / kHeads];
  int head = unit % kHeads, kv_head = head / (kHeads / kKvHeads);
  const Bf16* q = qkv + static_cast<size_t>(query.token) * kQkvCols + head * kHeadDim;
  float top = -INFINITY, sum = 0, mixed[kEach] = {};
  for (int t = 0; t < query.visible; t++) {
    size_t at = table[static_cast<size_t>(query.row) * stride + t] * kSlotNumbers + kv_head * kHeadDim;
    float score = 0;
    for (int i = 0; i < kEach; i++) {
      score += __bfloat162float(q[lane + i * kWarp]) * __bfloat162float(k[at + lane + i * kWarp]);
    }
    score = warp_sum(score) * scale_log2;
    float next = fmaxf(top, score), factor = exp2f(top - next), weight = exp2f(score - next);
    top = next;
    sum = sum * factor + weight;
    for (int i = 0; i < kEach; i++) mixed[i] = mixed[i] * factor + weight * __bfloat162float(v[at + lane + i * kWarp]);
  }
  for (int i = 0; i < kEach; i++) out[static_cast<size_t>(unit) * kHeadDim + lane + i * kWarp] = mixed[i] / sum;
}

/* What attention should give for a sample of a batch's tokens, and how far off a kernel's results are. */
class AttentionReference {
 public:
  AttentionReference(const Batch& batch, const Bf16* qkv, const Bf16* k, const Bf16* v, int most, uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::vector<Query> queries;
    for (int s = 0; s < batch.size(); s++) {
      for (int i = 0; i < batch.sequences[s].extend; i++) {
        queries.push_back({batch.first[s] + i, batch.size() - 1 - s, batch.sequences[s].cached + i + 1});
      }
    }
    if (static_cast<int>(queries.size()) > most) {
      std::shuffle(queries.begin(), queries.end() - 1, random);
      queries.erase(queries.begin(), queries.end() - most);  // the last token stays
    }
    for (const Query& query : queries) tokens_.push_back(query.token);
    Array<Query> on_device(queries);
    int num = static_cast<int>(queries.size());
    Array<float> out(static_cast<size_t>(num) * kHeads * kHeadDim);
    naive_attention<<<(num * kHeads + 7) / 8, 8 * kWarp, 0, stream()>>>(qkv, k, v, batch.table, batch.stride, on_device, num,
                                                                       kScaleLog2, out);
    want_ = out.read();
  }

  double error(const Outputs& outputs) const {
    constexpr size_t kCols = kHeads * kHeadDim;
    std::vector<float> got;
    for (int token : tokens_) {
      std::vector<float> row = outputs.read(token * kCols, kCols);
      got.insert(got.end(), row.begin(), row.end());
    }
    return outputs.is_guard_whole() ? error_of(want_, got) : INFINITY;
  }

 private:
  std::vector<int> tokens_;
  std::vector<float> want_;
};

/* y[m, n] = x[m, k] w[n, k]^T; a warp a number. */
static __global__ void naive_product(const Bf16* w, const Bf16* x, float* y, int n, int k) {
  int row = (blockIdx.x * blockDim.x + threadIdx.x) / kWarp, lane = threadIdx.x % kWarp;
  if (row >= n) return;
  float sum = 0;
  for (int i = lane; i < k; i += kWarp) {
    sum += __bfloat162float(w[static_cast<size_t>(row) * k + i]) * __bfloat162float(x[static_cast<size_t>(blockIdx.y) * k + i]);
  }
  sum = warp_sum(sum);
  if (lane == 0) y[static_cast<size_t>(blockIdx.y) * n + row] = sum;
}

inline std::vector<float> reference_product(const Bf16* w, const Bf16* x, int m, int n, int k) {
  Array<float> y(static_cast<size_t>(m) * n);
  naive_product<<<dim3((n + 7) / 8, m), 8 * kWarp, 0, stream()>>>(w, x, y, n, k);
  CHECK(cudaGetLastError());
  return y.read();
}
