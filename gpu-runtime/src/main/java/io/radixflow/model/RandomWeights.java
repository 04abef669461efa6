package io.radixflow.model;

import io.radixflow.weights.Float16;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;

/**
 * Seeded random weights: each number depends on the seed, its tensor's name and its index alone, so any part can be made by itself.
 *
 * <p>Bell-shaped (the sum of four even distributions). Matrices keep the size of what they multiply, norms' weights are near 1, biases near 0.
 */
final class RandomWeights {

    private static final float VECTOR_DEVIATION = 0.1f;
    private static final int MAX_16_BITS = 0xFFFF;
    /** Of the sum of four numbers from 0 to 65,535. */
    private static final double SUM_DEVIATION = MAX_16_BITS * Math.sqrt(4 / 12.0);

    private final long seed;
    private final TensorType type;

    /** @param type F32, F16 or BF16 */
    RandomWeights(long seed, TensorType type) {
        if (type.blockLen() != 1) {
            throw new IllegalArgumentException("random weights as " + type);
        }
        this.seed = seed;
        this.type = type;
    }

    TensorType type() {
        return type;
    }

    /**
     * Fills a little-endian buffer with numbers of one tensor.
     *
     * @param rows of the tensor, 1 for a vector
     * @param from index of the first number in the tensor
     */
    void fill(String name, int rows, int cols, long from, ByteBuffer into) {
        boolean isNorm = rows == 1 && !name.endsWith(".bias");
        float mean = isNorm ? 1 : 0;
        double deviation = rows == 1 ? VECTOR_DEVIATION : 1 / Math.sqrt(cols);
        float factor = (float) (deviation / SUM_DEVIATION);
        long stream = mix(seed ^ hash(name));
        for (long index = from; into.hasRemaining(); index++) {
            put(mean + factor * centredSum(mix(stream + index)), into);
        }
    }

    private void put(float value, ByteBuffer into) {
        switch (type) {
            case F32 -> into.putFloat(value);
            case F16 -> into.putShort(Float16.fromFloat(value));
            default -> into.putShort((short) ((Float.floatToRawIntBits(value) + 0x8000) >>> 16)); // BF16, rounded
        }
    }

    private static int centredSum(long bits) {
        return (int) (bits & MAX_16_BITS)
                + (int) (bits >>> 16 & MAX_16_BITS)
                + (int) (bits >>> 32 & MAX_16_BITS)
                + (int) (bits >>> 48)
                - 2 * MAX_16_BITS;
    }

    /** FNV-1a. */
    private static long hash(String name) {
        long hash = 0xCBF29CE484222325L;
        for (int i = 0; i < name.length(); i++) {
            hash = (hash ^ name.charAt(i)) * 0x100000001B3L;
        }
        return hash;
    }

    /** The finalizer of SplitMix64. */
    private static long mix(long x) {
        long z = x + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
