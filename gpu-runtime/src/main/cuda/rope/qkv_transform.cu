/* qkv_transform: adds the bias, normalises each q and k head, rotates them [1], writes k and v to their KV slots; q stays in place.
   qkv      [num_tokens, (num_heads + 2 * num_kv_heads) * head_dim]  bf16     bias  [its columns] fp32 or null
   norms    [head_dim] fp32 or null                                           cos, sin  [positions, head_dim / 2] fp32
   k_cache  [num_slots, num_kv_heads, head_dim] bf16 (v_cache alike)          position, kv_slot  [num_tokens] int32
   grid (num_tokens, ceil(heads / 4)) x 128 threads: a warp a head; head_dim 64 or 128; arithmetic in fp32
   pairs of a head: (i, i + head_dim / 2), or (2 i, 2 i + 1) if is_adjacent
   Moves 4 bytes a number of qkv.     [1] Su et al., "RoFormer", 2021. */
#include "../common/launch.cuh"
#include "../common/vec.cuh"

namespace {

constexpr int kWarps = 4;
constexpr int kLineFloats = 32;

/* One head of one token; a lane has pairs lane, lane + 32, ... */
template <int kHeadDim>
__device__ __forceinline__ void transform_head(const __nv_bfloat16* from, const float* bias, const float* norm, float eps,
                                               const float* cos, const float* sin, bool is_adjacent,
                                               __nv_bfloat16* to) {
  constexpr int kHalf = kHeadDim / 2;
  constexpr int kPairs = kHalf / kWarp;
  static_assert(kHalf % kWarp == 0);
  int lane = threadIdx.x % kWarp;
  float first[kPairs], second[kPairs];
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kPairs; i++) {
    int pair = lane + i * kWarp;
    int a = is_adjacent ? 2 * pair : pair;
    int b = is_adjacent ? a + 1 : pair + kHalf;
    first[i] = __bfloat162float(from[a]) + (bias ? bias[a] : 0.0f);
    second[i] = __bfloat162float(from[b]) + (bias ? bias[b] : 0.0f);
    squares += first[i] * first[i] + second[i] * second[i];
  }
  float factor = norm ? rsqrtf(warp_sum(squares) / kHeadDim + eps) : 1.0f;
#pragma unroll
  for (int i = 0; i < kPairs; i++) {
    int pair = lane + i * kWarp;
    int a = is_adjacent ? 2 * pair : pair;
    int b = is_adjacent ? a + 1 : pair + kHalf;
    if (norm) {
      first[i] *= factor * norm[a];
      second[i] *= factor * norm[b];
    }
    float c = cos ? cos[pair] : 1.0f;
    float s = cos ? sin[pair] : 0.0f;
    to[a] = __float2bfloat16(first[i] * c - second[i] * s);
    to[b] = __float2bfloat16(second[i] * c + first[i] * s);
  }
}

template <int kHeadDim>
__device__ __forceinline__ void transform(__nv_bfloat16* qkv, const float* bias, const float* query_norm,
                                          const float* key_norm, float eps, const float* cos, const float* sin,
                                          int is_adjacent, const int* position, const int* kv_slot,
                                          __nv_bfloat16* k_cache, __nv_bfloat16* v_cache, int num_heads,
                                          int num_kv_heads) {
  allow_next();
  int head = blockIdx.y * kWarps + threadIdx.x / kWarp;
  int num_all = num_heads + 2 * num_kv_heads;
  int token = blockIdx.x;
  size_t table = static_cast<size_t>(position[token]) * (kHeadDim / 2);
  // Once for each line: thousands of tokens that fetch the same norm would queue up before one part of the cache.
  if (threadIdx.x % kWarp < kHeadDim / kLineFloats) {
    int at = threadIdx.x % kWarp * kLineFloats;
    if (token == 0) {
      if (query_norm && head == 0) fetch_line(query_norm + at);
      if (key_norm && head == 0) fetch_line(key_norm + at);
      if (bias && head < num_all) fetch_line(bias + head * kHeadDim + at);
    }
    if (head == 0) {
      fetch_line(cos + table + at / 2);
      fetch_line(sin + table + at / 2);
    }
  }
  wait_for_previous();
  if (head >= num_all) return;
  __nv_bfloat16* from = qkv + (static_cast<size_t>(token) * num_all + head) * kHeadDim;
  const float* head_bias = bias ? bias + head * kHeadDim : nullptr;
  size_t slot = static_cast<size_t>(kv_slot[token]) * num_kv_heads;
  if (head < num_heads) {
    transform_head<kHeadDim>(from, head_bias, query_norm, eps, cos + table, sin + table, is_adjacent, from);
  } else if (head < num_heads + num_kv_heads) {
    __nv_bfloat16* to = k_cache + (slot + head - num_heads) * kHeadDim;
    transform_head<kHeadDim>(from, head_bias, key_norm, eps, cos + table, sin + table, is_adjacent, to);
  } else {
    __nv_bfloat16* to = v_cache + (slot + head - num_heads - num_kv_heads) * kHeadDim;
    transform_head<kHeadDim>(from, head_bias, nullptr, eps, nullptr, nullptr, false, to);
  }
}

}  // namespace

#define QKV_TRANSFORM(HEAD_DIM)                                                                                          \
  extern "C" __global__ void __launch_bounds__(kWarps* kWarp) qkv_transform_bf16_##HEAD_DIM(                             \
      __nv_bfloat16* qkv, const float* bias, const float* query_norm, const float* key_norm, float eps,                  \
      const float* cos, const float* sin, int is_adjacent, const int* position, const int* kv_slot,                      \
      __nv_bfloat16* k_cache, __nv_bfloat16* v_cache, int num_heads, int num_kv_heads) {                                 \
    transform<HEAD_DIM>(qkv, bias, query_norm, key_norm, eps, cos, sin, is_adjacent, position, kv_slot, k_cache, v_cache, \
                        num_heads, num_kv_heads);                                                                        \
  }

QKV_TRANSFORM(64)
QKV_TRANSFORM(128)
