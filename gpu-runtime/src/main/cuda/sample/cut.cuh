/* Finds where top-k or top-p ends in a row, without sorting it.
   Tokens are counted in bins by their distance below the largest logit, 64 bins a unit; masses are sums of integers, so they don't depend on
   the order in which threads add. The tokens of the bin in which the cut lies are listed and sorted; if they are too many, their keys are binned
   again, finer each time. A key orders tokens as the cut does, and no two are equal, so this ends whatever the row holds. */
#pragma once

#include "row.cuh"

using Key = unsigned long long;
using Mass = unsigned long long;  // in units of 2^-44 of the most likely token's weight

constexpr int kBins = 2048;
constexpr float kBinsPerUnit = 64.0f;
constexpr float kNear = kBins / kBinsPerUnit;  // all tokens beyond are one bin, whose mass is less than 2^-44 a token
constexpr int kFarBin = kBins;
constexpr int kNoBin = -1;
constexpr int kListLen = 2048;
constexpr Key kKeepAll = ~0ull;
constexpr Mass kNoMassLimit = ~0ull;
constexpr double kMassUnits = 17592186044416.0;  // 2^44
constexpr float kDeficitUnits = 1048576.0f;      // 2^20; a token of a bin lacks at most 1 - e^(-1/64) of the weight at the bin's start
static_assert(kBins == 2 * kThreads && kListLen == 2 * kThreads, "a thread has two of each");

struct CutSpace {
  unsigned count[kBins];
  unsigned deficit[kBins];  // of the weights, relative to that at the bin's start; at most 2^18 tokens
  Key list[kListLen];
  int warp_count[kWarps];
  Mass warp_mass[kWarps];
  Key low, high;
  int bin, list_len;
  int count_before;  // tokens before the bin
  Mass mass_before;
};

/* The cut keeps the first max_count tokens, or fewer whose mass reaches min_mass; so many lie before the tokens that are looked at. */
struct Limits {
  int max_count;
  Mass min_mass;
  int count_before;
  Mass mass_before;

  __device__ __forceinline__ bool is_kept(int count, Mass mass) const { return count < max_count && mass < min_mass; }
};

/* By distance, or by falling logit, which may differ where distances are equal; equal ones by id. */
template <bool kByLogit>
__device__ __forceinline__ Key key_of(float logit, float distance, int id) {
  unsigned bits = __float_as_uint(distance);
  if (kByLogit) {
    unsigned of_logit = __float_as_uint(logit + 0.0f);  // -0 is 0
    bits = of_logit >> 31 ? of_logit : ~of_logit & 0x7fffffffu;
  }
  return static_cast<Key>(bits) << 32 | static_cast<unsigned>(id);
}

__device__ __forceinline__ int bin_of(float distance) {
  return distance < kNear ? static_cast<int>(distance * kBinsPerUnit) : kFarBin;
}

__device__ __forceinline__ float bin_start(int bin) { return bin * (1 / kBinsPerUnit); }

__device__ __forceinline__ void count_token(CutSpace& space, int to, float distance, int bin, bool needs_mass) {
  atomicAdd(&space.count[to], 1u);
  if (needs_mass && bin != kFarBin) {
    float x = distance - bin_start(bin);  // below 1/64
    float deficit = x * (1 - x * (0.5f - x * (1 / 6.0f - x * (1 / 24.0f))));
    atomicAdd(&space.deficit[to], __float2uint_rn(deficit * kDeficitUnits));
  }
}

__device__ __forceinline__ Mass mass_of(const CutSpace& space, int place, int bin) {
  if (bin == kFarBin) return 0;
  double weights = space.count[place] - space.deficit[place] * (1.0 / kDeficitUnits);
  return __double2ull_rn(exp_of_minus(bin_start(bin)) * weights * kMassUnits);
}

/* Counts and masses of all threads before this one; the totals through the references. */
__device__ __forceinline__ void scan(int& count, Mass& mass, int& total_count, Mass& total_mass, CutSpace& space) {
  int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  int own_count = count;
  Mass own_mass = mass;
#pragma unroll
  for (int offset = 1; offset < kWarp; offset *= 2) {
    int other_count = __shfl_up_sync(kFullMask, count, offset);
    Mass other_mass = __shfl_up_sync(kFullMask, mass, offset);
    if (lane >= offset) {
      count += other_count;
      mass += other_mass;
    }
  }
  __syncthreads();
  if (lane == kWarp - 1) {
    space.warp_count[warp] = count;
    space.warp_mass[warp] = mass;
  }
  __syncthreads();
  count -= own_count;
  mass -= own_mass;
  total_count = 0;
  total_mass = 0;
#pragma unroll 1
  for (int w = 0; w < kWarps; w++) {
    if (w == warp) {
      count += total_count;
      mass += total_mass;
    }
    total_count += space.warp_count[w];
    total_mass += space.warp_mass[w];
  }
}

__device__ __forceinline__ void clear_bins(CutSpace& space) {
  for (int i = threadIdx.x; i < kBins; i += kThreads) {
    space.count[i] = 0;
    space.deficit[i] = 0;
  }
  __syncthreads();
}

/* Sets space.bin, or kNoBin if the cut lies behind all bins, and what lies before it. `bin_of_place` < 0: bins are those of distances, and a
   top_p below 1 becomes the limit of mass. */
__device__ __forceinline__ void find_bin(CutSpace& space, Limits& limits, int bin_of_place, float top_p) {
  int place = 2 * threadIdx.x;
  bool is_first = bin_of_place < 0;
  int counts[2] = {static_cast<int>(space.count[place]), static_cast<int>(space.count[place + 1])};
  Mass masses[2] = {mass_of(space, place, is_first ? place : bin_of_place),
                    mass_of(space, place + 1, is_first ? place + 1 : bin_of_place)};
  int count = counts[0] + counts[1], total_count;
  Mass mass = masses[0] + masses[1], total_mass;
  scan(count, mass, total_count, total_mass, space);
  if (threadIdx.x == 0) {
    space.bin = kNoBin;
    space.count_before = limits.count_before + total_count;
    space.mass_before = limits.mass_before + total_mass;
  }
  __syncthreads();
  if (is_first && top_p < 1) limits.min_mass = __double2ull_ru(static_cast<double>(top_p) * total_mass);
  count += limits.count_before;
  mass += limits.mass_before;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    if (counts[i] > 0 && limits.is_kept(count, mass) && !limits.is_kept(count + counts[i], mass + masses[i])) {
      space.bin = place + i;
      space.count_before = count;
      space.mass_before = mass;
    }
    count += counts[i];
    mass += masses[i];
  }
  __syncthreads();
  limits.count_before = space.count_before;
  limits.mass_before = space.mass_before;
}

/* Sorts the first num keys of the list, num at most kListLen. */
__device__ __forceinline__ void sort_list(CutSpace& space, int num) {
  int size = 2;
  while (size < num) size *= 2;
  for (int i = num + threadIdx.x; i < size; i += kThreads) space.list[i] = kKeepAll;
  __syncthreads();
  for (int run = 2; run <= size; run *= 2) {
    for (int step = run / 2; step > 0; step /= 2) {
      if (threadIdx.x < static_cast<unsigned>(size / 2)) {
        int a = 2 * threadIdx.x - (threadIdx.x & (step - 1)), b = a + step;
        Key first = space.list[a], second = space.list[b];
        bool is_rising = (a & run) == 0;
        if ((first > second) == is_rising) {
          space.list[a] = second;
          space.list[b] = first;
        }
      }
      __syncthreads();
    }
  }
}

/* Lists the tokens of a bin whose keys lie in [low, high]; there are at most kListLen. */
template <bool kByLogit>
__device__ __forceinline__ int list_bin(const Row& row, int bin, Key low, Key high, CutSpace& space) {
  if (threadIdx.x == 0) space.list_len = 0;
  __syncthreads();
#pragma unroll 4
  for (int id = threadIdx.x; id < row.cols; id += kThreads) {
    float logit = row.logits[id], distance = row.distance(logit);
    if (bin_of(distance) == bin) {
      Key key = key_of<kByLogit>(logit, distance, id);
      if (key >= low && key <= high) space.list[atomicAdd(&space.list_len, 1)] = key;
    }
  }
  __syncthreads();
  int num = space.list_len;
  sort_list(space, num);
  return num;
}

/* Bins the keys of a bin's tokens within [low, high] and narrows the range to the bin that the cut lies in; false if it lies behind all. */
template <bool kByLogit>
__device__ __forceinline__ bool narrow(const Row& row, int bin, Key& low, Key& high, Limits& limits, CutSpace& space) {
  bool needs_mass = limits.min_mass != kNoMassLimit;
  __syncthreads();  // the last bins may still be read
  if (threadIdx.x == 0) {
    space.low = ~0ull;
    space.high = 0;
  }
  clear_bins(space);
  Key least = ~0ull, most = 0;
  for (int id = threadIdx.x; id < row.cols; id += kThreads) {
    float logit = row.logits[id], distance = row.distance(logit);
    Key key = key_of<kByLogit>(logit, distance, id);
    if (bin_of(distance) == bin && key >= low && key <= high) {
      least = key < least ? key : least;
      most = key > most ? key : most;
    }
  }
  if (least <= most) {
    atomicMin(&space.low, least);
    atomicMax(&space.high, most);
  }
  __syncthreads();
  low = space.low;
  high = space.high;
  int shift = 0;
  while ((high - low) >> shift >= kBins) shift++;
  for (int id = threadIdx.x; id < row.cols; id += kThreads) {
    float logit = row.logits[id], distance = row.distance(logit);
    Key key = key_of<kByLogit>(logit, distance, id);
    if (bin_of(distance) == bin && key >= low && key <= high) {
      count_token(space, static_cast<int>((key - low) >> shift), distance, bin, needs_mass);
    }
  }
  __syncthreads();
  find_bin(space, limits, bin, 1.0f);
  if (space.bin == kNoBin) return false;
  low += static_cast<Key>(space.bin) << shift;
  Key end = low + ((1ull << shift) - 1);
  high = end < high ? end : high;
  return true;
}

/* The key of the last token that a cut after top_k tokens (0 or less: none) and at a mass of top_p keeps; every thread gets it. Distances from
   `limit` on are cut anyway. With kByLogit there is no top_p. */
template <bool kByLogit>
__device__ __forceinline__ Key find_cut(const Row& row, int top_k, float top_p, float limit, CutSpace& space) {
  Limits limits{top_k > 0 ? top_k : 0x7fffffff, kNoMassLimit, 0, 0};
  clear_bins(space);
#pragma unroll 4
  for (int id = threadIdx.x; id < row.cols; id += kThreads) {
    float distance = row.distance(row.logits[id]);
    int bin = bin_of(distance);
    if (bin != kFarBin) count_token(space, bin, distance, bin, top_p < 1);
  }
  __syncthreads();
  find_bin(space, limits, -1, top_p);
  int bin = space.bin == kNoBin ? kFarBin : space.bin;
  if (limit < (bin == kFarBin ? kNear : bin_start(bin))) return kKeepAll;
  int members = bin == kFarBin ? row.cols - space.count_before : static_cast<int>(space.count[bin]);
  Key low = 0, high = kKeepAll;
  while (members > kListLen) {
    if (!narrow<kByLogit>(row, bin, low, high, limits, space)) return high;
    members = space.count[space.bin];
  }
  int num = list_bin<kByLogit>(row, bin, low, high, space);
  if (num == 0) return kKeepAll;
  int kept = 0, place = 2 * threadIdx.x, total_count;
  Mass masses[2], total_mass;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    float distance = __uint_as_float(static_cast<unsigned>(space.list[place + i < num ? place + i : 0] >> 32));
    masses[i] = kByLogit || place + i >= num ? 0 : __double2ull_rn(exp_of_minus(distance) * kMassUnits);
  }
  int count = 0;
  Mass mass = masses[0] + masses[1];
  scan(count, mass, total_count, total_mass, space);
#pragma unroll
  for (int i = 0; i < 2; i++) {
    kept += place + i < num && limits.is_kept(limits.count_before + place + i, limits.mass_before + mass) ? 1 : 0;
    mass += masses[i];
  }
  kept = block_sum(kept, space.warp_count);
  return space.list[kept > 0 ? kept - 1 : 0];
}
