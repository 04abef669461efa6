/* shared: the ladder of decode attention behind shared prefixes. One layer, 256 rows, 32 query heads over 8 KV heads of 128. A row for each step: µs of
   all three kernels, launched early, and of each alone, plainly, the segments' also as TFLOP/s and as TB/s of reading each segment once; several
   layers' K and V in turns. */
#include "bench.cuh"
#include "decode_launch.cuh"
#include "steps/decode_now.cuh"
#include "steps/shared_all_registers.cuh"
#include "steps/shared_mma.cuh"
#include "steps/shared_mma_two_blocks.cuh"
#include "steps/shared_no_turns.cuh"
#include "steps/shared_now.cuh"
#include "steps/shared_tail.cuh"

namespace {

using SharedKernel = decltype(&shared_now::shared_wgmma_bf16_128);

constexpr int kItemInts = 8;
constexpr int kTileSequences = 128 / (kHeads / kKvHeads);
constexpr int kHalvedSequences = kTileSequences / 2, kLeastHalvedLen = 1024;
constexpr int kItemOverhead = 96;  // tokens, as in SharedItems
constexpr int kLayers = 8;
constexpr size_t kPoolNumbers = size_t{9} << 30;

/* Tokens [from, to) that the rows at places [first, end) have in common. */
struct Segment {
  int from, to, first, end;
  int len() const { return to - from; }
  int num_rows() const { return end - first; }
  int num_tiles() const { return (num_rows() + kTileSequences - 1) / kTileSequences; }
};

struct Scene {
  Batch batch;
  std::vector<Segment> segments;
  std::vector<int> order;  // sequence at a place
  Array<int> shared_len;

  double pairs() const {
    double all = 0;
    for (const Segment& s : segments) all += static_cast<double>(s.num_rows()) * s.len();
    return all;
  }
  double tokens() const {
    double all = 0;
    for (const Segment& s : segments) all += s.len();
    return all;
  }
};

/* Rows in groups with a prefix each, and tail_len tokens of their own. */
Scene make_scene(int num_rows, int num_groups, int prefix_len, int tail_len) {
  std::mt19937 random(7);
  std::vector<int> order(num_rows);
  for (int i = 0; i < num_rows; i++) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  size_t num_slots = static_cast<size_t>(num_groups) * prefix_len + static_cast<size_t>(num_rows) * tail_len;
  std::vector<int> all = random_slots(num_slots, kRunLen, random);
  std::vector<std::vector<int>> slots(num_rows);
  std::vector<Segment> segments;
  auto own = all.begin() + static_cast<size_t>(num_groups) * prefix_len;
  int each = (num_rows + num_groups - 1) / num_groups;
  for (int place = 0; place < num_rows; place++) {
    auto prefix = all.begin() + static_cast<size_t>(place / each) * prefix_len;
    std::vector<int>& of_row = slots[order[place]];
    of_row.assign(prefix, prefix + prefix_len);
    of_row.insert(of_row.end(), own, own + tail_len);
    own += tail_len;
  }
  for (int g = 0; g * each < num_rows; g++) segments.push_back({0, prefix_len, g * each, std::min(num_rows, (g + 1) * each)});
  std::vector<Sequence> sequences(num_rows, {prefix_len + tail_len - 1, 1});
  return {Batch(sequences, slots), segments, order, Array<int>(std::vector<int>(num_rows, prefix_len))};
}

struct Step {
  const char* name;
  SharedKernel kernel;
  int threads, bytes, blocks, tile_len;  // blocks of a multiprocessor
  bool may_halve;                        // both warp groups on an item's few rows, each with half of the tokens
  int piece_len;                         // 0: as SharedItems chooses
  Start start = Start::kEarly;           // of all three kernels one after another
};

/* What the host makes of a step's segments: SharedItems for one level. */
struct Plan {
  Array<int> work, order, first_record, num_records, list;
  Array<float> values, weights;
  int piece_len = 0;

  Plan(const Scene& scene, const Step& step) {
    auto parts = [&](const Segment& s) {
      return step.may_halve && s.num_rows() <= kHalvedSequences && s.len() >= kLeastHalvedLen ? 2 : 1;
    };
    auto pieces = [&](const Segment& s, int len) { return ((s.len() + parts(s) - 1) / parts(s) + len - 1) / len; };
    auto whole_tiles = [&](long len) { return static_cast<int>((len + step.tile_len - 1) / step.tile_len * step.tile_len); };
    long blocks = static_cast<long>(step.blocks) * num_multiprocessors(), least = 0, all = 0;
    for (const Segment& s : scene.segments) all += static_cast<long>(s.num_tiles()) * (s.len() / parts(s)) * kKvHeads;
    for (int turns = 1; turns <= 8; turns++) {
      for (int i = 0; i < 3; i++) {
        int len = whole_tiles(std::max(256L, (all + turns * blocks - 1) / (turns * blocks))) + i * step.tile_len;
        long units = 0;
        for (const Segment& s : scene.segments) units += static_cast<long>(s.num_tiles()) * pieces(s, len) * kKvHeads;
        long time = (units + blocks - 1) / blocks * (len + kItemOverhead);
        if (piece_len == 0 || time < least) least = time, piece_len = len;
      }
    }
    if (step.piece_len > 0) piece_len = step.piece_len;

    std::vector<int> items(kItemInts, 0), first, num;
    std::vector<std::vector<int>> of_row(scene.batch.size());
    int record = 0;
    for (const Segment& s : scene.segments) {
      int num_pieces = pieces(s, piece_len), each = whole_tiles((s.len() + num_pieces - 1) / num_pieces);
      int row = scene.batch.size() - 1 - scene.order[s.first];
      for (int at = s.from; at < s.to; at += each) {
        for (int place = s.first; place < s.end; place += kTileSequences) {
          int own = record + place - s.first;
          for (int i : {at, std::min(s.to, at + each), place, std::min(kTileSequences, s.end - place), own, row,
                        parts(s) == 2 ? own + s.num_rows() : -1, 0}) {
            items.push_back(i);
          }
          items[0]++;
        }
        for (int part = 0; part < parts(s); part++) {
          for (int place = s.first; place < s.end; place++) of_row[scene.order[place]].push_back(record++);
        }
      }
    }
    std::vector<int> records;
    for (const std::vector<int>& own : of_row) {
      first.push_back(static_cast<int>(records.size()));
      num.push_back(static_cast<int>(own.size()));
      records.insert(records.end(), own.begin(), own.end());
    }
    work = Array<int>(items), order = Array<int>(scene.order), list = Array<int>(records);
    first_record = Array<int>(first), num_records = Array<int>(num);
    values = Array<float>(static_cast<size_t>(record) * kHeads * kHeadDim);
    weights = Array<float>(static_cast<size_t>(record) * kHeads);
    values.set_bytes(0xff);
    weights.set_bytes(0xff);
  }
};

struct Memory {
  Array<Bf16> pool = noise(kPoolNumbers, 1, 1);
  Array<Bf16> qkv = noise(static_cast<size_t>(kMostSequences) * kQkvCols, 1, 2);
  DecodeScratch scratch;
  Outputs out{static_cast<size_t>(kMostSequences) * kHeads * kHeadDim};
};

/* One layer's kernels. */
struct Run {
  const Memory& memory;
  const Scene& scene;
  const Step& step;
  const Plan& plan;
  KvPool kv{memory.pool, scene.batch};

  int max_splits() const {
    constexpr Splits kOfTails{128, 0};
    return std::min(8, kOfTails.max(scene.batch.size(), 4 * num_multiprocessors()));
  }
  void segments(int layer, Start start) const {
    launch(start, step.blocks * num_multiprocessors(), step.threads, step.bytes, step.kernel, memory.qkv, kQkvCols,
           kv.k(layer), kv.v(layer), scene.batch.table, scene.batch.stride, plan.work, plan.order, scene.batch.first_token,
           kHeads, kKvHeads, kScaleLog2, plan.values, plan.weights);
  }
  void tails(int layer, Start start) const {
    constexpr int kBytes = 3 * 2 * 2 * 16 * (kHeadDim + 8) * sizeof(Bf16);
    const Batch& b = scene.batch;
    launch(start, dim3(kKvHeads, max_splits(), b.size()), 96, kBytes, shared_tail::shared_tail_bf16_128_8, memory.qkv, kQkvCols,
           kv.k(layer), kv.v(layer), b.table, b.stride, b.row, b.cached, b.first_token, kHeads, kKvHeads, kScaleLog2,
           memory.scratch.mixed, memory.out, scene.shared_len, max_splits());
  }
  void add_up(Start start) const {
    const Batch& b = scene.batch;
    launch(start, dim3(b.size(), kHeads / 4), 128, 0, shared_tail::shared_tail_join_bf16_128, memory.scratch.mixed, b.cached,
           scene.shared_len, b.first_token, plan.first_record, plan.num_records, plan.list, plan.values, plan.weights,
           kHeads, max_splits(), memory.out);
  }
  void all(int layer) const {
    segments(layer, step.start);
    tails(layer, step.start);
    add_up(step.start);
  }
};

double time_layers(const KvPool& kv, const std::function<void(int)>& layer) {
  int num = kv.num_layers(kLayers);
  return time_us([&] {
    for (int i = 0; i < num; i++) layer(i);
  }) / num;
}

void run_step(Memory& memory, const Scene& scene, const Step& step, const AttentionReference& reference, bool is_timed) {
  Plan plan(scene, step);
  Run run{memory, scene, step, plan};
  memory.out.poison();
  run.all(0);
  double error = reference.error(memory.out);
  judge(error < kTolerance, step.name, std::to_string(scene.batch.size()) + " rows, error " + std::to_string(error));
  if (!is_timed) return;
  double all = time_layers(run.kv, [&](int layer) { run.all(layer); });
  double segments = time_layers(run.kv, [&](int layer) { run.segments(layer, Start::kPlain); });
  std::printf("| %s | %d | %.1f | %.1f (%.0f TFLOP/s, %.1f TB/s) | %.1f | %.1f |\n", step.name, plan.piece_len, all, segments,
              4.0 * kHeads * kHeadDim * scene.pairs() / segments / 1e6, 4.0 * scene.tokens() * kSlotNumbers / segments / 1e6,
              time_layers(run.kv, [&](int layer) { run.tails(layer, Start::kPlain); }),
              time_layers(run.kv, [&](int) { run.add_up(Start::kPlain); }));
  std::fflush(stdout);
}

std::vector<Step> all_steps() {
  constexpr int kMmaBytes = 2 * 2 * 64 * (kHeadDim + 8) * sizeof(Bf16);
  constexpr int kWgmmaBytes = 5 * 128 * kHeadDim * sizeof(Bf16) + 64 + 1024;
  SharedKernel now = shared_now::shared_wgmma_bf16_128;
  return {
      {"mma.sync (other GPUs)", shared_mma::shared_attention_bf16_128, 256, kMmaBytes, 1, 64, false, 0, Start::kPlain},
      {"two blocks, 128 registers, spilling", shared_mma_two_blocks::shared_attention_bf16_128, 256, kMmaBytes, 2, 64, false, 0,
       Start::kPlain},
      {"wgmma", now, 384, kWgmmaBytes, 1, 128, false, 0},
      {"both groups on few rows: as built", now, 384, kWgmmaBytes, 1, 128, true, 0},
      {"the same, launched plainly", now, 384, kWgmmaBytes, 1, 128, true, 0, Start::kPlain},
      {"the same, no registers left to tails", shared_all_registers::shared_wgmma_bf16_128, 384, kWgmmaBytes, 1, 128, true, 0},
      {"the same, groups not in turns", shared_no_turns::shared_wgmma_bf16_128, 384, kWgmmaBytes, 1, 128, true, 0},
      {"the same, pieces of 512", now, 384, kWgmmaBytes, 1, 128, true, 512},
      {"pieces of 2,048", now, 384, kWgmmaBytes, 1, 128, true, 2048},
  };
}

}  // namespace

int main() {
  Memory memory;
  introduce("decode attention behind shared prefixes", memory.pool);
  std::vector<Step> steps = all_steps();
  struct Shape {
    int rows, groups, prefix, tail;
    bool is_timed;
  };
  for (Shape s : {Shape{23, 3, 77, 40, false}, {70, 2, 1000, 300, false}, {16, 1, 3000, 1, false}, {256, 1, 8192, 128, true},
                  {256, 16, 8192, 128, true}, {256, 4, 4096, 144, true}, {64, 1, 1024, 128, true}}) {
    Scene scene = make_scene(s.rows, s.groups, s.prefix, s.tail);
    KvPool kv{memory.pool, scene.batch};
    AttentionReference reference(scene.batch, memory.qkv, kv.k(0), kv.v(0), 64);
    auto run_each = [&](int layer) {
      launch_ring(decode_now::decode_attention_bf16_128_8, {}, memory.scratch, kv, layer, memory.qkv, Start::kEarly, memory.out);
    };
    memory.out.poison();
    run_each(0);
    judge(reference.error(memory.out) < kTolerance, "each row for itself", std::to_string(s.rows) + " rows");
    if (s.is_timed) {
      double each = time_layers(kv, run_each);
      std::printf("\n%d rows, %d prefixes of %d, %d tokens of their own, µs a layer; each row for itself: %.1f\n\n", s.rows,
                  s.groups, s.prefix, s.tail, each);
      std::printf("| step | piece | all | segments | tails | adding up |\n| --- | --- | --- | --- | --- | --- |\n");
    }
    for (const Step& step : steps) run_step(memory, scene, step, reference, s.is_timed);
  }
  return num_wrong() > 0;
}
