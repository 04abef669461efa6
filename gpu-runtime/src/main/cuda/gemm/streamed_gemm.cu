/* streamed_gemm: y = x w^T for some rows of x; bound by reading w (Hopper).
   w  [n, k]  bf16     x  [m, k]  bf16, both as tensor maps: boxes of 64 numbers, swizzled by 128 bytes     y  [m, n]  bf16     sums in fp32
   gated: y  [m, n / 2] = silu(gate) * up, gate being the product's first n / 2 columns
   grid (tiles of rows of w, times kParts) x (2 * kTileRows + 32) threads; m at most kColumns, n and k multiples of 8

   Rows of w are rows of the products' left operand, those of x columns of the right one. One warp copies both into a ring; w is constant, so the
   ring is full of it before the kernel ahead has ended. Each 64 rows of a tile have a warp group that multiplies. Where rows of w are few, a cluster
   of kParts blocks shares a tile: each takes a part of k, then adds up for some columns of the tile what all of them have in shared memory, in order.
   Moves 2 * n * k bytes.  4,096 x 12,288: 101 MB -> 21 us at 4.7 TB/s */
#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)

extern "C" __global__ void streamed_gemm_bf16_16_64_1() { __trap(); }  // never launched: others take cuBLASLt

#else

#include <cuda_bf16.h>

#include "../common/bulk.cuh"
#include "../common/cluster.cuh"
#include "../common/launch.cuh"
#include "../common/ptx.cuh"
#include "../common/ptx_sm90.cuh"
#include "../common/vec.cuh"

namespace {

constexpr int kGroup = 128;     // threads of a warp group
constexpr int kGroupRows = 64;  // of w
constexpr int kBoxCols = 64;    // numbers of k in a box
constexpr int kRowBytes = kBoxCols * 2;
constexpr int kAlignment = 1024;
constexpr int kRingBytes = 200 * 1024;

/* What a tensor map is to a kernel. */
struct alignas(64) TensorMap {
  uint64_t words[16];
};

/* Written as it is, or the first half's silu times the second half. */
enum class Kind { kPlain, kGated };

/* kColumns rows of x, at most; kTileRows of w; kParts blocks that divide k. */
template <int kColumns, int kTileRows, int kParts, Kind kKind>
struct Shape {
  static constexpr bool kIsGated = kKind == Kind::kGated;
  static constexpr int kOutputs = kIsGated ? kTileRows / 2 : kTileRows;  // of a tile; rows of w side by side
  static constexpr int kMultiplying = kTileRows / kGroupRows * kGroup;   // threads
  static constexpr int kThreads = kMultiplying + kWarp;
  static constexpr int kWeightBytes = kTileRows * kRowBytes, kInputBytes = kColumns * kRowBytes;  // of a box
  static constexpr int kBoxes = kColumns <= 32 ? 2 : 1;  // of each operand in a stage: neighbours in memory
  static constexpr int kStageBytes = kBoxes * (kWeightBytes + kInputBytes);
  static constexpr int kStages = kRingBytes / kStageBytes;
  static constexpr int kPitch = kTileRows + 4;           // of sums: a thread's neighbours write to different banks
  static constexpr int kOwnColumns = kColumns / kParts;  // that a block adds up
  static_assert(kColumns * kPitch * 4 <= kStages * kStageBytes, "sums lie where the ring was");
  static_assert(kColumns % kParts == 0 && kStages >= 3);
};

/* Stages of k that are a block's. */
struct Part {
  int first, num;
};

template <int kNum>
__device__ __forceinline__ void multiply(float (&sums)[kNum], uint64_t a, uint64_t b) {
  if constexpr (kNum == 8) multiply_n16(sums, a, b, true);
  if constexpr (kNum == 16) multiply_n32(sums, a, b, true);
  if constexpr (kNum == 32) multiply_n64(sums, a, b, true);
  if constexpr (kNum == 64) multiply_n128(sums, a, b, true);
}

/* By one thread; of gates, the rows that they let through lie `num_outputs` below. */
template <typename S>
__device__ __forceinline__ void copy(const TensorMap& w, const TensorMap& x, int first_row, int num_outputs, Part part,
                                     uint32_t ring, uint32_t full, uint32_t empty) {
  auto copy_weights = [&](int i, int stage) {
    uint32_t barrier = full + stage * 8;
    arrive_expecting(barrier, S::kStageBytes);
#pragma unroll
    for (int box = 0; box < S::kBoxes; box++) {
      uint32_t to = ring + stage * S::kStageBytes + box * S::kWeightBytes;
      int col = ((part.first + i) * S::kBoxes + box) * kBoxCols;
      copy_box<Reuse::kNone>(to, &w, col, first_row, barrier);
      if (S::kIsGated) copy_box<Reuse::kNone>(to + S::kWeightBytes / 2, &w, col, num_outputs + first_row, barrier);
    }
  };
  auto copy_inputs = [&](int i, int stage) {
#pragma unroll
    for (int box = 0; box < S::kBoxes; box++) {
      uint32_t to = ring + stage * S::kStageBytes + S::kBoxes * S::kWeightBytes + box * S::kInputBytes;
      copy_box<Reuse::kMuch>(to, &x, ((part.first + i) * S::kBoxes + box) * kBoxCols, 0, full + stage * 8);
    }
  };
  int ahead = min(S::kStages, part.num);
  for (int i = 0; i < ahead; i++) copy_weights(i, i);
  wait_for_previous();
  for (int i = 0; i < ahead; i++) copy_inputs(i, i);
  int stage = 0, parity = 0;
  for (int i = ahead; i < part.num; i++) {
    wait_barrier(empty + stage * 8, parity);
    copy_weights(i, stage);
    copy_inputs(i, stage);
    if (++stage == S::kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
}

/* A warp group's 64 rows of w. */
template <typename S, int kNum>
__device__ __forceinline__ void multiply_stages(uint32_t ring, uint32_t full, uint32_t empty, int num, float (&sums)[kNum]) {
  int stage = 0, parity = 0, lane = threadIdx.x % kWarp;
  uint32_t own_rows = threadIdx.x / kGroup * kGroupRows * kRowBytes;
  for (int i = 0; i < num; i++) {
    wait_barrier(full + stage * 8, parity);
    __syncwarp();  // a thread may leave a wait before its neighbours
    uint32_t weights = ring + stage * S::kStageBytes + own_rows, inputs = ring + stage * S::kStageBytes + S::kBoxes * S::kWeightBytes;
    pin(sums);
    begin_products();
#pragma unroll
    for (int box = 0; box < S::kBoxes; box++) {
#pragma unroll
      for (int k = 0; k < kRowBytes; k += 32) {
        multiply(sums, matrix_at(weights + box * S::kWeightBytes + k, 0), matrix_at(inputs + box * S::kInputBytes + k, 0));
      }
    }
    commit_products();
    wait_products<1>();  // the stage before is read
    if (i > 0 && lane == 0) arrive(empty + (stage == 0 ? S::kStages - 1 : stage - 1) * 8);
    if (++stage == S::kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
  wait_products<0>();
  pin(sums);
}

/* Four neighbours of a column, added up over the cluster. */
template <int kParts>
__device__ __forceinline__ float4 add_parts(uint32_t from) {
  float4 parts[kParts];
#pragma unroll
  for (int i = 0; i < kParts; i++) parts[i] = load_cluster16(address_in(from, i));
  float4 sum = parts[0];
#pragma unroll
  for (int i = 1; i < kParts; i++) {
    sum.x += parts[i].x;
    sum.y += parts[i].y;
    sum.z += parts[i].z;
    sum.w += parts[i].w;
  }
  return sum;
}

__device__ __forceinline__ float4 gated4(float4 gate, float4 up) {
  return {gated(gate.x, up.x), gated(gate.y, up.y), gated(gate.z, up.z), gated(gate.w, up.w)};
}

template <int kColumns, int kTileRows, int kParts, Kind kKind>
__device__ __forceinline__ void run(const TensorMap& w, const TensorMap& x, __nv_bfloat16* y, int n, int k, int m) {
  using S = Shape<kColumns, kTileRows, kParts, kKind>;
  extern __shared__ uint8_t memory[];
  __shared__ __align__(8) uint64_t barriers[2 * S::kStages];
  uint32_t ring = (shared_address(memory) + kAlignment - 1) / kAlignment * kAlignment;
  uint32_t full = shared_address(barriers), empty = full + S::kStages * 8;
  if (threadIdx.x == S::kMultiplying) {
    for (int i = 0; i < S::kStages; i++) {
      init_barrier(full + i * 8, 1);
      init_barrier(empty + i * 8, S::kMultiplying / kWarp);
    }
    publish_barriers();
  }
  __syncthreads();
  allow_next();
  int rank = blockIdx.x % kParts, first_row = blockIdx.x / kParts * S::kOutputs, num_outputs = S::kIsGated ? n / 2 : n;
  constexpr int kStageCols = S::kBoxes * kBoxCols;
  int all = (k + kStageCols - 1) / kStageCols, most = (all + kParts - 1) / kParts;
  Part part{rank * most, max(0, min(most, all - rank * most))};
  if (threadIdx.x >= S::kMultiplying) {
    if (threadIdx.x == S::kMultiplying) copy<S>(w, x, first_row, num_outputs, part, ring, full, empty);
    __syncwarp();
    sync_cluster();
    sync_cluster();
    return;
  }

  float sums[kColumns / 2];
  for (float& sum : sums) sum = 0;
  pin(sums);
  multiply_stages<S>(ring, full, empty, part.num, sums);
  sync_named(1, S::kMultiplying);  // the ring is no longer read
  int lane = threadIdx.x % kWarp, row = threadIdx.x / kWarp * 16 + lane / 4;
#pragma unroll
  for (int i = 0; i < kColumns / 2; i++) {
    int col = i / 4 * 8 + lane % 4 * 2 + i % 2;
    store_shared(ring + (col * S::kPitch + row + i / 2 % 2 * 8) * 4, sums[i]);
  }
  sync_cluster();
  wait_for_previous();
  constexpr int kFours = S::kOutputs / 4;
#pragma unroll 4
  for (int i = threadIdx.x; i < S::kOwnColumns * kFours; i += S::kMultiplying) {
    int col = rank * S::kOwnColumns + i / kFours, four = i % kFours * 4;
    uint32_t from = ring + (col * S::kPitch + four) * 4;
    float4 sum = add_parts<kParts>(from);
    if (S::kIsGated) sum = gated4(sum, add_parts<kParts>(from + S::kOutputs * 4));
    if (col < m && first_row + four < num_outputs) {
      uint2 numbers{pack(sum.x, sum.y), pack(sum.z, sum.w)};
      *reinterpret_cast<uint2*>(y + static_cast<size_t>(col) * num_outputs + first_row + four) = numbers;
    }
  }
  sync_cluster();  // others may still read what this block has
}

}  // namespace

#define STREAMED_GEMM(NAME, KIND, COLUMNS, TILE_ROWS, PARTS)                                                \
  extern "C" __global__ void __cluster_dims__(PARTS, 1, 1)                                                  \
      __launch_bounds__(Shape<COLUMNS, TILE_ROWS, PARTS, Kind::KIND>::kThreads, 1)                          \
          streamed_gemm_##NAME##_##COLUMNS##_##TILE_ROWS##_##PARTS(const __grid_constant__ TensorMap w,     \
                                                                   const __grid_constant__ TensorMap x,     \
                                                                   __nv_bfloat16* y, int n, int k, int m) { \
    run<COLUMNS, TILE_ROWS, PARTS, Kind::KIND>(w, x, y, n, k, m);                                           \
  }

#define STREAMED_GEMMS(NAME, KIND, TILE_ROWS, PARTS) \
  STREAMED_GEMM(NAME, KIND, 16, TILE_ROWS, PARTS)    \
  STREAMED_GEMM(NAME, KIND, 32, TILE_ROWS, PARTS)    \
  STREAMED_GEMM(NAME, KIND, 64, TILE_ROWS, PARTS)    \
  STREAMED_GEMM(NAME, KIND, 128, TILE_ROWS, PARTS)

STREAMED_GEMMS(bf16, kPlain, 64, 1)
STREAMED_GEMMS(bf16, kPlain, 64, 2)
STREAMED_GEMMS(bf16, kPlain, 64, 4)
STREAMED_GEMMS(bf16, kPlain, 128, 1)
STREAMED_GEMMS(gated, kGated, 64, 1)
STREAMED_GEMMS(gated, kGated, 128, 1)
STREAMED_GEMMS(gated, kGated, 192, 1)

#endif
