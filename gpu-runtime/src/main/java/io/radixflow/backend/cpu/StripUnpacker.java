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
            if (matrix.hasFactors()) {
                BlockFactors.decode(matrix, from, factors);
            }
            switch (matrix.type) {
                case Q4_0, Q4_1 -> {
                    for (int word = 0; word < 4; word++) {
                        unpackNibbles(words, from + STRIP + word * STRIP, factors, into, to + 8 * word * STRIP);
                    }
                }
                case Q8_0 -> {
                    for (int word = 0; word < 8; word++) {
                        unpackBytes(words, from + STRIP + word * STRIP, factors, into, to + 4 * word * STRIP);
                    }
                }
                case F16 -> unpackF16(words, from, into, to);
                case BF16 -> unpackBf16(words, from, into, to);
                case F32 -> unpackF32(words, from, into, to);
                case Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> throw PackedMatrix.noLayout(matrix.type);
            }
        }
    }

    /** Eight features from one word of each row. */
    private static void unpackNibbles(int[] words, int from, float[] factors, float[] into, int to) {
        IntVector nibble = broadcast(15);
        for (int i = 0; i < STRIP; i += LANES) {
            FloatVector d = FloatVector.fromArray(FLOATS, factors, i);
            FloatVector m = FloatVector.fromArray(FLOATS, factors, STRIP + i);
            IntVector packed = IntVector.fromArray(INTS, words, from + i);
            for (int feature = 0; feature < 8; feature++) {
                toFloats(packed.lanewise(LSHR, 4 * feature).and(nibble))
                        .fma(d, m)
                        .intoArray(into, to + i + feature * STRIP);
            }
        }
    }

    /** Four features from one word of each row. */
    private static void unpackBytes(int[] words, int from, float[] factors, float[] into, int to) {
        IntVector lowByte = broadcast(255);
        for (int i = 0; i < STRIP; i += LANES) {
            FloatVector d = FloatVector.fromArray(FLOATS, factors, i);
            FloatVector m = FloatVector.fromArray(FLOATS, factors, STRIP + i);
            IntVector packed = IntVector.fromArray(INTS, words, from + i);
            for (int feature = 0; feature < 4; feature++) {
                toFloats(packed.lanewise(LSHR, 8 * feature).and(lowByte))
                        .fma(d, m)
                        .intoArray(into, to + i + feature * STRIP);
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
