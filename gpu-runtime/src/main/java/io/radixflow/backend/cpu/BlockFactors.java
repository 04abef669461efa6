package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.INTS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.STRIP;
import static io.radixflow.backend.cpu.Lanes.broadcast;
import static io.radixflow.backend.cpu.Lanes.toFloats;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Decodes the factors of a strip's block, so that {@code w = u * d + m} for every block format, into a small array: {@code [d of STRIP
 * rows, m of STRIP rows]}, and the same for the features from 16 on where they have factors of their own. An argument of vectors would be
 * boxed wherever C2 doesn't inline.
 */
final class BlockFactors {

    /** Numbers of one set of factors. */
    static final int SET = 2 * STRIP;

    static final int LENGTH = 2 * SET;

    private BlockFactors() {}

    static void decode(PackedMatrix matrix, int strip, int block, float[] into) {
        int from = matrix.blockAt(strip, block);
        switch (matrix.format) {
            case Q4_1, Q5_1 -> decodeHalves(matrix.words, from, into);
            case Q4_0 -> decodeBiased(matrix.words, from, -8, into);
            case Q5_0 -> decodeBiased(matrix.words, from, -16, into);
            case Q8_0 -> decodeBiased(matrix.words, from, -128, into);
            case Q4_K, Q5_K -> decodeScaled(matrix.words, matrix.headerAt(strip, block), from, into);
            case Q6_K -> decodeTwoScales(matrix.words, matrix.headerAt(strip, block), from, into);
            case F32, F16, BF16 -> throw new IllegalStateException(matrix.format + " has no factors");
        }
    }

    private static void decodeHalves(int[] words, int from, float[] into) {
        for (int i = 0; i < STRIP; i += LANES) {
            IntVector pairs = IntVector.fromArray(INTS, words, from + i);
            Lanes.lowHalves(pairs).intoArray(into, i);
            Lanes.highHalves(pairs).intoArray(into, STRIP + i);
        }
    }

    private static void decodeBiased(int[] words, int from, float bias, float[] into) {
        FloatVector biases = broadcast(bias);
        for (int i = 0; i < STRIP; i += LANES) {
            FloatVector d = IntVector.fromArray(INTS, words, from + i).reinterpretAsFloats();
            d.intoArray(into, i);
            d.mul(biases).intoArray(into, STRIP + i);
        }
    }

    private static void decodeScaled(int[] words, int header, int from, float[] into) {
        IntVector low = broadcast(0xFFFF);
        for (int i = 0; i < STRIP; i += LANES) {
            IntVector pairs = IntVector.fromArray(INTS, words, header + i);
            IntVector scales = IntVector.fromArray(INTS, words, from + i);
            Lanes.lowHalves(pairs).mul(toFloats(scales.and(low))).intoArray(into, i);
            Lanes.highHalves(pairs)
                    .mul(toFloats(scales.lanewise(LSHR, 16)))
                    .neg()
                    .intoArray(into, STRIP + i);
        }
    }

    private static void decodeTwoScales(int[] words, int header, int from, float[] into) {
        FloatVector bias = broadcast(-32f);
        for (int i = 0; i < STRIP; i += LANES) {
            FloatVector d = IntVector.fromArray(INTS, words, header + i).reinterpretAsFloats();
            IntVector scales = IntVector.fromArray(INTS, words, from + i);
            FloatVector first = d.mul(toFloats(scales.lanewise(LSHL, 16).lanewise(ASHR, 16)));
            first.intoArray(into, i);
            first.mul(bias).intoArray(into, STRIP + i);
            FloatVector second = d.mul(toFloats(scales.lanewise(ASHR, 16)));
            second.intoArray(into, SET + i);
            second.mul(bias).intoArray(into, SET + STRIP + i);
        }
    }
}
