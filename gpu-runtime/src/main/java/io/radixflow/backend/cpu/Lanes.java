package io.radixflow.backend.cpu;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shape of this machine, chosen when the class is loaded, and arithmetic on it that the Vector API lacks.
 *
 * <p>Kernels are written so that C2 keeps every vector in a register: small static methods, one local for each accumulator, constants
 * broadcast before loops, {@code castShape} for conversions, no method called on a vector that a loop carries
 * unless it is cast to {@link #EXACT}. The launcher keeps kernels from being inlined into their callers and this class's methods inlined
 * ({@code flink-conf/jvm-cpu.options} says why). {@code CpuAllocationTest} fails when a vector gets boxed.
 */
final class Lanes {

    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    /**
     * The class of this machine's float vectors; a vector that a loop carried is cast to it before it is written. C2 knows such a local as
     * an abstract {@code FloatVector} only and takes its class from profiles; without one (the first compiler counts no types while it is
     * busy) it calls {@code length()} as a virtual method, and the vector is an object for the life of the JVM.
     */
    static final Class<? extends FloatVector> EXACT = FLOATS.zero().getClass().asSubclass(FloatVector.class);
    /** Numbers in one vector. */
    static final int LANES = FLOATS.length();
    /** Output features that kernels compute side by side: two vectors. */
    static final int STRIP = 2 * LANES;

    private static final float LOG2_E = 1.442695f;
    /** ln 2 in two pieces; the first has few bits, so that a small integer times it is exact. */
    private static final float LN2_HIGH = 0x1.63p-1f;

    private static final float LN2_LOW = -2.12194440e-4f;
    /** 1.5 * 2^23: adding it rounds to an integer, which then lies in the lowest bits. */
    private static final float ROUND = 0x1.8p23f;

    private static final float MIN_EXPONENT = -86;
    private static final float MAX_EXPONENT = 88;

    private Lanes() {}

    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }

    static IntVector broadcast(int value) {
        return IntVector.broadcast(INTS, value);
    }

    static FloatVector toFloats(IntVector integers) {
        return (FloatVector) integers.castShape(FLOATS, 0);
    }

    /** The finite binary16 numbers in the low halves of the lanes. */
    static FloatVector lowHalves(IntVector pairs) {
        return highHalves(pairs.lanewise(LSHL, 16));
    }

    /**
     * The finite binary16 numbers in the high halves of the lanes. Their exponent and fraction are shifted to a float's place, where
     * a product with 2^112 sets the exponent's bias right, for subnormal numbers too.
     */
    static FloatVector highHalves(IntVector pairs) {
        return pairs.lanewise(ASHR, 3)
                .and(broadcast(0x8FFFE000))
                .reinterpretAsFloats()
                .mul(broadcast(0x1p112f));
    }

    /**
     * The binary16 numbers in the high halves of the lanes; NaN becomes an infinity. The first product gives 2^16 or more for what has
     * binary16's highest exponent and at most 65504 otherwise, so the second one overflows for exactly those.
     */
    static FloatVector allHighHalves(IntVector pairs) {
        return highHalves(pairs).mul(broadcast(0x1p112f)).mul(broadcast(0x1p-112f));
    }

    /** {@link #allHighHalves} of the low halves. */
    static FloatVector allLowHalves(IntVector pairs) {
        return allHighHalves(pairs.lanewise(LSHL, 16));
    }

    /** Sum of the lanes in ascending order, whether this code is interpreted or compiled. */
    static float sum(float[] lanes, int from) {
        float sum = lanes[from];
        for (int i = 1; i < LANES; i++) {
            sum += lanes[from + i];
        }
        return sum;
    }

    /**
     * e^x for x in [-86, 88], and for x outside the value at that end; NaN stays NaN. Relative error below 2e-7: reduction to
     * |r| <= ln(2) / 2 and Taylor's series to r^7, whose rest is below 6e-9.
     */
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(broadcast(MIN_EXPONENT)).min(broadcast(MAX_EXPONENT));
        FloatVector shifted = clamped.fma(broadcast(LOG2_E), broadcast(ROUND));
        FloatVector n = shifted.sub(broadcast(ROUND));
        FloatVector r = n.fma(broadcast(-LN2_LOW), n.fma(broadcast(-LN2_HIGH), clamped));
        FloatVector series = r.fma(broadcast(1f / 5040), broadcast(1f / 720));
        series = series.fma(r, broadcast(1f / 120));
        series = series.fma(r, broadcast(1f / 24));
        series = series.fma(r, broadcast(1f / 6));
        series = series.fma(r, broadcast(0.5f));
        series = series.fma(r, broadcast(1f));
        series = series.fma(r, broadcast(1f));
        return shifted.reinterpretAsInts()
                .lanewise(LSHL, 23)
                .add(series.reinterpretAsInts())
                .reinterpretAsFloats();
    }

    /** {@link #exp(FloatVector)} of one number, with the same bits. */
    static float exp(float x) {
        float clamped = Math.min(Math.max(x, MIN_EXPONENT), MAX_EXPONENT);
        float shifted = Math.fma(clamped, LOG2_E, ROUND);
        float n = shifted - ROUND;
        float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, clamped));
        float series = Math.fma(r, 1f / 5040, 1f / 720);
        series = Math.fma(series, r, 1f / 120);
        series = Math.fma(series, r, 1f / 24);
        series = Math.fma(series, r, 1f / 6);
        series = Math.fma(series, r, 0.5f);
        series = Math.fma(series, r, 1f);
        series = Math.fma(series, r, 1f);
        return Float.intBitsToFloat((Float.floatToRawIntBits(shifted) << 23) + Float.floatToRawIntBits(series));
    }
}
