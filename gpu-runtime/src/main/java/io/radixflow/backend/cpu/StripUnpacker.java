package io.radixflow.backend.cpu;

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

    /** Unpacks blocks {@code [fromBlock, toBlock)} of a strip to the start of {@code into}. */
    static void unpack(PackedMatrix matrix, int strip, int fromBlock, int toBlock, float[] into) {
        int[] words = matrix.words;
        for (int block = fromBlock; block < toBlock; block++) {
            int from = matrix.blockAt(strip, block);
            int to = (block - fromBlock) * PackedMatrix.BLOCK * STRIP;
            switch (matrix.type) {
                case Q4_1 -> {
                    unpackQ41(words, from, into, to);
                    unpackQ41(words, from + LANES, into, to + LANES);
                }
                case Q4_0 -> {
                    unpackQ40(words, from, into, to);
                    unpackQ40(words, from + LANES, into, to + LANES);
                }
                case Q8_0 -> {
                    unpackQ80(words, from, into, to);
                    unpackQ80(words, from + LANES, into, to + LANES);
                }
                case F16 -> unpackF16(words, from, into, to);
                case BF16 -> unpackBf16(words, from, into, to);
                case F32 -> unpackF32(words, from, into, to);
            }
        }
    }

    private static void unpackQ41(int[] words, int from, float[] into, int to) {
        IntVector factors = IntVector.fromArray(INTS, words, from);
        unpackNibbles(words, from + STRIP, Lanes.lowHalves(factors), Lanes.highHalves(factors), into, to);
    }

    private static void unpackQ40(int[] words, int from, float[] into, int to) {
        FloatVector d = IntVector.fromArray(INTS, words, from).reinterpretAsFloats();
        unpackNibbles(words, from + STRIP, d, d.mul(broadcast(-8f)), into, to);
    }

    private static void unpackNibbles(int[] words, int from, FloatVector d, FloatVector m, float[] into, int to) {
        IntVector nibble = broadcast(15);
        for (int word = 0; word < 4; word++) {
            IntVector packed = IntVector.fromArray(INTS, words, from + word * STRIP);
            for (int i = 0; i < 8; i++) {
                toFloats(packed.lanewise(LSHR, 4 * i).and(nibble))
                        .fma(d, m)
                        .intoArray(into, to + (8 * word + i) * STRIP);
            }
        }
    }

    private static void unpackQ80(int[] words, int from, float[] into, int to) {
        FloatVector d = IntVector.fromArray(INTS, words, from).reinterpretAsFloats();
        FloatVector m = d.mul(broadcast(-128f));
        IntVector lowByte = broadcast(255);
        for (int word = 0; word < 8; word++) {
            IntVector packed = IntVector.fromArray(INTS, words, from + STRIP + word * STRIP);
            for (int i = 0; i < 4; i++) {
                toFloats(packed.lanewise(LSHR, 8 * i).and(lowByte))
                        .fma(d, m)
                        .intoArray(into, to + (4 * word + i) * STRIP);
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
