/* few_rows: y = x w^T for at most 8 rows of x; bound by reading w (Hopper).
   w  [n, k]  bf16     x  [m, k]  bf16     y  [m, n]  bf16 or fp32     m 1 to 8, n a multiple of 16 or 32, k of 512; sums in fp32
   grid any number of blocks x 288 threads, that take tiles of 16 or 32 rows of w in turns; ring of 5 stages in shared memory

   One warp copies w, a stage being 512 numbers of a tile's rows, into a ring that is full before the kernel ahead has ended: w is constant. Eight
   warps multiply, each 64 of the 512. Rows of w are the rows of mma's left operand, those of x the columns of its right one. A thread takes 16
   contiguous bytes of each, as if they lay where mma wants them: that permutes k on both sides alike. Tiles of 32 rows halve what is read of x,
   tiles of 16 spread better.
   A row's bits depend on nothing but the row.

   The added variant adds the product, rounded to bf16, to y. The normed one multiplies rms_norm(x) with w, without its rows in memory: numbers of
   x go times the norm's weights into the product, and the sums times 1 / rms(x), which the squares met on the way give [1].
   norm  [k] fp32, in shared memory behind the ring
   Moves 2 * n * k bytes.  12,288 x 4,096: 101 MB -> 21 us at 4.7 TB/s
   [1] Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019. */
#if defined(__CUDA_ARCH__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)

extern "C" __global__ void few_rows_bf16_16() { __trap(); }  // never launched: others take cuBLASLt

#else

#include "../common/bulk.cuh"
#include "../common/launch.cuh"
#include "../common/ptx.cuh"
#include "../common/ptx_sm90.cuh"
#include "../common/vec.cuh"

namespace {

constexpr int kWarps = 8;  // that multiply
constexpr int kThreads = (kWarps + 1) * kWarp;
constexpr int kTileRows = 16;            // of one product
constexpr int kColumns = 8;             // rows of x
constexpr int kWarpChunk = 64;          // numbers of k that a warp takes of a stage
constexpr int kChunk = kWarps * kWarpChunk;
constexpr int kPitch = kChunk * 2 + 64;  // bytes of a row of a stage: two neighbouring rows' 64 bytes lie in different banks
constexpr int kStages = 5;
constexpr int kAhead = 3;  // chunks of x that a warp loads ahead
static_assert(kStages * kTileRows * kPitch == 87040, "FewRows.RING_BYTES");

/* What becomes of a product: bf16, fp32, added to what is there, or of normalised rows. */
enum class Kind { kBf16, kFloat, kAdded, kNormed };

/* Eight numbers of x for each half of a warp's chunk. */
struct Inputs {
  uint4 half[2];
};

__device__ __forceinline__ uint4 load_shared16(uint32_t from) {
  uint4 value;
  asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "r"(from));
  return value;
}

template <int kRows>
struct Tile {
  static constexpr int kStageBytes = kRows * kPitch;
  static constexpr int kProducts = kRows / kTileRows;

  float sums[kWarps][kRows][kColumns + 1];
};

/* Eight numbers of a row times the norm's weights; adds their squares. */
__device__ __forceinline__ uint4 weighted(uint4 x, const float4* norm, float& squares) {
  Bf16x8 packed = *reinterpret_cast<Bf16x8*>(&x);
  float numbers[8];
  to_floats(packed, numbers);
#pragma unroll
  for (int i = 0; i < 8; i++) squares += numbers[i] * numbers[i];
  float4 low = norm[0], high = norm[1];
  numbers[0] *= low.x;
  numbers[1] *= low.y;
  numbers[2] *= low.z;
  numbers[3] *= low.w;
  numbers[4] *= high.x;
  numbers[5] *= high.y;
  numbers[6] *= high.z;
  numbers[7] *= high.w;
  packed = from_floats(numbers);
  return *reinterpret_cast<uint4*>(&packed);
}

template <int kRows>
__device__ __forceinline__ void copy_weights(const __nv_bfloat16* w, int num_tiles, int num_chunks, uint32_t ring,
                                             uint32_t full, uint32_t empty) {
  int lane = threadIdx.x % kWarp, stage = 0, parity = 1;
  size_t k = static_cast<size_t>(num_chunks) * kChunk;
  for (int tile = blockIdx.x; tile < num_tiles; tile += gridDim.x) {
    const __nv_bfloat16* row = w + static_cast<size_t>(tile * kRows + lane % kRows) * k;
    for (int chunk = 0; chunk < num_chunks; chunk++) {
      wait_barrier(empty + stage * 8, parity);
      if (lane == 0) arrive_expecting(full + stage * 8, kRows * kChunk * 2);
      __syncwarp();
      if (lane < kRows) {
        copy_bulk(ring + stage * Tile<kRows>::kStageBytes + lane * kPitch, row + chunk * kChunk, kChunk * 2, full + stage * 8);
      }
      if (++stage == kStages) {
        stage = 0;
        parity ^= 1;
      }
    }
  }
}

/* 16 rows of a stage, the 64 numbers that are this warp's. */
__device__ __forceinline__ void multiply_rows(uint32_t from, const Inputs& x, float (&sum)[4]) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    uint4 low = load_shared16(from + half * 64);
    uint4 high = load_shared16(from + 8 * kPitch + half * 64);
    uint32_t first[4] = {low.x, high.x, low.y, high.y}, second[4] = {low.z, high.z, low.w, high.w};
    multiply_add(sum, first, x.half[half].x, x.half[half].y);
    multiply_add(sum, second, x.half[half].z, x.half[half].w);
  }
}

template <int kRows, Kind kKind>
__device__ __forceinline__ void write_tile(const Tile<kRows>& tile, const float* factors, void* y, int n, int m,
                                           int first_row) {
  for (int i = threadIdx.x; i < kRows * m; i += kWarps * kWarp) {
    int row = i % kRows, col = i / kRows;
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < kWarps; warp++) sum += tile.sums[warp][row][col];
    if (kKind == Kind::kNormed) sum *= factors[col];
    size_t to = static_cast<size_t>(col) * n + first_row + row;
    if (kKind == Kind::kFloat) {
      static_cast<float*>(y)[to] = sum;
    } else {
      __nv_bfloat16* number = static_cast<__nv_bfloat16*>(y) + to;
      __nv_bfloat16 rounded = __float2bfloat16(sum);
      *number = kKind == Kind::kAdded ? __hadd(*number, rounded) : rounded;
    }
  }
}

template <int kRows, Kind kKind>
__device__ __forceinline__ void multiply(const __nv_bfloat16* w, const __nv_bfloat16* x, void* y, int n, int k, int m,
                                         const float* norm, float eps) {
  extern __shared__ __align__(128) uint8_t shared[];
  __shared__ Tile<kRows> tiles[2];  // in turns
  __shared__ __align__(8) uint64_t barriers[2 * kStages];
  int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  uint32_t ring = shared_address(shared), full = shared_address(barriers), empty = full + kStages * 8;
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; i++) {
      init_barrier(full + i * 8, 1);
      init_barrier(empty + i * 8, kWarps);
    }
    publish_barriers();
  }
  __syncthreads();
  allow_next();
  int num_tiles = n / kRows, num_chunks = k / kChunk;
  if (warp == kWarps) {
    copy_weights<kRows>(w, num_tiles, num_chunks, ring, full, empty);
    return;
  }

  __shared__ float squares_of[kWarps][kColumns], factors[kColumns];
  float* norms = reinterpret_cast<float*>(shared + kStages * Tile<kRows>::kStageBytes);
  if (kKind == Kind::kNormed) {
    for (int i = threadIdx.x; i < k; i += kWarps * kWarp) norms[i] = norm[i];
    sync_named(1, kWarps * kWarp);
  }
  wait_for_previous();
  const uint4* from = reinterpret_cast<const uint4*>(x + static_cast<size_t>(lane / 4) * k + warp * kWarpChunk) + lane % 4;
  bool is_live = lane / 4 < m;
  auto load = [&](int chunk) {
    Inputs x;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      x.half[half] = is_live ? __ldcg(from + chunk * (kChunk / 8) + half * 4) : uint4{0, 0, 0, 0};
    }
    return x;
  };
  Inputs ahead[kAhead];
#pragma unroll
  for (int i = 0; i < kAhead; i++) ahead[i] = load(i % num_chunks);
  int next = kAhead % num_chunks, stage = 0, parity = 0, turn = 0;
  float squares = 0;
  const float* own_norms = norms + warp * kWarpChunk + lane % 4 * 8;
  uint32_t part = ring + lane / 4 * kPitch + warp * kWarpChunk * 2 + lane % 4 * 16;
  for (int tile = blockIdx.x; tile < num_tiles; tile += gridDim.x) {
    float sums[Tile<kRows>::kProducts][4] = {};
    for (int chunk = 0; chunk < num_chunks; chunk++) {
      Inputs now = ahead[0];
#pragma unroll
      for (int i = 0; i + 1 < kAhead; i++) ahead[i] = ahead[i + 1];
      ahead[kAhead - 1] = load(next);
      if (++next == num_chunks) next = 0;
      if (kKind == Kind::kNormed) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
          int at = chunk * kChunk + half * 32;
          now.half[half] = weighted(now.half[half], reinterpret_cast<const float4*>(own_norms + at), squares);
        }
      }
      wait_barrier(full + stage * 8, parity);
      __syncwarp();  // threads may leave the wait one by one, products take whole warps
#pragma unroll
      for (int i = 0; i < Tile<kRows>::kProducts; i++) {
        multiply_rows(part + stage * Tile<kRows>::kStageBytes + i * kTileRows * kPitch, now, sums[i]);
      }
      finish_reads();
      __syncwarp();
      if (lane == 0) arrive(empty + stage * 8);
      if (++stage == kStages) {
        stage = 0;
        parity ^= 1;
      }
    }
#pragma unroll
    for (int i = 0; i < Tile<kRows>::kProducts * 4; i++) {
      int row = i / 4 * kTileRows + lane / 4 + i / 2 % 2 * 8;
      tiles[turn].sums[warp][row][lane % 4 * 2 + i % 2] = sums[i / 4][i % 4];
    }
    if (kKind == Kind::kNormed && tile == blockIdx.x) {  // the first tile has met all of x
      squares += __shfl_xor_sync(kFullMask, squares, 1);
      squares += __shfl_xor_sync(kFullMask, squares, 2);
      if (lane % 4 == 0) squares_of[warp][lane / 4] = squares;
      sync_named(1, kWarps * kWarp);
      if (threadIdx.x < kColumns) {
        float sum = 0;
#pragma unroll
        for (int other = 0; other < kWarps; other++) sum += squares_of[other][threadIdx.x];
        factors[threadIdx.x] = rsqrtf(sum / k + eps);
      }
    }
    sync_named(1, kWarps * kWarp);
    write_tile<kRows, kKind>(tiles[turn], factors, y, n, m, tile * kRows);
    turn ^= 1;
  }
}

}  // namespace

#define FEW_ROWS(NAME, ROWS, KIND)                                                                                      \
  extern "C" __global__ void __launch_bounds__(kThreads, 2)                                                              \
      few_rows_##NAME##_##ROWS(const __nv_bfloat16* w, const __nv_bfloat16* x, void* y, int n, int k, int m,            \
                               const float* norm, float eps) {                                                          \
    multiply<ROWS, Kind::KIND>(w, x, y, n, k, m, norm, eps);                                                            \
  }

FEW_ROWS(bf16, 16, kBf16)
FEW_ROWS(bf16, 32, kBf16)
FEW_ROWS(float, 16, kFloat)
FEW_ROWS(float, 32, kFloat)
FEW_ROWS(added, 16, kAdded)
FEW_ROWS(added, 32, kAdded)
FEW_ROWS(normed, 16, kNormed)
FEW_ROWS(normed, 32, kNormed)

#endif
