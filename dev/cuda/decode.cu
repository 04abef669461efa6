/* decode: the ladder of decode_attention. One layer of 32 query heads over 8 KV heads of 128, one token a sequence; times in a graph over as many
   layers as fit into memory. A row for each step: µs of a layer, share of the read limit, launched plainly and early. */
#include "bench.cuh"
#include "decode_launch.cuh"
#include "steps/decode_four_stages.cuh"
#include "steps/decode_now.cuh"
#include "steps/decode_sequences_first.cuh"
#include "steps/decode_two_stages.cuh"
#include "steps/decode_two_warps.cuh"

namespace {

using DecodeKernel = decltype(&decode_now::decode_attention_bf16_128_8);

constexpr size_t kPoolNumbers = size_t{9} << 30;

struct Memory {
  Array<Bf16> pool = noise(kPoolNumbers, 1, 1);
  Array<Bf16> qkv = noise(static_cast<size_t>(kMostSequences) * kQkvCols, 1, 2);
  DecodeScratch scratch;
};

struct Step {
  const char* name;
  bool starts_early;
  std::function<void(const Memory&, const KvPool&, int layer, Start, Bf16* out)> run;
};

Step ring(const char* name, DecodeKernel kernel, const RingShape& shape) {
  return {name, true, [=](const Memory& memory, const KvPool& pool, int layer, Start start, Bf16* out) {
            launch_ring(kernel, shape, memory.scratch, pool, layer, memory.qkv, start, out);
          }};
}

void run_barriers(const Memory& memory, const KvPool& pool, int layer, Start, Bf16* out) {
  launch_barriers(memory.scratch, pool, layer, memory.qkv, out);
}

std::vector<Step> all_steps() {
  DecodeKernel now = decode_now::decode_attention_bf16_128_8, two_stages = decode_two_stages::decode_attention_bf16_128_8;
  return {
      {"block barriers, merged by a kernel", false, run_barriers},
      ring("rings of warps, two stages, splits as before", two_stages, {kAsBefore, 2}),
      ring("three stages", now, {kAsBefore}),
      ring("splits of 128 at least, 32 at most", now, {{128, 32}}),
      ring("one part for each block that runs at once: as built", now, {}),
      ring("the same, two stages", two_stages, {kAsBuilt, 2}),
      ring("the same, four stages", decode_four_stages::decode_attention_bf16_128_8, {kAsBuilt, 4}),
      ring("the same, blocks of two warps", decode_two_warps::decode_attention_bf16_128_8, {kAsBuilt, 3, 2}),
      ring("the same, sequences side by side in the grid", decode_sequences_first::decode_attention_bf16_128_8,
           {kAsBuilt, 3, 4, true}),
  };
}

/* Twice each, so that counts which the first run left behind would show. */
void check(const Step& step, const Memory& memory, const Batch& batch, Outputs& out, const std::string& where) {
  KvPool pool{memory.pool, batch};
  AttentionReference reference(batch, memory.qkv, pool.k(0), pool.v(0), kMostSequences);
  for (Start start : {Start::kPlain, Start::kEarly}) {
    if (start == Start::kEarly && !step.starts_early) continue;
    out.poison();
    step.run(memory, pool, 0, start, out);
    step.run(memory, pool, 0, start, out);
    double error = reference.error(out);
    judge(error < kTolerance, step.name, where + ", error " + std::to_string(error));
  }
}

void time_steps(const std::vector<Step>& steps, const Memory& memory, const Batch& batch, Outputs& out, double limit) {
  KvPool pool{memory.pool, batch};
  int layers = pool.num_layers(36);
  for (const Step& step : steps) {
    check(step, memory, batch, out, "the timed shape");
    std::printf("| %s |", step.name);
    for (Start start : {Start::kPlain, Start::kEarly}) {
      if (start == Start::kEarly && !step.starts_early) {
        std::printf(" |");
        continue;
      }
      double us = time_us([&] {
        for (int layer = 0; layer < layers; layer++) step.run(memory, pool, layer, start, out);
      });
      double bytes = 4.0 * batch.num_pairs * kSlotNumbers;
      std::printf(" %.1f (%.0f %%) |", us / layers, 100 * bytes / (us / layers) / 1e3 / limit);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

}  // namespace

int main() {
  Memory memory;
  Outputs out(static_cast<size_t>(kMostSequences) * kHeads * kHeadDim);
  std::vector<Step> steps = all_steps();
  double limit = introduce("decode attention", memory.pool);

  std::vector<Sequence> edges;
  for (int len : {1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 257, 1000, 2049, 4097}) edges.push_back({len - 1, 1});
  Batch many(edges, 1, 3), one({{2999, 1}}, kRunLen, 4), none({{0, 1}}, 1, 5);
  for (const Step& step : steps) {
    check(step, memory, many, out, "lengths at edges");
    check(step, memory, one, out, "3,000 tokens");
    check(step, memory, none, out, "one token");
  }

  struct Scene {
    int num, len, run_len;
  };
  for (Scene s : {Scene{1, 1088, kRunLen}, {1, 8192, kRunLen}, {8, 1088, kRunLen}, {64, 1088, kRunLen}, {64, 4096, kRunLen},
                  {64, 4096, 1}, {256, 1088, kRunLen}}) {
    std::printf("\n%d x %d, slots in runs of %d, µs a layer (share of the read limit)\n\n", s.num, s.len, s.run_len);
    std::printf("| step | plain | early |\n| --- | --- | --- |\n");
    Batch batch(std::vector<Sequence>(s.num, {s.len - 1, 1}), s.run_len, 5);
    time_steps(steps, memory, batch, out, limit);
  }
  return num_wrong() > 0;
}
