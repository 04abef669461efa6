package io.radixflow.weights;

import java.nio.ByteBuffer;

/**
 * GGML's blocks of 256 weights, whose sub-blocks have small integer factors s and m that fp16 factors scale: {@code w = d * s * q -
 * dmin * m}, in that order; all but the difference is exact in fp32. Plain, one number after the other. Thread-safe.
 *
 * <pre>
 * Q2_K   16 sub-blocks of 16   scales[16] (s low, m high half)   low[64]             d dmin    q = 0 ... 3
 * Q3_K   16 sub-blocks of 16   high[32]  low[64]  scales[12]     d                             q = -4 ... 3
 * Q4_K    8 sub-blocks of 32   d dmin  scales[12]                nibbles[128]                  q = 0 ... 15
 * Q5_K    8 sub-blocks of 32   d dmin  scales[12]  high[32]      nibbles[128]                  q = 0 ... 31
 * Q6_K   16 sub-blocks of 16   nibbles[128]  high[64]            scales[16] (int8)   d         q = -32 ... 31
 * </pre>
 * Bits of weight 32 g + i (g from 0 to 7): two {@code low} bits in byte 32 (g / 4) + i at bit 2 (g % 4), so also Q6_K's two {@code high}
 * ones; one {@code high} bit in byte i at bit g. Nibbles: in Q4_K and Q5_K byte 32 (g / 2) + i, its low half for even g; in Q6_K byte
 * 64 (g / 4) + 32 (g % 2) + i, its low half for g % 4 < 2.
 */
final class SuperBlocks {

    private static final int GROUP_LEN = 32;
    private static final int NUM_GROUPS = 8;

    private SuperBlocks() {}

    /** Decodes the block at byte {@code from} to {@code [at, at + 256)} of {@code into}. */
    static void decode(TensorType type, ByteBuffer data, int from, float[] into, int at) {
        float d = TensorDecoder.half(data, from + factorAt(type));
        boolean hasMin = type == TensorType.Q2_K || type == TensorType.Q4_K || type == TensorType.Q5_K;
        float dmin = hasMin ? TensorDecoder.half(data, from + factorAt(type) + 2) : 0;
        for (int group = 0; group < NUM_GROUPS; group++) {
            for (int i = 0; i < GROUP_LEN; i++) {
                int subBlock = hasSixteenSubBlocks(type) ? 2 * group + i / 16 : group;
                float scale = d * scale(type, data, from, subBlock);
                float min = hasMin ? dmin * min(type, data, from, subBlock) : 0;
                into[at + group * GROUP_LEN + i] = scale * quant(type, data, from, group, i) - min;
            }
        }
    }

    private static boolean hasSixteenSubBlocks(TensorType type) {
        return type == TensorType.Q2_K || type == TensorType.Q3_K || type == TensorType.Q6_K;
    }

    private static int factorAt(TensorType type) {
        return switch (type) {
            case Q4_K, Q5_K -> 0;
            case Q2_K -> 80;
            case Q3_K -> 108;
            case Q6_K -> 208;
            case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 -> throw noSuperBlock(type);
        };
    }

    private static int quant(TensorType type, ByteBuffer data, int from, int group, int i) {
        return switch (type) {
            case Q2_K -> twoBits(data, from + 16, group, i);
            case Q3_K -> twoBits(data, from + 32, group, i) - (bit(data, from, group, i) == 1 ? 0 : 4);
            case Q4_K -> nibble(data, from + 16 + group / 2 * GROUP_LEN + i, group % 2);
            case Q5_K ->
                nibble(data, from + 48 + group / 2 * GROUP_LEN + i, group % 2) | (bit(data, from + 16, group, i) << 4);
            case Q6_K ->
                (nibble(data, from + (group / 4 * 2 + group % 2) * GROUP_LEN + i, group % 4 / 2)
                                | (twoBits(data, from + 128, group, i) << 4))
                        - 32;
            case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 -> throw noSuperBlock(type);
        };
    }

    private static int scale(TensorType type, ByteBuffer data, int from, int subBlock) {
        return switch (type) {
            case Q2_K -> nibble(data, from + subBlock, 0);
            case Q3_K -> {
                // 16 numbers of 6 bits: the low four in bytes 0 to 7, halves in turn, the high two in bytes 8 to 11
                int low = nibble(data, from + 96 + subBlock % 8, subBlock / 8);
                int high = (data.get(from + 104 + subBlock % 4) >> (2 * (subBlock / 4))) & 3;
                yield (low | (high << 4)) - 32;
            }
            case Q4_K, Q5_K -> {
                int scales = from + 4;
                yield subBlock < 4
                        ? data.get(scales + subBlock) & 63
                        : nibble(data, scales + 4 + subBlock, 0) | (topBits(data, scales + subBlock - 4) << 4);
            }
            case Q6_K -> data.get(from + 192 + subBlock);
            case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 -> throw noSuperBlock(type);
        };
    }

    private static int min(TensorType type, ByteBuffer data, int from, int subBlock) {
        if (type == TensorType.Q2_K) {
            return nibble(data, from + subBlock, 1);
        }
        int scales = from + 4;
        return subBlock < 4
                ? data.get(scales + 4 + subBlock) & 63
                : nibble(data, scales + 4 + subBlock, 1) | (topBits(data, scales + subBlock) << 4);
    }

    private static int nibble(ByteBuffer data, int at, int half) {
        return (data.get(at) >> (4 * half)) & 15;
    }

    private static int topBits(ByteBuffer data, int at) {
        return (data.get(at) >> 6) & 3;
    }

    private static int twoBits(ByteBuffer data, int from, int group, int i) {
        return (data.get(from + group / 4 * GROUP_LEN + i) >> (2 * (group % 4))) & 3;
    }

    private static int bit(ByteBuffer data, int from, int group, int i) {
        return (data.get(from + i) >> group) & 1;
    }

    private static IllegalStateException noSuperBlock(TensorType type) {
        return new IllegalStateException(type + " has no blocks of 256");
    }
}
