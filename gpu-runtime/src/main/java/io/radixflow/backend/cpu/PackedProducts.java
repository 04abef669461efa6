package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.FLOATS;
import static io.radixflow.backend.cpu.Lanes.INTS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.STRIP;
import static io.radixflow.backend.cpu.Lanes.broadcast;
import static io.radixflow.backend.cpu.Lanes.toFloats;
import static jdk.incubator.vector.VectorOperators.LSHR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Adds products of one row with blocks of a packed strip to {@code out[0, STRIP)}, without unpacked weights going through memory; the same
 * arithmetic in the same order as {@link StripUnpacker} and {@link StripProducts} one after the other.
 */
final class PackedProducts {

    private PackedProducts() {}

    static void addQ41(int[] words, int from, float[] x, int xAt, float[] out) {
        IntVector f0 = IntVector.fromArray(INTS, words, from);
        IntVector f1 = IntVector.fromArray(INTS, words, from + LANES);
        addNibbles(
                words,
                from + STRIP,
                x,
                xAt,
                out,
                Lanes.lowHalves(f0),
                Lanes.highHalves(f0),
                Lanes.lowHalves(f1),
                Lanes.highHalves(f1));
    }

    static void addQ40(int[] words, int from, float[] x, int xAt, float[] out) {
        FloatVector d0 = IntVector.fromArray(INTS, words, from).reinterpretAsFloats();
        FloatVector d1 = IntVector.fromArray(INTS, words, from + LANES).reinterpretAsFloats();
        FloatVector bias = broadcast(-8f);
        addNibbles(words, from + STRIP, x, xAt, out, d0, d0.mul(bias), d1, d1.mul(bias));
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // inlined; vectors in a record would be boxed
    private static void addNibbles(
            int[] words,
            int from,
            float[] x,
            int xAt,
            float[] out,
            FloatVector d0,
            FloatVector m0,
            FloatVector d1,
            FloatVector m1) {
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
        a.intoArray(out, 0);
        b.intoArray(out, LANES);
    }

    static void addQ80(int[] words, int from, float[] x, int xAt, float[] out) {
        FloatVector d0 = IntVector.fromArray(INTS, words, from).reinterpretAsFloats();
        FloatVector d1 = IntVector.fromArray(INTS, words, from + LANES).reinterpretAsFloats();
        FloatVector m0 = d0.mul(broadcast(-128f));
        FloatVector m1 = d1.mul(broadcast(-128f));
        IntVector lowByte = broadcast(255);
        FloatVector a = FloatVector.fromArray(FLOATS, out, 0);
        FloatVector b = FloatVector.fromArray(FLOATS, out, LANES);
        for (int word = 0; word < 8; word++) {
            IntVector packed0 = IntVector.fromArray(INTS, words, from + STRIP + word * STRIP);
            IntVector packed1 = IntVector.fromArray(INTS, words, from + STRIP + word * STRIP + LANES);
            for (int i = 0; i < 4; i++) {
                FloatVector xk = broadcast(x[xAt + 4 * word + i]);
                a = xk.fma(toFloats(packed0.lanewise(LSHR, 8 * i).and(lowByte)).fma(d0, m0), a);
                b = xk.fma(toFloats(packed1.lanewise(LSHR, 8 * i).and(lowByte)).fma(d1, m1), b);
            }
        }
        a.intoArray(out, 0);
        b.intoArray(out, LANES);
    }
}
