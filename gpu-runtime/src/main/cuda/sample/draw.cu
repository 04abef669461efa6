/* draw: one token for each of some rows of logits: rules, then temperature, top-k, top-p, min-p, and a Philox number [1]. Order and meaning are
   HostSampler's.
   logits   [rows, cols] fp32, rules are applied in place      scratch  [any, cols] fp32: rows that must stay are copied there first
   entries  [num] Entry       lists  ids and values that entries point to       history  [rows, stride] int32 token ids of each sequence
   token_row, logit_token  int32: the history's row of entry e is token_row[logit_token[e]]; history may be null if no entry has penalties
   counts   [gridDim.x, cols] int32, all 0 between launches       drawn  [max entries] int32: token; kNoToken if the rules leave none, kBroken if
            a logit is NaN or +infinity
   grids: apply_rules any number of blocks, draw num; 1,024 threads; cols at most 2^18
   apply_rules reads and writes what its lists name, and cols numbers if tokens are allowed by name or by a mask. draw reads the row three to five times, mostly
   from the second level cache: 64 x 151,936: 39 MB each -> 13 us at 3.0 TB/s once; a block alone reads 608 KB in about 8 us.
   [1] Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011. */
#include "cut.cuh"

namespace {

constexpr int kMaxCols = 1 << 18;
constexpr int kNoToken = -1;
constexpr int kBroken = -2;
constexpr int kNoScratch = -1;
constexpr int kNoMask = -1;

/* How to draw from one row; DrawColumns writes it. */
struct Entry {
  int row;      // of logits, and of drawn
  int scratch;  // row of the scratch, or kNoScratch
  float scale;  // 1 / temperature, 0 for the largest logit
  float top_p;
  int top_k;         // 0 or less: all
  float limit;       // of the distance, by min_p
  float presence;
  float frequency;
  float repetition;
  unsigned seed_low;
  unsigned seed_high;
  int position;  // of the token to be drawn
  int prompt_len;
  int bias_at;  // in lists: ids, then as many values
  int num_bias;
  int banned_at;
  int num_banned;
  int allowed_at;
  int num_allowed;
  int mask_at;  // in lists: a bit for each token that may be drawn; kNoMask if all may
};
static_assert(sizeof(Entry) == 80);

/* Tokens whose bit is not set can't be drawn. */
__device__ __forceinline__ void mask(float* row, int cols, const unsigned* is_allowed) {
  for (int id = threadIdx.x; id < cols; id += kThreads) {
    if (!(is_allowed[id / 32] >> id % 32 & 1)) row[id] = -kInfinity;
  }
  __syncthreads();
}

__device__ __forceinline__ void allow(float* row, int cols, const int* ids, int num) {
  __shared__ unsigned is_allowed[kMaxCols / 32];
  for (int i = threadIdx.x; i < (cols + 31) / 32; i += kThreads) is_allowed[i] = 0;
  __syncthreads();
  for (int i = threadIdx.x; i < num; i += kThreads) atomicOr(&is_allowed[ids[i] / 32], 1u << ids[i] % 32);
  __syncthreads();
  mask(row, cols, is_allowed);
}

__device__ __forceinline__ void penalize_repetition(float* row, const int* tokens, int len, float penalty, int* count) {
  for (int i = threadIdx.x; i < len; i += kThreads) {
    int id = tokens[i];
    if (atomicAdd(&count[id], 1) == 0) {
      float logit = row[id];
      row[id] = logit > 0 ? fminf(__fdiv_rn(logit, penalty), 3.402823466e38f) : __fmul_rn(logit, penalty);
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < len; i += kThreads) count[tokens[i]] = 0;
  __syncthreads();
}

__device__ __forceinline__ void penalize_output(float* row, const int* tokens, int len, float frequency, float presence,
                                                int* count) {
  for (int i = threadIdx.x; i < len; i += kThreads) atomicAdd(&count[tokens[i]], 1);
  __syncthreads();
  for (int i = threadIdx.x; i < len; i += kThreads) {
    int id = tokens[i];
    int times = atomicExch(&count[id], 0);
    if (times > 0) row[id] = __fsub_rn(row[id], __fadd_rn(__fmul_rn(frequency, times), presence));
  }
  __syncthreads();
}

__device__ __forceinline__ void apply(const Entry& entry, const float* from, float* row, int cols, const int* lists,
                                      const int* tokens, int* count) {
  if (from != row) {
    for (int id = threadIdx.x; id < cols; id += kThreads) row[id] = from[id];
    __syncthreads();
  }
  for (int i = threadIdx.x; i < entry.num_bias; i += kThreads) {
    float value = __int_as_float(lists[entry.bias_at + entry.num_bias + i]);
    row[lists[entry.bias_at + i]] = __fadd_rn(row[lists[entry.bias_at + i]], value);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < entry.num_banned; i += kThreads) {
    int id = lists[entry.banned_at + i];
    if (id < cols) row[id] = -kInfinity;  // end tokens need not be in the vocabulary
  }
  __syncthreads();
  if (entry.num_allowed > 0) allow(row, cols, lists + entry.allowed_at, entry.num_allowed);
  if (entry.mask_at != kNoMask) mask(row, cols, reinterpret_cast<const unsigned*>(lists + entry.mask_at));
  if (entry.repetition != 1) penalize_repetition(row, tokens, entry.position, entry.repetition, count);
  if (entry.frequency != 0 || entry.presence != 0) {
    penalize_output(row, tokens + entry.prompt_len, entry.position - entry.prompt_len, entry.frequency, entry.presence,
                    count);
  }
}

/* The uniform number in [0, 1) of a seed and a position: the upper 53 bits of the first two words. */
__device__ __forceinline__ double uniform(const Entry& entry) {
  unsigned key0 = entry.seed_low, key1 = entry.seed_high;
  unsigned c0 = entry.position, c1 = 0, c2 = 0, c3 = 0;
#pragma unroll
  for (int round = 0; round < 10; round++) {
    unsigned long long product0 = 0xD2511F53ull * c0, product1 = 0xCD9E8D57ull * c2;
    c0 = static_cast<unsigned>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<unsigned>(product1);
    c2 = static_cast<unsigned>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<unsigned>(product0);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return static_cast<double>(static_cast<unsigned long long>(c0) << 21 | c1 >> 11) * 0x1p-53;
}

/* What is left to draw from. */
struct Kept {
  Row row;
  float limit;
  Key cut;

  __device__ __forceinline__ float weight(int id) const {
    float distance = row.distance(row.logits[id]);
    bool is_kept = distance <= limit && key_of<false>(0, distance, id) <= cut;
    return is_kept ? exp_of_minus(distance) : 0.0f;
  }
};

__device__ __forceinline__ int share_of(int num) { return ((num + kWarps - 1) / kWarps + kWarp - 1) / kWarp * kWarp; }

/* A warp sums each 32nd part of [first, end); the part in which the mass `target` is reached, and what is left of it there. */
__device__ __forceinline__ void narrow_draw(const Kept& kept, int& first, int& end, double& target, bool is_whole,
                                            double uniform, Scratch& scratch) {
  int share = share_of(end - first), warp = threadIdx.x / kWarp;
  int from = first + warp * share, to = min(from + share, end);
  double mass = 0;
#pragma unroll 4
  for (int id = from + threadIdx.x % kWarp; id < to; id += kWarp) mass += kept.weight(id);
  mass = warp_sum(mass);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) scratch.mass[warp] = mass;
  __syncthreads();
  if (is_whole) {
    double total = 0;
#pragma unroll 4
    for (int i = 0; i < kWarps; i++) total += scratch.mass[i];
    target = uniform * total;
  }
  double before = 0, before_part = 0;
  int part = -1;
  bool is_found = false;
#pragma unroll 1
  for (int i = 0; i < kWarps && !is_found; i++) {
    double in_part = scratch.mass[i];
    if (in_part > 0) {  // should rounding leave the target unreached, the last part that has any mass
      part = i;
      before_part = before;
      is_found = before + in_part > target;
    }
    before += in_part;
  }
  target -= before_part;
  first += max(part, 0) * share;
  end = min(first + share, end);
}

/* The first token in [first, end) at which the sum of weights exceeds the target, the last with any weight if none; by each warp alike. */
__device__ __forceinline__ int pick(const Kept& kept, int first, int end, double target) {
  int lane = threadIdx.x % kWarp, last = first;
  double before = 0;
  for (int base = first; base < end; base += kWarp) {
    double weight = base + lane < end ? kept.weight(base + lane) : 0.0f;
    double sum = weight;
#pragma unroll
    for (int offset = 1; offset < kWarp; offset *= 2) {
      double other = __shfl_up_sync(kFullMask, sum, offset);
      if (lane >= offset) sum += other;
    }
    unsigned past = __ballot_sync(kFullMask, weight > 0 && before + sum > target);
    if (past) return base + __ffs(past) - 1;
    unsigned any = __ballot_sync(kFullMask, weight > 0);
    if (any) last = base + 31 - __clz(any);
    before += __shfl_sync(kFullMask, sum, kWarp - 1);
  }
  return last;
}

__device__ __forceinline__ int draw(const Entry& entry, const float* logits, int cols) {
  __shared__ CutSpace space;
  __shared__ Scratch scratch;
  Top top = find_top(logits, cols, scratch);
  if (top.is_broken) return kBroken;
  if (top.value == -kInfinity) return kNoToken;
  if (entry.scale == 0) return top.id;
  Kept kept{{logits, cols, top.value + 0.0f, entry.scale}, entry.limit, kKeepAll};
  if ((entry.top_k > 0 && entry.top_k < cols) || entry.top_p < 1) {
    kept.cut = find_cut<false>(kept.row, entry.top_k, entry.top_p, entry.limit, space);
  }
  int first = 0, end = cols;
  double target = 0;
  narrow_draw(kept, first, end, target, true, uniform(entry), scratch);
  narrow_draw(kept, first, end, target, false, 0, scratch);
  return pick(kept, first, end, target);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads)
    apply_rules_f32(float* logits, float* scratch, int cols, const Entry* entries, int num, const int* lists,
                    const int* history, int stride, const int* token_row, const int* logit_token, int* counts) {
  for (int i = blockIdx.x; i < num; i += gridDim.x) {
    const Entry& entry = entries[i];
    const float* from = logits + static_cast<size_t>(entry.row) * cols;
    float* row = logits + static_cast<size_t>(entry.row) * cols;
    if (entry.scratch != kNoScratch) row = scratch + static_cast<size_t>(entry.scratch) * cols;
    const int* tokens = history ? history + static_cast<size_t>(token_row[logit_token[entry.row]]) * stride : nullptr;
    apply(entry, from, row, cols, lists, tokens, counts + static_cast<size_t>(blockIdx.x) * cols);
    __syncthreads();
  }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    draw_f32(const float* logits, const float* scratch, int cols, const Entry* entries, int* drawn) {
  const Entry& entry = entries[blockIdx.x];
  const float* row = entry.scratch == kNoScratch ? logits + static_cast<size_t>(entry.row) * cols
                                                 : scratch + static_cast<size_t>(entry.scratch) * cols;
  int token = draw(entry, row, cols);
  if (threadIdx.x == 0) drawn[entry.row] = token;
}
