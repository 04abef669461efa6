package io.radixflow.sample;

/** A fast exponential for softmax weights. */
final class Exponential {

    private static final float LIMIT = 87; // e^-87 is near fp32's smallest normal number
    private static final float LOG2_E = (float) (1 / Math.log(2));
    private static final float LN_2_UPPER = 355 / 512f; // few bits, so that products with small integers are exact
    private static final float LN_2_LOWER = (float) (Math.log(2) - 355 / 512.0);
    private static final float ROUNDER =
            3 << 22; // added, it leaves no bits for a fraction; the integer is in the low ones
    private static final int EXPONENT_SHIFT = 23;

    private Exponential() {}

    /**
     * {@code e^-x} for x of 0 or more, within 2e-7 of it relatively; 0 beyond 87. Exactly 1 at 0. Reduces to {@code 2^-n * e^r} with
     * {@code |r| <= ln(2) / 2}, sums the series to r^7 in pairs, and subtracts n from the exponent. Faster than {@link Math#exp}, and the
     * same on every machine.
     */
    static float ofMinus(float x) {
        if (!(x < LIMIT)) {
            return 0;
        }
        float shifted = x * LOG2_E + ROUNDER;
        float n = shifted - ROUNDER;
        float r = n * LN_2_UPPER - x + n * LN_2_LOWER;
        float r2 = r * r;
        float series = 1 / 720f + r * (1 / 5040f);
        series = 1 / 24f + r * (1 / 120f) + r2 * series;
        series = 1 / 2f + r * (1 / 6f) + r2 * series;
        series = 1 + r + r2 * series;
        return Float.intBitsToFloat(
                Float.floatToRawIntBits(series) - (Float.floatToRawIntBits(shifted) << EXPONENT_SHIFT));
    }
}
