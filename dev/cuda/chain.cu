/* chain: a whole decode step of the Qwen3-8B shape as a chain of kernels in one graph: 36 layers, weights of their own each, and the largest logit;
   nothing of the host; products of more than 8 rows by cuBLASLt. First what each step of the ladder brought, then what the step takes less without a
   part. µs a step.
   LT: the folder of cuBLASLt. */
#include "bench.cuh"
#include "cublas.cuh"
#include "decode_launch.cuh"
#include "steps/argmax.cuh"
#include "steps/decode_now.cuh"
#include "steps/few_rows.cuh"
#include "steps/qkv_transform.cuh"
#include "steps/rms_norm.cuh"
#include "steps/rows.cuh"

namespace {

constexpr int kHidden = 4096, kFfn = 12288, kVocabulary = 151936, kLayers = 36;
constexpr int kLen = 1088;  // tokens of a sequence
constexpr int kMostFewRows = 8, kWideFrom = 5;
constexpr int kMostParts = 32;  // of a row of logits
constexpr int kRingBytes = 87040;  // of few_rows, 16 rows of w
constexpr float kEps = 1e-6f;
constexpr size_t kPoolNumbers = size_t{22} << 30;
constexpr double kChainTolerance = 0.05;  // of the largest logit, after rounding to bf16 in other places in four layers

enum Part { kAttention = 1, kTransform = 2, kNorms = 4, kSilu = 8, kProducts = 16, kHead = 32, kArgmax = 64 };

enum class Products { kCublas, kFewRows, kFewRowsNormed };

/* A step of the ladder. */
struct Step {
  const char* name;
  Start start;
  bool has_rings;  // in attention
  Products products;
  int tile_rows;    // of few_rows; 0: as FewRows chooses
  int left_out = 0;

  bool has(Part part) const { return (left_out & part) == 0; }
};

struct Layer {
  Array<Bf16> qkv, o, gate_up, down;
};

struct Memory {
  Array<Bf16> pool = noise(kPoolNumbers, 1, 1);
  std::vector<Layer> layers;
  Array<Bf16> head = weight(kVocabulary, kHidden, 99);
  Array<Bf16> embeddings = noise(static_cast<size_t>(kMostSequences) * kHidden, 1, 2);
  Array<Bf16> residual = rows(kHidden), normed = rows(kHidden), qkv = rows(kQkvCols), delta = rows(kHidden);
  Array<Bf16> gate_up = rows(2 * kFfn), activated = rows(kFfn);
  Outputs attended{static_cast<size_t>(kMostSequences) * kHidden};
  Array<float> logits{static_cast<size_t>(kMostSequences) * kVocabulary};
  Array<float> norm{std::vector<float>(kHidden, 1)}, rotation{std::vector<float>(static_cast<size_t>(kLen) * kHeadDim / 2, 0.7f)};
  Array<argmax::Best> largest{static_cast<size_t>(kMostSequences) * kMostParts};
  Array<unsigned> arrived{kMostSequences};
  Array<int> token{kMostSequences}, index;
  DecodeScratch scratch;
  CublasLt cublas;

  Memory() {
    arrived.set_bytes(0);
    for (int i = 0; i < kLayers; i++) {
      layers.push_back({weight(kQkvCols, kHidden, 4 * i), weight(kHidden, kHidden, 4 * i + 1),
                        weight(2 * kFfn, kHidden, 4 * i + 2), weight(kHidden, kFfn, 4 * i + 3)});
    }
    std::vector<int> each(kMostSequences);
    for (int i = 0; i < kMostSequences; i++) each[i] = i;
    index = Array<int>(each);
  }

 private:
  static Array<Bf16> weight(int n, int k, int seed) {
    return noise(static_cast<size_t>(n) * k, 1 / std::sqrt(static_cast<float>(k)), 100 + seed);
  }
  static Array<Bf16> rows(int cols) { return Array<Bf16>(static_cast<size_t>(kMostSequences) * cols); }
};

/* The kernels of one step for a batch. */
class Chain {
 public:
  Chain(Memory& memory, const Batch& batch, const Step& step)
      : m_(memory), step_(step), kv_{memory.pool, batch}, rows_(batch.size()) {
    std::vector<int> last(rows_, kLen - 1);
    position_ = Array<int>(last);
  }

  void run(int num_layers) {
    bool is_normed = step_.products == Products::kFewRowsNormed && step_.has(kNorms);
    run_kernel(rows_, 256, rows::gather_rows_bf16, m_.embeddings, m_.index, kHidden, m_.residual);
    for (int i = 0; i < num_layers; i++) {
      Layer& layer = m_.layers[i];
      if (i == 0 && !is_normed) norm();
      into(layer.qkv, m_.qkv, kQkvCols, is_normed);
      if (step_.has(kTransform)) {
        constexpr int kNumbers = 16, kThreads = 256;  // of a thread; of a block
        int blocks = (rows_ * kQkvCols / kNumbers + kThreads - 1) / kThreads;
        run_kernel(blocks, kThreads, qkv_transform::qkv_transform_bf16_128, m_.qkv, nullptr, m_.norm, m_.norm, kEps,
                   m_.rotation, m_.rotation, 0, position_, kv_.batch.newest_slot, kv_.k(i), kv_.v(i), kHeads, kKvHeads, rows_);
      }
      if (step_.has(kAttention)) attend(i);
      out_of(layer.o, m_.attended, kHidden, is_normed);
      into(layer.gate_up, m_.gate_up, 2 * kFfn, is_normed);
      if (step_.has(kSilu)) {
        run_kernel(dim3((kFfn + 2047) / 2048, rows_), 256, rows::silu_mul_bf16, m_.gate_up, kFfn, m_.activated);
      }
      out_of(layer.down, m_.activated, kFfn, is_normed);
    }
    if (is_normed) norm();
    if (step_.has(kHead)) multiply(m_.head, m_.normed, m_.logits, kVocabulary, kHidden, true);
    if (step_.has(kArgmax)) {
      int splits = std::max(1, std::min(kMostParts, num_multiprocessors() / rows_));
      run_kernel(dim3(splits, rows_), 1024, argmax::argmax_f32, m_.logits, kVocabulary, m_.token, m_.largest, m_.arrived);
    }
  }

 private:
  template <typename... P, typename... A>
  void run_kernel(dim3 grid, int threads, void (*kernel)(P...), const A&... arguments) {
    launch(step_.start, grid, threads, 0, kernel, arguments...);
  }

  void norm() {
    if (step_.has(kNorms)) run_kernel(rows_, 256, rms_norm::rms_norm_bf16_4096, m_.residual, m_.norm, kEps, kHidden, m_.normed);
  }

  /* A product of the normed residual. */
  void into(const Bf16* w, Bf16* y, int n, bool is_normed) {
    if (!is_normed) return multiply(w, m_.normed, y, n, kHidden, false);
    if (!step_.has(kProducts)) return;
    few(&few_rows::few_rows_normed_16, &few_rows::few_rows_normed_32, w, m_.residual, y, n, kHidden, m_.norm);
  }

  /* A product that is added to the residual, and the norm of that. */
  void out_of(const Bf16* w, const Bf16* x, int k, bool is_normed) {
    if (is_normed) {
      if (!step_.has(kProducts)) return;
      return few(&few_rows::few_rows_added_16, &few_rows::few_rows_added_32, w, x, m_.residual, kHidden, k, nullptr);
    }
    multiply(w, x, m_.delta, kHidden, k, false);
    if (step_.has(kNorms)) {
      run_kernel(rows_, 256, rms_norm::rms_norm_add_bf16_4096, m_.residual, m_.delta, m_.norm, kEps, kHidden, m_.normed);
    }
  }

  void multiply(const Bf16* w, const Bf16* x, void* y, int n, int k, bool is_float) {
    if (!step_.has(kProducts) && !is_float) return;
    if (step_.products == Products::kCublas || rows_ > kMostFewRows) {
      m_.cublas.multiply(w, x, y, rows_, n, k, is_float);
    } else if (is_float) {
      few(&few_rows::few_rows_float_16, &few_rows::few_rows_float_32, w, x, y, n, k, nullptr);
    } else {
      few(&few_rows::few_rows_bf16_16, &few_rows::few_rows_bf16_32, w, x, y, n, k, nullptr);
    }
  }

  template <typename Kernel>
  void few(Kernel narrow, Kernel wide, const Bf16* w, const Bf16* x, void* y, int n, int k, const float* norm) {
    int tile_rows = step_.tile_rows > 0 ? step_.tile_rows : rows_ >= kWideFrom ? 32 : 16;
    int blocks = std::min(num_multiprocessors() * (32 / tile_rows), n / tile_rows);
    size_t bytes = static_cast<size_t>(kRingBytes) * (tile_rows / 16) + (norm != nullptr ? k * sizeof(float) : 0);
    launch(step_.start, blocks, 288, bytes, tile_rows == 16 ? narrow : wide, w, x, y, n, k, rows_, norm, kEps);
  }

  void attend(int layer) {
    if (step_.has_rings) {
      launch_ring(decode_now::decode_attention_bf16_128_8, {}, m_.scratch, kv_, layer, m_.qkv, step_.start, m_.attended);
    } else {
      launch_barriers(m_.scratch, kv_, layer, m_.qkv, m_.attended);
    }
  }

  Memory& m_;
  Step step_;
  KvPool kv_;
  int rows_;
  Array<int> position_;
};

constexpr Step kSteps[] = {
    {"plain launches, block barriers, cuBLASLt", Start::kPlain, false, Products::kCublas, 0},
    {"attention with rings", Start::kPlain, true, Products::kCublas, 0},
    {"early starts", Start::kEarly, true, Products::kCublas, 0},
    {"own products, tiles of 16 rows", Start::kEarly, true, Products::kFewRows, 16},
    {"own products, tiles of 32 rows", Start::kEarly, true, Products::kFewRows, 32},
    {"norms in products: as built", Start::kEarly, true, Products::kFewRowsNormed, 0},
};

bool is_for(const Step& step, int rows) { return step.products == Products::kCublas || rows <= kMostFewRows; }

/* As built for so many rows. */
Step built(int rows, const char* name, int left_out) {
  Step step = rows <= kMostFewRows ? kSteps[5] : kSteps[2];
  step.name = name;
  step.left_out = left_out;
  return step;
}

/* Four layers' logits: a step's graph must give the bits of its kernels launched plainly, each time, and about what the first step gives. */
void check(Memory& memory, const Batch& batch) {
  constexpr int kFew = 4, kTimes = 10;
  size_t num = static_cast<size_t>(batch.size()) * kVocabulary;
  std::vector<float> reference;
  for (Step step : kSteps) {
    if (!is_for(step, batch.size())) continue;
    Step plain = step;
    plain.start = Start::kPlain;
    Chain plainly(memory, batch, plain), early(memory, batch, step);
    std::vector<float> first;
    for (int i = 0; i < kTimes; i++) {
      for (Array<Bf16>* of : {&memory.residual, &memory.normed, &memory.qkv, &memory.delta, &memory.gate_up,
                              &memory.activated}) {
        of->set_bytes(0xff);
      }
      memory.attended.poison();
      memory.logits.set_bytes(0xff);
      if (i == 0) {
        plainly.run(kFew);
      } else {
        time_us([&] { early.run(kFew); }, 1);
      }
      std::vector<float> logits = memory.logits.read(num);
      if (i == 0) first = logits;
      if (reference.empty()) reference = logits;
      judge(std::memcmp(first.data(), logits.data(), num * sizeof(float)) == 0, step.name, "other bits in a graph");
      double error = error_of(reference, logits);
      judge(error < kChainTolerance, step.name, std::to_string(batch.size()) + " rows, error " + std::to_string(error));
    }
  }
}

}  // namespace

int main() {
  Memory memory;
  introduce("a decode step", memory.pool);
  constexpr int kSizes[] = {1, 8, 64, 256};
  std::vector<Batch> batches;
  for (int rows : kSizes) {
    batches.emplace_back(std::vector<Sequence>(rows, {kLen - 1, 1}), kRunLen, 5);
    if (rows < 256) check(memory, batches.back());
  }
  auto line = [&](const char* name, const std::function<const Step*(int)>& step_for) {
    std::printf("| %s |", name);
    for (const Batch& batch : batches) {
      const Step* step = step_for(batch.size());
      if (step == nullptr) {
        std::printf(" |");
        continue;
      }
      Chain chain(memory, batch, *step);
      std::printf(" %.0f |", time_us([&] { chain.run(kLayers); }));
      std::fflush(stdout);
    }
    std::printf("\n");
  };
  const char* kHeader = "| 1 | 8 | 64 | 256 rows of 1,088 tokens |\n| --- | --- | --- | --- | --- |\n";
  std::printf("\nWhat each step brought, µs\n\n| step %s", kHeader);
  for (const Step& step : kSteps) line(step.name, [&](int rows) { return is_for(step, rows) ? &step : nullptr; });

  struct Without {
    const char* name;
    int parts;
  };
  std::printf("\nAs built, above 8 rows with cuBLASLt's products, and without a part, µs\n\n| left out %s", kHeader);
  for (Without w : {Without{"nothing", 0}, {"attention", kAttention}, {"norms", kNorms}, {"transform", kTransform},
                    {"silu", kSilu}, {"lm_head", kHead}, {"largest logit", kArgmax}, {"products but lm_head", kProducts},
                    {"all but products", kAttention | kNorms | kTransform | kSilu | kArgmax}}) {
    Step step;
    line(w.name, [&](int rows) {
      step = built(rows, w.name, w.parts);
      return &step;
    });
  }
  return num_wrong() > 0;
}
