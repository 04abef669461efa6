"""Writes random blocks of GGML's formats and the values that the Python package gguf reads from them.

Usage: gguf_blocks.py OUTPUT_FOLDER

blocks.bin.gz: per format int32 GGML type number, int32 number of weights, the blocks' bytes, float32 weights; all little endian.
"""

import gzip
import pathlib
import sys

import gguf
import numpy as np

SEED = 7
NUM_WEIGHTS = 1536
# Type and where its fp16 factors stand in a block: any bits but those of infinities and NaNs.
FORMATS = {
    "F16": [0], "BF16": [], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}


def random_blocks(random, kind, factors):
    block_len, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    num_blocks = NUM_WEIGHTS // block_len
    blocks = random.integers(0, 256, (num_blocks, block_bytes), dtype=np.uint8)
    for at in factors:
        exponent = random.integers(0, 31, num_blocks)  # 31 is infinity or NaN
        bits = random.integers(0, 2, num_blocks) << 15 | exponent << 10 | random.integers(0, 1 << 10, num_blocks)
        blocks[:, at : at + 2] = bits.astype("<u2").view(np.uint8).reshape(num_blocks, 2)
    if kind == gguf.GGMLQuantizationType.BF16:
        blocks[:, 1] &= 0xBF  # finite
    return blocks


def main(path):
    random = np.random.default_rng(SEED)
    parts = []
    for name, factors in FORMATS.items():
        kind = gguf.GGMLQuantizationType[name]
        blocks = random_blocks(random, kind, factors)
        weights = gguf.quants.dequantize(blocks.reshape(-1), kind).astype("<f4").reshape(-1)
        if len(weights) != NUM_WEIGHTS or not np.isfinite(weights).all():
            raise ValueError(name)
        parts += [np.array([kind, NUM_WEIGHTS], dtype="<i4").tobytes(), blocks.tobytes(), weights.tobytes()]
    (path / "blocks.bin.gz").write_bytes(gzip.compress(b"".join(parts), 9, mtime=0))


main(pathlib.Path(sys.argv[1]))
