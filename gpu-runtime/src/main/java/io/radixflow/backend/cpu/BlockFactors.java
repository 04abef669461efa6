package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.INTS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.STRIP;
import static io.radixflow.backend.cpu.Lanes.broadcast;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Decodes the factors of a strip's block, so that {@code w = u * d + m} for every block format, into a small array
 * {@code [d of STRIP rows, m of STRIP rows]}: an argument of vectors would be boxed wherever C2 doesn't inline.
 */
final class BlockFactors {

    static final int LENGTH = 2 * STRIP;

    private BlockFactors() {}

    static void decode(PackedMatrix matrix, int from, float[] into) {
        switch (matrix.type) {
            case Q4_1 -> decodeHalves(matrix.words, from, into);
            case Q4_0 -> decodeBiased(matrix.words, from, -8, into);
            case Q8_0 -> decodeBiased(matrix.words, from, -128, into);
            case F32, F16, BF16 -> throw new IllegalStateException(matrix.type + " has no factors");
            case Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> throw PackedMatrix.noLayout(matrix.type);
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
}
