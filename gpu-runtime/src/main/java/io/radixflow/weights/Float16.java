package io.radixflow.weights;

/** IEEE 754 half precision as bits in a short, for JDKs whose {@code Float} doesn't know it. */
public final class Float16 {

    private static final float SUBNORMAL_UNIT = 0x1p-24f;

    private Float16() {}

    /** Exact. */
    public static float toFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = (bits >> 10) & 0x1F;
        int mantissa = bits & 0x3FF;
        if (exponent == 0) {
            float magnitude = mantissa * SUBNORMAL_UNIT;
            return sign == 0 ? magnitude : -magnitude;
        }
        int exponent32 = exponent == 0x1F ? 0xFF : exponent + 112;
        return Float.intBitsToFloat(sign | exponent32 << 23 | mantissa << 13);
    }

    /** Rounds to nearest, ties to even; too large becomes infinite, NaN stays NaN. */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        int magnitude = bits & 0x7FFF_FFFF;
        if (magnitude > 0x7F80_0000) {
            return (short) (sign | 0x7E00);
        }
        if (magnitude >= 0x4780_0000) { // 65536 and up, infinity included
            return (short) (sign | 0x7C00);
        }
        if (magnitude < 0x3880_0000) { // below the smallest normal half, 2^-14: count units of 2^-24
            int units = (int) Math.rint(Float.intBitsToFloat(magnitude) / SUBNORMAL_UNIT);
            return (short) (sign | units);
        }
        int rebased = magnitude - (112 << 23);
        int rounded = rebased + 0xFFF + ((rebased >> 13) & 1);
        return (short) (sign | rounded >> 13);
    }
}
