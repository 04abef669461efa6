/* Attention on Hopper by three warp groups: two multiply 64 rows each with tiles of 128 tokens, the third one copies. */
#pragma once

#include "../common/ptx_sm90.cuh"

constexpr int kGroup = 128;  // threads of a warp group
constexpr int kMultiplying = 2;
constexpr int kThreads = (kMultiplying + 1) * kGroup;
constexpr int kGroupRows = 64;
constexpr int kBlockRows = kMultiplying * kGroupRows;
constexpr int kTileLen = 128;
constexpr int kSubTileBytes = 128 * 128;
constexpr int kAlignment = 1024;
static_assert(kBlockRows == kTileLen, "queries take the space of a tile");

/* The multiplying warp groups start their products in turns, so that one takes its softmax while the other's run; the first group begins. */
__device__ __forceinline__ void await_turn(int warp_group) { sync_named(1 + warp_group, kMultiplying * kGroup); }

__device__ __forceinline__ void pass_turn(int warp_group) { arrive_named(2 - warp_group, kMultiplying * kGroup); }
