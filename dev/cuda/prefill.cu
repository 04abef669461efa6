/* prefill: the ladder of prefill attention. One layer of 32 query heads over 8 KV heads of 128. A row for each step: TFLOP/s of 4 * head_dim flops a
   pair of query and visible token, K, V and queries of several layers in turns. Steps that leave out a part on purpose show what the rest waits for. */
#include "bench.cuh"
#include "prefill_two_stages.cuh"
#include "steps/prefill_always_rescaled.cuh"
#include "steps/prefill_fixed_walk.cuh"
#include "steps/prefill_mma.cuh"
#include "steps/prefill_no_copies_wrong.cuh"
#include "steps/prefill_no_hold.cuh"
#include "steps/prefill_no_softmax_wrong.cuh"
#include "steps/prefill_no_turns.cuh"
#include "steps/prefill_products_wrong.cuh"
#include "steps/prefill_ring_of_four.cuh"

namespace {

using WgmmaKernel = decltype(&prefill_now::prefill_wgmma_bf16_128);

constexpr int kTileRows = 128;  // a row is a token and a head of its group
constexpr int kGroupSize = kHeads / kKvHeads;
constexpr int kMostTokens = 8192;
constexpr int kQueryLayers = 4;
constexpr double kTimedUs = 2500;  // of a graph, about
constexpr size_t kPoolNumbers = size_t{5} << 30;

/* The list of items that the host makes: those that see most tokens first, or in the sequences' order (TileOrder). */
struct Tiles {
  Array<int> sequence, index;
  int num;

  Tiles(const Batch& batch, bool is_sorted) {
    struct Tile {
      int sequence, index, seen;
    };
    std::vector<Tile> tiles;
    for (int s = 0; s < batch.size(); s++) {
      int num_rows = batch.sequences[s].extend * kGroupSize;
      for (int i = 0; i * kTileRows < num_rows; i++) {
        int last = (std::min((i + 1) * kTileRows, num_rows) - 1) / kGroupSize;
        tiles.push_back({s, i, (batch.sequences[s].cached + last + 128) / 128});
      }
    }
    if (is_sorted) {
      std::stable_sort(tiles.begin(), tiles.end(), [](const Tile& a, const Tile& b) { return a.seen > b.seen; });
    }
    std::vector<int> sequences, indices;
    for (const Tile& tile : tiles) {
      sequences.push_back(tile.sequence);
      indices.push_back(tile.index);
    }
    sequence = Array<int>(sequences), index = Array<int>(indices), num = static_cast<int>(tiles.size());
  }
};

struct Call {
  const Batch& batch;
  const Tiles& tiles;
  const Bf16 *qkv, *k, *v;
  unsigned* counts;
  Bf16* out;
};

struct Step {
  const char* name;
  bool is_right, is_sorted;
  std::function<void(const Call&)> run;
};

void run_mma(const Call& c) {
  constexpr int kBytes = 2 * 2 * 64 * (kHeadDim + 8) * sizeof(Bf16);
  const Batch& b = c.batch;
  launch(Start::kPlain, dim3(c.tiles.num, kKvHeads), 256, kBytes, prefill_mma::prefill_attention_bf16_128, c.qkv, kQkvCols,
         c.k, c.v, b.table, b.stride, b.row, b.cached, b.extend, b.first_token, c.tiles.sequence, c.tiles.index, kHeads,
         kKvHeads, kScaleLog2, c.out);
}

void run_two_stages(const Call& c) {
  const Batch& b = c.batch;
  launch(Start::kPlain, dim3(c.tiles.num, kKvHeads), prefill_two_stages::kThreads, prefill_two_stages::kSharedBytes,
         prefill_two_stages::prefill, c.qkv, kQkvCols, c.k, c.v, b.table, b.stride, b.row, b.cached, b.extend, b.first_token,
         c.tiles.sequence, c.tiles.index, kHeads, kKvHeads, kScaleLog2, c.out);
}

/* As PrefillAttention: as many heads together as the second level cache has room for, four at least. */
int heads_at_once(const Batch& batch) {
  double seen = 0;
  for (const Sequence& s : batch.sequences) seen += s.len();
  int num = kKvHeads;
  while (num > 4 && num * 2.0 * sizeof(Bf16) * seen * kHeadDim > 24 << 20) num /= 2;
  return num;
}

/* `heads`: taken together; 0: as built. */
Step wgmma(const char* name, WgmmaKernel kernel, int heads = 0, bool is_sorted = true, bool is_right = true) {
  return {name, is_right, is_sorted, [=](const Call& c) {
            constexpr int kBytes = 7 * 128 * kHeadDim * sizeof(Bf16) + 2048;  // queries of two items, five tiles, the rest
            const Batch& b = c.batch;
            int blocks = std::min(num_multiprocessors(), c.tiles.num * kKvHeads);
            launch(Start::kPlain, blocks, 384, kBytes, kernel, c.qkv, kQkvCols, c.k, c.v, b.table, b.stride, b.row, b.cached,
                   b.extend, b.first_token, c.tiles.sequence, c.tiles.index, c.tiles.num, kHeads, kKvHeads,
                   heads == 0 ? heads_at_once(b) : heads, kScaleLog2, c.counts, c.out);
          }};
}

std::vector<Step> all_steps() {
  WgmmaKernel now = prefill_now::prefill_wgmma_bf16_128;
  return {
      {"mma.sync (other GPUs)", true, true, run_mma},
      {"wgmma, two stages, a block a tile", true, true, run_two_stages},
      wgmma("wgmma, as built", now),
      wgmma("eight heads at once", now, 8),
      wgmma("one head at once", now, 1),
      wgmma("each block a fixed share of the list", prefill_fixed_walk::prefill_wgmma_bf16_128),
      wgmma("list in the sequences' order", now, 0, false),
      wgmma("ring of four tiles", prefill_ring_of_four::prefill_wgmma_bf16_128),
      wgmma("wait for values ahead of the softmax", prefill_no_hold::prefill_wgmma_bf16_128),
      wgmma("groups not in turns", prefill_no_turns::prefill_wgmma_bf16_128),
      wgmma("rescaled always", prefill_always_rescaled::prefill_wgmma_bf16_128),
      wgmma("without copies (wrong)", prefill_no_copies_wrong::prefill_wgmma_bf16_128, 0, true, false),
      wgmma("without softmax (wrong)", prefill_no_softmax_wrong::prefill_wgmma_bf16_128, 0, true, false),
      wgmma("without either (wrong)", prefill_products_wrong::prefill_wgmma_bf16_128, 0, true, false),
  };
}

struct Memory {
  Array<Bf16> pool = noise(kPoolNumbers, 1, 1);
  Array<Bf16> qkv = noise(static_cast<size_t>(kQueryLayers) * kMostTokens * kQkvCols, 1, 2);
  Array<unsigned> counts{2};
  Outputs out{static_cast<size_t>(kMostTokens) * kHeads * kHeadDim};
  Memory() { counts.set_bytes(0); }

  Call call(const KvPool& kv, const Tiles& tiles, int layer) const {
    size_t queries = static_cast<size_t>(layer % kQueryLayers) * kMostTokens * kQkvCols;
    return {kv.batch, tiles, qkv + queries, kv.k(layer), kv.v(layer), counts, out};
  }
};

void check(const Step& step, Memory& memory, const Batch& batch, int sample, const std::string& where) {
  if (!step.is_right) return;
  KvPool kv{memory.pool, batch};
  Tiles tiles(batch, step.is_sorted);
  Call call = memory.call(kv, tiles, 0);
  AttentionReference reference(batch, call.qkv, call.k, call.v, sample);
  memory.out.poison();
  step.run(call);
  double error = reference.error(memory.out);
  judge(error < kTolerance, step.name, where + ", error " + std::to_string(error));
}

/* A row's bits may not depend on how its prompt was cut: the second half of each sequence again, as a chunk of its own. */
void check_bits(const Step& step, Memory& memory, const std::vector<Sequence>& sequences) {
  if (!step.is_right) return;
  constexpr size_t kCols = kHeads * kHeadDim;
  std::vector<Sequence> halves;
  for (const Sequence& s : sequences) halves.push_back({s.cached + s.extend / 2, s.extend - s.extend / 2});
  Batch whole(sequences, 1, 9), half(halves, 1, 9);  // the same slots, as the lengths are the same
  std::vector<float> results[2];
  for (int i = 0; i < 2; i++) {
    const Batch& batch = i == 0 ? whole : half;
    Tiles tiles(batch, step.is_sorted);
    KvPool kv{memory.pool, batch};
    Call call = memory.call(kv, tiles, 0);
    Array<Bf16> queries(static_cast<size_t>(batch.num_tokens) * kQkvCols);
    for (int s = 0; s < batch.size(); s++) {
      size_t from = whole.first[s] + (i == 0 ? 0 : sequences[s].extend / 2);
      CHECK(cudaMemcpyAsync(queries + static_cast<size_t>(batch.first[s]) * kQkvCols, memory.qkv + from * kQkvCols,
                            sizeof(Bf16) * kQkvCols * batch.sequences[s].extend, cudaMemcpyDeviceToDevice, stream()));
    }
    call.qkv = queries;
    memory.out.poison();
    step.run(call);
    results[i] = memory.out.read(0, batch.num_tokens * kCols);
  }
  bool is_same = true;
  for (int s = 0; s < whole.size(); s++) {
    const float* first = results[0].data() + (whole.first[s] + sequences[s].extend / 2) * kCols;
    const float* second = results[1].data() + half.first[s] * kCols;
    is_same &= std::memcmp(first, second, half.sequences[s].extend * kCols * sizeof(float)) == 0;
  }
  judge(is_same, step.name, "halves of prompts: other bits");
}

double teraflops(const Step& step, const Memory& memory, const Batch& batch) {
  KvPool kv{memory.pool, batch};
  Tiles tiles(batch, step.is_sorted);
  int layers = kv.num_layers(8);
  auto run = [&](int num) {
    return time_us([&] {
      for (int i = 0; i < num; i++) step.run(memory.call(kv, tiles, i % layers));
    }, 3) / num;
  };
  double us = run(std::max(4, static_cast<int>(kTimedUs / run(2))));
  return 4.0 * kHeads * kHeadDim * batch.num_pairs / us / 1e6;
}

}  // namespace

int main() {
  Memory memory;
  introduce("prefill attention", memory.pool);
  std::vector<Step> steps = all_steps();

  std::vector<Sequence> edges = {{0, 1},  {127, 1}, {128, 1},   {0, 128}, {300, 129},
                                 {0, 31}, {0, 32},  {700, 200}, {1, 33},  {95, 2}};
  Batch few(edges, 1, 3), one({{0, 1}}, 1, 4), longer({{0, 4096}, {1000, 1500}, {5000, 77}}, kRunLen, 5);
  for (const Step& step : steps) {
    check(step, memory, few, 10'000, "edges");
    check(step, memory, one, 1, "one token");
    check(step, memory, longer, 64, "long prompts");
    check_bits(step, memory, edges);
  }

  struct Shape {
    const char* name;
    int num, cached, extend;
  };
  constexpr Shape kShapes[] = {{"1 x 8,192", 1, 0, 8192},
                               {"16 x 512", 16, 0, 512},
                               {"4 x 2,048", 4, 0, 2048},
                               {"1 x 2,048 after 8,192", 1, 8192, 2048},
                               {"64 x 128 after 4,096", 64, 4096, 128},
                               {"1 x 2,048", 1, 0, 2048}};
  std::vector<Batch> batches;
  std::printf("\nTFLOP/s, median of five rounds\n\n| step |");
  for (const Shape& s : kShapes) {
    batches.emplace_back(std::vector<Sequence>(s.num, {s.cached, s.extend}), kRunLen, 5);
    std::printf(" %s |", s.name);
  }
  std::printf("\n| --- |");
  for (size_t i = 0; i < batches.size(); i++) std::printf(" --- |");
  std::printf("\n");
  // The card's clock follows the power of what ran just before: in another order each round.
  constexpr size_t kRounds = 5;
  std::mt19937 random(11);
  std::vector<std::vector<double>> found(steps.size() * batches.size());
  std::vector<size_t> order(found.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t round = 0; round < kRounds; round++) {
    std::shuffle(order.begin(), order.end(), random);
    for (size_t i : order) {
      const Step& step = steps[i % steps.size()];
      const Batch& batch = batches[i / steps.size()];
      if (round == 0) check(step, memory, batch, 32, "a timed shape");
      found[i].push_back(teraflops(step, memory, batch));
    }
  }
  for (size_t s = 0; s < steps.size(); s++) {
    std::printf("| %s |", steps[s].name);
    for (size_t b = 0; b < batches.size(); b++) {
      std::vector<double>& all = found[b * steps.size() + s];
      std::sort(all.begin(), all.end());
      std::printf(" %.0f |", all[kRounds / 2]);
    }
    std::printf("\n");
  }
  return num_wrong() > 0;
}
