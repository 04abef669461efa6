package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.FLOATS;
import static io.radixflow.backend.cpu.Lanes.INTS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.STRIP;
import static io.radixflow.backend.cpu.Lanes.broadcast;
import static io.radixflow.backend.cpu.Lanes.toFloats;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Turns blocks of a packed strip into floats {@code [feature][STRIP]}, half a strip (one vector) at a time. */
final class StripUnpacker {

    private StripUnpacker() {}

    /**
     * Unpacks blocks {@code [fromBlock, toBlock)} of a strip to the start of {@code into}.
     *
     * @param factors scratch, {@link BlockFactors#LENGTH}
     */
    static void unpack(PackedMatrix matrix, int strip, int fromBlock, int toBlock, float[] factors, float[] into) {
        int[] words = matrix.words;
        for (int block = fromBlock; block < toBlock; block++) {
            int from = matrix.blockAt(strip, block);
            int to = (block - fromBlock) * PackedMatrix.BLOCK * STRIP;
            if (matrix.format.hasFactors()) {
                BlockFactors.decode(matrix, strip, block, factors);
            }
            switch (matrix.format) {
                case Q4_0, Q4_1, Q4_K -> unpackNibbles(words, from + STRIP, factors, into, to);
                case Q8_0 -> unpackBytes(words, from + STRIP, factors, into, to);
                case Q5_0, Q5_1, Q5_K -> unpackLongNibbles(words, from + STRIP, 1, 0, 4, factors, 0, into, to);
                case Q6_K -> {
                    unpackLongNibbles(words, from + STRIP, 2, 0, 2, factors, 0, into, to);
                    unpackLongNibbles(words, from + STRIP, 2, 2, 4, factors, BlockFactors.SET, into, to);
                }
                case F16 -> unpackF16(words, from, into, to);
                case BF16 -> unpackBf16(words, from, into, to);
                case F32 -> unpackF32(words, from, into, to);
            }
        }
    }

    /** 32 features: eight from each of four words of a row. */
    private static void unpackNibbles(int[] words, int from, float[] factors, float[] into, int to) {
        IntVector nibble = broadcast(15);
        for (int i = 0; i < STRIP; i += LANES) {
            FloatVector d = FloatVector.fromArray(FLOATS, factors, i);
            FloatVector m = FloatVector.fromArray(FLOATS, factors, STRIP + i);
            for (int word = 0; word < 4; word++) {
                IntVector packed = IntVector.fromArray(INTS, words, from + i + word * STRIP);
                int at = to + i + 8 * word * STRIP;
                for (int feature = 0; feature < 8; feature++) {
                    toFloats(packed.lanewise(LSHR, 4 * feature).and(nibble))
                            .fma(d, m)
                            .intoArray(into, at + feature * STRIP);
                }
            }
        }
    }

    /** As {@link #unpackNibbles}, with high bits, for words {@code [fromWord, toWord)} and the factors at {@code factorsAt}. */
    @SuppressWarnings("checkstyle:ParameterNumber") // a part of a block
    private static void unpackLongNibbles(
            int[] words,
            int from,
            int highBits,
            int fromWord,
            int toWord,
            float[] factors,
            int factorsAt,
            float[] into,
            int to) {
        IntVector nibble = broadcast(15);
        IntVector highMask = broadcast(((1 << highBits) - 1) << 4);
        for (int i = 0; i < STRIP; i += LANES) {
            FloatVector d = FloatVector.fromArray(FLOATS, factors, factorsAt + i);
            FloatVector m = FloatVector.fromArray(FLOATS, factors, factorsAt + STRIP + i);
            for (int word = fromWord; word < toWord; word++) {
                IntVector packed = IntVector.fromArray(INTS, words, from + i + word * STRIP);
                IntVector high = IntVector.fromArray(INTS, words, from + i + (4 + word * highBits / 4) * STRIP)
                        .lanewise(LSHR, word * highBits % 4);
                int at = to + i + 8 * word * STRIP;
                toFloats(packed.and(nibble).or(high.lanewise(LSHL, 4).and(highMask)))
                        .fma(d, m)
                        .intoArray(into, at);
                for (int feature = 1; feature < 8; feature++) {
                    toFloats(packed.lanewise(LSHR, 4 * feature)
                                    .and(nibble)
                                    .or(high.lanewise(LSHR, 4 * feature - 4).and(highMask)))
                            .fma(d, m)
                            .intoArray(into, at + feature * STRIP);
                }
            }
        }
    }

    /** 32 features: four from each of eight words of a row. */
    private static void unpackBytes(int[] words, int from, float[] factors, float[] into, int to) {
        IntVector lowByte = broadcast(255);
        for (int i = 0; i < STRIP; i += LANES) {
            FloatVector d = FloatVector.fromArray(FLOATS, factors, i);
            FloatVector m = FloatVector.fromArray(FLOATS, factors, STRIP + i);
            for (int word = 0; word < 8; word++) {
                IntVector packed = IntVector.fromArray(INTS, words, from + i + word * STRIP);
                int at = to + i + 4 * word * STRIP;
                for (int feature = 0; feature < 4; feature++) {
                    toFloats(packed.lanewise(LSHR, 8 * feature).and(lowByte))
                            .fma(d, m)
                            .intoArray(into, at + feature * STRIP);
                }
            }
        }
    }

    private static void unpackF16(int[] words, int from, float[] into, int to) {
        for (int i = 0; i < 16 * STRIP; i += LANES) {
            IntVector pairs = IntVector.fromArray(INTS, words, from + i);
            int at = to + i + i / STRIP * STRIP;
            Lanes.lowHalves(pairs).intoArray(into, at);
            Lanes.highHalves(pairs).intoArray(into, at + STRIP);
        }
    }

    private static void unpackBf16(int[] words, int from, float[] into, int to) {
        IntVector high = broadcast(0xFFFF0000);
        for (int i = 0; i < 16 * STRIP; i += LANES) {
            IntVector pairs = IntVector.fromArray(INTS, words, from + i);
            int at = to + i + i / STRIP * STRIP;
            pairs.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(into, at);
            pairs.and(high).reinterpretAsFloats().intoArray(into, at + STRIP);
        }
    }

    private static void unpackF32(int[] words, int from, float[] into, int to) {
        for (int i = 0; i < 32 * STRIP; i += LANES) {
            IntVector.fromArray(INTS, words, from + i).reinterpretAsFloats().intoArray(into, to + i);
        }
    }
}
