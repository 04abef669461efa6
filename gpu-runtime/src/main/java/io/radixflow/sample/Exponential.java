package io.radixflow.sample;

/** A fast exponential for softmax weights. */
final class Exponential {

    private static final float LIMIT = 87; // e^-87 is near fp32's smallest normal number

    private Exponential() {}

    /**
     * {@code e^-x} for x of 0 or more, within 2e-7 of it relatively; 0 beyond 87. Exactly 1 at 0. Reduces to {@code 2^-n * e^r} with
     * {@code |r| <= ln(2) / 2} and sums the series to r^7. Several times as fast as {@link Math#exp}.
     */
    static float ofMinus(float x) {
        if (!(x < LIMIT)) {
            return 0;
        }
        int n = (int) (x * 1.44269504f + 0.5f);
        float r = n * 0.693359375f - x; // ln 2 in two parts, the first exact in products with n
        r += n * -2.12194440e-4f;
        float series = 1.98412698e-4f;
        series = series * r + 1.38888889e-3f;
        series = series * r + 8.33333333e-3f;
        series = series * r + 4.16666667e-2f;
        series = series * r + 1.66666667e-1f;
        series = series * r + 0.5f;
        series = series * r + 1f;
        series = series * r + 1f;
        return series * Float.intBitsToFloat((127 - n) << 23);
    }
}
