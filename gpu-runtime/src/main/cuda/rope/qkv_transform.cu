/* qkv_transform: adds the bias, normalises each q and k head, rotates them [1], writes k and v to their KV slots; q stays in place.
   qkv      [num_tokens, (num_heads + 2 * num_kv_heads) * head_dim]  bf16     bias  [its columns] fp32 or null
   norms    [head_dim] fp32 or null                                           cos, sin  [positions, head_dim / 2] fp32
   k_cache  [num_slots, num_kv_heads, head_dim] bf16 (v_cache alike)          position, kv_slot  [num_tokens] int32
   grid any 1-d x 256 threads, a thread 16 numbers of a head, the threads of a head side by side; head_dim 64 or 128; arithmetic in fp32
   pairs of a head: (i, i + head_dim / 2), or (2 i, 2 i + 1) if is_adjacent
   Moves 4 bytes a number of qkv.     [1] Su et al., "RoFormer", 2021. */
#include "../common/launch.cuh"
#include "../common/vec.cuh"

namespace {

constexpr int kThreads = 256;
constexpr int kVector = 8;
constexpr int kLineFloats = 32;

/* Numbers of a head that one thread has: eight of its first half, the eight that are half a head behind. */
struct Part {
  float low[kVector], high[kVector];
};

__device__ __forceinline__ void multiply(float (&numbers)[kVector], float factor, const float* weight) {
  float weights[kVector];
  load_floats8(weight, weights);
#pragma unroll
  for (int i = 0; i < kVector; i++) numbers[i] *= factor * weights[i];
}

__device__ __forceinline__ void add(float (&numbers)[kVector], const float* bias) {
  float other[kVector];
  load_floats8(bias, other);
#pragma unroll
  for (int i = 0; i < kVector; i++) numbers[i] += other[i];
}

__device__ __forceinline__ void rotate(float& first, float& second, float cos, float sin) {
  float turned = first * cos - second * sin;
  second = second * cos + first * sin;
  first = turned;
}

/* Of pairs (2 i, 2 i + 1), four of whose angles begin at `cos` and `sin`. */
__device__ __forceinline__ void rotate_neighbours(float (&numbers)[kVector], const float* cos, const float* sin) {
  float4 c = *reinterpret_cast<const float4*>(cos), s = *reinterpret_cast<const float4*>(sin);
  rotate(numbers[0], numbers[1], c.x, s.x);
  rotate(numbers[2], numbers[3], c.y, s.y);
  rotate(numbers[4], numbers[5], c.z, s.z);
  rotate(numbers[6], numbers[7], c.w, s.w);
}

template <int kHeadDim>
__device__ __forceinline__ void rotate_part(Part& part, int at, const float* cos, const float* sin, bool is_adjacent) {
  if (is_adjacent) {
    rotate_neighbours(part.low, cos + at / 2, sin + at / 2);
    rotate_neighbours(part.high, cos + kHeadDim / 4 + at / 2, sin + kHeadDim / 4 + at / 2);
  } else {
    float c[kVector], s[kVector];
    load_floats8(cos + at, c);
    load_floats8(sin + at, s);
#pragma unroll
    for (int i = 0; i < kVector; i++) rotate(part.low[i], part.high[i], c[i], s[i]);
  }
}

template <int kHeadDim>
__device__ __forceinline__ void transform(__nv_bfloat16* qkv, const float* bias, const float* query_norm,
                                          const float* key_norm, float eps, const float* cos, const float* sin,
                                          bool is_adjacent, const int* position, const int* kv_slot,
                                          __nv_bfloat16* k_cache, __nv_bfloat16* v_cache, int num_heads,
                                          int num_kv_heads, int num_tokens) {
  constexpr int kHalf = kHeadDim / 2;
  constexpr int kHeadThreads = kHalf / kVector;
  allow_next();
  int num_all = num_heads + 2 * num_kv_heads;
  int index = (blockIdx.x * kThreads + threadIdx.x) / kHeadThreads;
  int at = threadIdx.x % kHeadThreads * kVector;
  bool is_live = index < num_tokens * num_all;  // the others take part in the exchange below
  if (!is_live) index = 0;
  int token = index / num_all, head = index % num_all;
  bool is_query = head < num_heads, is_value = head >= num_heads + num_kv_heads;
  const float* norm = is_query ? query_norm : key_norm;
  size_t table = static_cast<size_t>(position[token]) * kHalf;
  int slot = kv_slot[token];
  if (at % kLineFloats == 0) {
    // Once for each line: thousands of tokens that fetch the same norm would queue up before one part of the cache.
    if (token == 0) {
      if (norm && (head == 0 || head == num_heads)) {
        fetch_line(norm + at);
        fetch_line(norm + at + kHalf);
      }
      if (bias) {
        fetch_line(bias + head * kHeadDim + at);
        fetch_line(bias + head * kHeadDim + at + kHalf);
      }
    }
    if (head == 0) {
      fetch_line(cos + table + at);
      fetch_line(sin + table + at);
    }
  }
  wait_for_previous();
  __nv_bfloat16* from = qkv + static_cast<size_t>(index) * kHeadDim + at;
  Part part;
  to_floats(load8(from), part.low);
  to_floats(load8(from + kHalf), part.high);
  if (bias) {
    add(part.low, bias + head * kHeadDim + at);
    add(part.high, bias + head * kHeadDim + at + kHalf);
  }
  if (norm) {
    float squares = 0;
#pragma unroll
    for (int i = 0; i < kVector; i++) squares += part.low[i] * part.low[i] + part.high[i] * part.high[i];
#pragma unroll
    for (int offset = kHeadThreads / 2; offset > 0; offset /= 2) {
      squares += __shfl_xor_sync(kFullMask, squares, offset);
    }
    if (!is_value) {
      float factor = rsqrtf(squares / kHeadDim + eps);
      multiply(part.low, factor, norm + at);
      multiply(part.high, factor, norm + at + kHalf);
    }
  }
  if (!is_value) rotate_part<kHeadDim>(part, at, cos + table, sin + table, is_adjacent);
  if (!is_live) return;
  __nv_bfloat16* to = from;
  if (!is_query) {
    int kv_head = head - num_heads - (is_value ? num_kv_heads : 0);
    to = (is_value ? v_cache : k_cache) + (static_cast<size_t>(slot) * num_kv_heads + kv_head) * kHeadDim + at;
  }
  store8(to, from_floats(part.low));
  store8(to + kHalf, from_floats(part.high));
}

}  // namespace

#define QKV_TRANSFORM(HEAD_DIM)                                                                                          \
  extern "C" __global__ void __launch_bounds__(kThreads) qkv_transform_bf16_##HEAD_DIM(                                  \
      __nv_bfloat16* qkv, const float* bias, const float* query_norm, const float* key_norm, float eps,                  \
      const float* cos, const float* sin, int is_adjacent, const int* position, const int* kv_slot,                      \
      __nv_bfloat16* k_cache, __nv_bfloat16* v_cache, int num_heads, int num_kv_heads, int num_tokens) {                 \
    transform<HEAD_DIM>(qkv, bias, query_norm, key_norm, eps, cos, sin, is_adjacent, position, kv_slot, k_cache, v_cache, \
                        num_heads, num_kv_heads, num_tokens);                                                            \
  }

QKV_TRANSFORM(64)
QKV_TRANSFORM(128)
