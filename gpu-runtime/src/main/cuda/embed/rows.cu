/* rows: copies rows by index, multiplies gates, and enters this step's tokens and slots into the device's tables.
   gather_rows  table [n, cols], out [num_rows, cols]  bf16     index [num_rows] int32     out[i] = table[index[i]]
   silu_mul     gate_up [rows, 2 * ffn] bf16, gate first     out [rows, ffn] bf16     out = gate * sigmoid(gate) * up
   begin_step   slot_table, history [rows, stride] int32     place [row_of_token[i]][position[i]] gets kv_slot[i] and token_id[i]; a token
                id of -1 - e is replaced by drawn[e], what the last step drew
   cols and ffn multiples of 8; grids as in GatherRows and SiluMul; all bound by memory: 4 (gather), 6 (silu) bytes an output number. */
#include "../common/launch.cuh"
#include "../common/vec.cuh"

extern "C" __global__ void gather_rows_bf16(const __nv_bfloat16* table, const int* index, int cols, __nv_bfloat16* out) {
  allow_next();
  wait_for_previous();
  const __nv_bfloat16* from = table + static_cast<size_t>(index[blockIdx.x]) * cols;
  __nv_bfloat16* to = out + static_cast<size_t>(blockIdx.x) * cols;
  for (int col = threadIdx.x * 8; col < cols; col += blockDim.x * 8) store8(to + col, load8(from + col));
}

extern "C" __global__ void silu_mul_bf16(const __nv_bfloat16* gate_up, int ffn, __nv_bfloat16* out) {
  allow_next();
  wait_for_previous();
  const __nv_bfloat16* from = gate_up + static_cast<size_t>(blockIdx.y) * 2 * ffn;
  int col = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
  if (col < ffn) {
    float gate[8], up[8];
    to_floats(load8(from + col), gate);
    to_floats(load8(from + ffn + col), up);
#pragma unroll
    for (int i = 0; i < 8; i++) gate[i] = gated(gate[i], up[i]);
    store8(out + static_cast<size_t>(blockIdx.y) * ffn + col, from_floats(gate));
  }
}

extern "C" __global__ void begin_step(int* token_id, const int* drawn, const int* row_of_token, const int* position,
                                      const int* kv_slot, int num_tokens, int* slot_table, int* history, int stride) {
  allow_next();
  wait_for_previous();
  int token = blockIdx.x * blockDim.x + threadIdx.x;
  if (token < num_tokens) {
    int id = token_id[token];
    if (id < 0) {
      id = max(drawn[-1 - id], 0);  // nothing may have been drawn; then the host throws away what follows
      token_id[token] = id;
    }
    size_t place = static_cast<size_t>(row_of_token[token]) * stride + position[token];
    slot_table[place] = kv_slot[token];
    history[place] = id;
  }
}
