package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.EXACT;
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

/**
 * Adds products of one row with blocks of a packed strip to {@code out[0, STRIP)}, without unpacked weights going through memory; the same
 * arithmetic in the same order as {@link StripUnpacker} and {@link StripProducts} one after the other.
 */
final class PackedProducts {

    private PackedProducts() {}

    /** @param from first word of weights, behind the factors' word */
    static void addNibbles(int[] words, int from, float[] factors, float[] x, int xAt, float[] out) {
        FloatVector d0 = FloatVector.fromArray(FLOATS, factors, 0);
        FloatVector d1 = FloatVector.fromArray(FLOATS, factors, LANES);
        FloatVector m0 = FloatVector.fromArray(FLOATS, factors, STRIP);
        FloatVector m1 = FloatVector.fromArray(FLOATS, factors, STRIP + LANES);
        IntVector nibble = broadcast(15);
        FloatVector a = FloatVector.fromArray(FLOATS, out, 0);
        FloatVector b = FloatVector.fromArray(FLOATS, out, LANES);
        for (int word = 0; word < 4; word++) {
            IntVector packed0 = IntVector.fromArray(INTS, words, from + word * STRIP);
            IntVector packed1 = IntVector.fromArray(INTS, words, from + word * STRIP + LANES);
            for (int i = 0; i < 8; i++) {
                FloatVector xk = broadcast(x[xAt + 8 * word + i]);
                a = xk.fma(toFloats(packed0.lanewise(LSHR, 4 * i).and(nibble)).fma(d0, m0), a);
                b = xk.fma(toFloats(packed1.lanewise(LSHR, 4 * i).and(nibble)).fma(d1, m1), b);
            }
        }
        EXACT.cast(a).intoArray(out, 0);
        EXACT.cast(b).intoArray(out, LANES);
    }

    /**
     * As {@link #addNibbles} for weights with high bits, of words {@code [fromWord, toWord)} of a block.
     *
     * @param factorsAt where those words' set of factors begins
     */
    @SuppressWarnings("checkstyle:ParameterNumber") // a part of a block
    static void addLongNibbles(
            int[] words,
            int from,
            int highBits,
            int fromWord,
            int toWord,
            float[] factors,
            int factorsAt,
            float[] x,
            int xAt,
            float[] out) {
        FloatVector d0 = FloatVector.fromArray(FLOATS, factors, factorsAt);
        FloatVector d1 = FloatVector.fromArray(FLOATS, factors, factorsAt + LANES);
        FloatVector m0 = FloatVector.fromArray(FLOATS, factors, factorsAt + STRIP);
        FloatVector m1 = FloatVector.fromArray(FLOATS, factors, factorsAt + STRIP + LANES);
        IntVector nibble = broadcast(15);
        IntVector highMask = broadcast(((1 << highBits) - 1) << 4);
        FloatVector a = FloatVector.fromArray(FLOATS, out, 0);
        FloatVector b = FloatVector.fromArray(FLOATS, out, LANES);
        for (int word = fromWord; word < toWord; word++) {
            IntVector low0 = IntVector.fromArray(INTS, words, from + word * STRIP);
            IntVector low1 = IntVector.fromArray(INTS, words, from + word * STRIP + LANES);
            int highAt = from + (4 + word * highBits / 4) * STRIP;
            int shift = word * highBits % 4;
            IntVector high0 = IntVector.fromArray(INTS, words, highAt).lanewise(LSHR, shift);
            IntVector high1 = IntVector.fromArray(INTS, words, highAt + LANES).lanewise(LSHR, shift);
            IntVector u0 = low0.and(nibble).or(high0.lanewise(LSHL, 4).and(highMask));
            IntVector u1 = low1.and(nibble).or(high1.lanewise(LSHL, 4).and(highMask));
            FloatVector xk = broadcast(x[xAt + 8 * word]);
            a = xk.fma(toFloats(u0).fma(d0, m0), a);
            b = xk.fma(toFloats(u1).fma(d1, m1), b);
            for (int i = 1; i < 8; i++) {
                xk = broadcast(x[xAt + 8 * word + i]);
                u0 = low0.lanewise(LSHR, 4 * i)
                        .and(nibble)
                        .or(high0.lanewise(LSHR, 4 * i - 4).and(highMask));
                u1 = low1.lanewise(LSHR, 4 * i)
                        .and(nibble)
                        .or(high1.lanewise(LSHR, 4 * i - 4).and(highMask));
                a = xk.fma(toFloats(u0).fma(d0, m0), a);
                b = xk.fma(toFloats(u1).fma(d1, m1), b);
            }
        }
        EXACT.cast(a).intoArray(out, 0);
        EXACT.cast(b).intoArray(out, LANES);
    }

    /** As {@link #addNibbles} for bytes. */
    static void addBytes(int[] words, int from, float[] factors, float[] x, int xAt, float[] out) {
        FloatVector d0 = FloatVector.fromArray(FLOATS, factors, 0);
        FloatVector d1 = FloatVector.fromArray(FLOATS, factors, LANES);
        FloatVector m0 = FloatVector.fromArray(FLOATS, factors, STRIP);
        FloatVector m1 = FloatVector.fromArray(FLOATS, factors, STRIP + LANES);
        IntVector lowByte = broadcast(255);
        FloatVector a = FloatVector.fromArray(FLOATS, out, 0);
        FloatVector b = FloatVector.fromArray(FLOATS, out, LANES);
        for (int word = 0; word < 8; word++) {
            IntVector packed0 = IntVector.fromArray(INTS, words, from + word * STRIP);
            IntVector packed1 = IntVector.fromArray(INTS, words, from + word * STRIP + LANES);
            for (int i = 0; i < 4; i++) {
                FloatVector xk = broadcast(x[xAt + 4 * word + i]);
                a = xk.fma(toFloats(packed0.lanewise(LSHR, 8 * i).and(lowByte)).fma(d0, m0), a);
                b = xk.fma(toFloats(packed1.lanewise(LSHR, 8 * i).and(lowByte)).fma(d1, m1), b);
            }
        }
        EXACT.cast(a).intoArray(out, 0);
        EXACT.cast(b).intoArray(out, LANES);
    }

    /** As {@link #addNibbles} for a whole strip of BF16 weights, {@code len} input features from its first word on. */
    static void addBf16(int[] words, int from, float[] x, int len, float[] out) {
        IntVector highHalf = broadcast(0xFFFF0000);
        FloatVector a = FloatVector.fromArray(FLOATS, out, 0);
        FloatVector b = FloatVector.fromArray(FLOATS, out, LANES);
        for (int k = 0; k < len; k += 2) {
            IntVector pairs0 = IntVector.fromArray(INTS, words, from + k / 2 * STRIP);
            IntVector pairs1 = IntVector.fromArray(INTS, words, from + k / 2 * STRIP + LANES);
            FloatVector xk = broadcast(x[k]);
            a = xk.fma(pairs0.lanewise(LSHL, 16).reinterpretAsFloats(), a);
            b = xk.fma(pairs1.lanewise(LSHL, 16).reinterpretAsFloats(), b);
            if (k + 1 < len) {
                xk = broadcast(x[k + 1]);
                a = xk.fma(pairs0.and(highHalf).reinterpretAsFloats(), a);
                b = xk.fma(pairs1.and(highHalf).reinterpretAsFloats(), b);
            }
        }
        EXACT.cast(a).intoArray(out, 0);
        EXACT.cast(b).intoArray(out, LANES);
    }

    /** As {@link #addBf16} for F16. */
    static void addF16(int[] words, int from, float[] x, int len, float[] out) {
        FloatVector a = FloatVector.fromArray(FLOATS, out, 0);
        FloatVector b = FloatVector.fromArray(FLOATS, out, LANES);
        for (int k = 0; k < len; k += 2) {
            IntVector pairs0 = IntVector.fromArray(INTS, words, from + k / 2 * STRIP);
            IntVector pairs1 = IntVector.fromArray(INTS, words, from + k / 2 * STRIP + LANES);
            FloatVector xk = broadcast(x[k]);
            a = xk.fma(Lanes.lowHalves(pairs0), a);
            b = xk.fma(Lanes.lowHalves(pairs1), b);
            if (k + 1 < len) {
                xk = broadcast(x[k + 1]);
                a = xk.fma(Lanes.highHalves(pairs0), a);
                b = xk.fma(Lanes.highHalves(pairs1), b);
            }
        }
        EXACT.cast(a).intoArray(out, 0);
        EXACT.cast(b).intoArray(out, LANES);
    }

    /** As {@link #addBf16} for F32. */
    static void addF32(int[] words, int from, float[] x, int len, float[] out) {
        FloatVector a = FloatVector.fromArray(FLOATS, out, 0);
        FloatVector b = FloatVector.fromArray(FLOATS, out, LANES);
        for (int k = 0; k < len; k++) {
            FloatVector xk = broadcast(x[k]);
            a = xk.fma(IntVector.fromArray(INTS, words, from + k * STRIP).reinterpretAsFloats(), a);
            b = xk.fma(
                    IntVector.fromArray(INTS, words, from + k * STRIP + LANES).reinterpretAsFloats(), b);
        }
        EXACT.cast(a).intoArray(out, 0);
        EXACT.cast(b).intoArray(out, LANES);
    }
}
