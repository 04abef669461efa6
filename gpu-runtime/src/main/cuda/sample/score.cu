/* score: log-probabilities of one token of a row, and of its likeliest ones; HostScorer's meaning.
   logits  [rows, cols] fp32      entries  [num] ScoreEntry      token  [any] int32: entry i's is token[entries[i].token], none if negative
   scores  [num] Score            grid num x 1,024 threads; cols at most 2^18
   log-probability: logit - max - ln(sum of exp(logit - max)), exponentials in fp32, the sum in fp64. Reads the row twice, four times with
   alternatives: 64 x 151,936: 39 MB -> 13 us at 3.0 TB/s each, the second time on mostly from the second level cache. */
#include "cut.cuh"

namespace {

constexpr int kMaxAlternatives = 20;
constexpr int kNoToken = -1;

struct ScoreEntry {
  int row;
  int token;
  int num_alternatives;
  int padding;
};

struct Score {
  int state;  // 0, or kBroken: a logit is NaN or +infinity, or none is finite
  float logprob;
  int id[kMaxAlternatives];
  float alternative[kMaxAlternatives];
};
static_assert(sizeof(Score) == 168);

constexpr int kBroken = -2;

__device__ __forceinline__ void find_alternatives(const Row& row, int num, double log_sum, CutSpace& space,
                                                  Score& score) {
  Key cut = find_cut<true>(row, num, 1.0f, kInfinity, space);
  if (threadIdx.x == 0) space.list_len = 0;
  __syncthreads();
  for (int id = threadIdx.x; id < row.cols; id += kThreads) {
    float logit = row.logits[id];
    if (logit > -kInfinity) {
      Key key = key_of<true>(logit, row.distance(logit), id);
      if (key <= cut) {
        int place = atomicAdd(&space.list_len, 1);
        if (place < kListLen) space.list[place] = key;
      }
    }
  }
  __syncthreads();
  int found = min(space.list_len, kListLen);
  sort_list(space, found);
  if (threadIdx.x < static_cast<unsigned>(num)) {
    bool is_found = static_cast<int>(threadIdx.x) < found;  // the others have no probability at all
    int id = is_found ? static_cast<int>(space.list[threadIdx.x] & 0xffffffffu) : kNoToken;
    score.id[threadIdx.x] = id;
    score.alternative[threadIdx.x] = is_found ? static_cast<float>(row.logits[id] - log_sum) : -kInfinity;
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads)
    score_f32(const float* logits, int cols, const ScoreEntry* entries, const int* token, Score* scores) {
  __shared__ CutSpace space;
  __shared__ Scratch scratch;
  const ScoreEntry& entry = entries[blockIdx.x];
  Score& score = scores[blockIdx.x];
  const float* logits_of_row = logits + static_cast<size_t>(entry.row) * cols;
  Top top = find_top(logits_of_row, cols, scratch);
  if (top.is_broken || top.value == -kInfinity) {
    if (threadIdx.x == 0) score.state = kBroken;
    return;
  }
  Row row{logits_of_row, cols, top.value, 1.0f};
  double sum = 0;
#pragma unroll 4
  for (int id = threadIdx.x; id < cols; id += kThreads) sum += exp_of_minus(row.distance(row.logits[id]));
  double log_sum = top.value + log(block_sum(sum, scratch.mass));
  if (threadIdx.x == 0) {
    int id = token[entry.token];
    score.state = 0;
    score.logprob = id < 0 ? -kInfinity : static_cast<float>(logits_of_row[id] - log_sum);
  }
  if (entry.num_alternatives > 0) find_alternatives(row, entry.num_alternatives, log_sum, space, score);
}
