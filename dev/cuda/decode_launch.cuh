/* How decode attention's steps are launched, for the ladders that have one of them in it: as Attention.java launches them. */
#pragma once

#include "bench.cuh"
#include "decode_barriers.cuh"

constexpr int kMostSplits = 32;
constexpr int kMostSequences = 256;

/* How a sequence is split: into parts of min_len at least, `most` at most, or if that is 0 as many as run at once. */
struct Splits {
  int min_len, most;

  int max(int num_sequences, int blocks_at_once) const {
    if (most > 0) return most;
    int rounded = 1;
    while (rounded < num_sequences) rounded *= 2;
    return std::max(1, std::min(kMostSplits, blocks_at_once / (rounded * kKvHeads)));
  }
};

constexpr Splits kAsBuilt{128, 0}, kAsBefore{256, 16};

/* Partial results. */
struct DecodeScratch {
  Array<float> mixed{static_cast<size_t>(kMostSequences) * kHeads * kMostSplits * (kHeadDim + 4)};
  Array<float> weight{static_cast<size_t>(kMostSequences) * kHeads * kMostSplits};
  Array<int> num_done{static_cast<size_t>(kMostSequences) * kKvHeads};
  DecodeScratch() { num_done.set_bytes(0); }
};

/* What differs between the steps that are decode_attention with other constants. */
struct RingShape {
  Splits splits = kAsBuilt;
  int stages = 3, warps = 4;
  bool is_sequence_first = false;
};

template <typename Kernel>
void launch_ring(Kernel kernel, const RingShape& shape, const DecodeScratch& scratch, const KvPool& pool, int layer,
                 const Bf16* qkv, Start start, Bf16* out) {
  const Batch& b = pool.batch;
  size_t bytes = static_cast<size_t>(shape.warps) * shape.stages * 2 * 16 * (kHeadDim + 8) * sizeof(Bf16);
  unsigned max_splits = shape.splits.max(b.size(), 2 * num_multiprocessors()), num = b.size();
  dim3 grid = shape.is_sequence_first ? dim3(num, max_splits, kKvHeads) : dim3(kKvHeads, max_splits, num);
  launch(start, grid, shape.warps * kWarp, bytes, kernel, qkv, kQkvCols, pool.k(layer), pool.v(layer), b.table, b.stride,
         b.row, b.cached, b.first_token, b.newest_slot, b.ones, shape.splits.min_len, max_splits, kHeads, kKvHeads,
         kScaleLog2, scratch.mixed, scratch.weight, scratch.num_done, out);
}

/* Never early, as these kernels don't wait for the ones ahead. */
inline void launch_barriers(const DecodeScratch& scratch, const KvPool& pool, int layer, const Bf16* qkv, Bf16* out) {
  const Batch& b = pool.batch;
  int pairs = b.size() * kKvHeads;
  int walkers = std::max(1, std::min(decode_barriers::kMaxSplits, (8 * num_multiprocessors() + pairs - 1) / pairs));
  launch(Start::kPlain, dim3(b.size(), kKvHeads, walkers), decode_barriers::kThreads, decode_barriers::kSharedBytes,
         decode_barriers::attend, qkv, kQkvCols, pool.k(layer), pool.v(layer), b.table, b.stride, b.row, b.cached,
         b.first_token, kHeads, kKvHeads, kScaleLog2, scratch.mixed, out);
  launch(Start::kPlain, dim3(b.size(), kHeads), kHeadDim, 0, decode_barriers::merge, scratch.mixed, b.cached, b.first_token,
         kHeads, out);
}
