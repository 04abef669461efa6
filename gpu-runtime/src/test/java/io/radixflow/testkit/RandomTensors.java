package io.radixflow.testkit;

import io.radixflow.weights.Float16;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** Seeded matrices of every storage type, and rows of activations with outliers. */
public final class RandomTensors {

    private static final float OUTLIER = 50;

    private RandomTensors() {}

    /** A matrix of about unit variance, its bytes as they would lie in a file. */
    public static TensorData weights(TensorType type, int rows, int cols, long seed) {
        Random random = new Random(seed);
        int numBlocks = rows * cols / type.blockLen();
        ByteBuffer data = ByteBuffer.allocate(numBlocks * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < numBlocks; block++) {
            switch (type) {
                case F32 -> data.putFloat((float) random.nextGaussian());
                case F16 -> data.putShort(half(random.nextGaussian()));
                case BF16 -> data.putShort((short) (Float.floatToRawIntBits((float) random.nextGaussian()) >>> 16));
                case Q8_0 -> {
                    data.putShort(half(0.02 * random.nextGaussian()));
                    putBytes(data, random, 32);
                }
                case Q4_0 -> {
                    data.putShort(half(0.2 * random.nextGaussian()));
                    putBytes(data, random, 16);
                }
                case Q4_1 -> {
                    data.putShort(half(0.2 * random.nextGaussian()));
                    data.putShort(half(random.nextGaussian()));
                    putBytes(data, random, 16);
                }
                case Q5_0 -> {
                    data.putShort(half(0.1 * random.nextGaussian()));
                    putBytes(data, random, 20);
                }
                case Q5_1 -> {
                    data.putShort(half(0.1 * random.nextGaussian()));
                    data.putShort(half(random.nextGaussian()));
                    putBytes(data, random, 20);
                }
                case Q2_K -> {
                    putBytes(data, random, 80);
                    putFactors(data, random, 0.06, 0.1);
                }
                case Q3_K -> {
                    putBytes(data, random, 108);
                    data.putShort(half(0.025 * random.nextGaussian()));
                }
                case Q4_K -> {
                    putFactors(data, random, 0.005, 0.03);
                    putBytes(data, random, 140);
                }
                case Q5_K -> {
                    putFactors(data, random, 0.0025, 0.03);
                    putBytes(data, random, 172);
                }
                case Q6_K -> {
                    putBytes(data, random, 208);
                    data.putShort(half(0.0008 * random.nextGaussian()));
                }
            }
        }
        return new TensorData("random " + type, type, rows, cols, data.flip());
    }

    /** d and dmin of a block of 256. */
    private static void putFactors(ByteBuffer data, Random random, double d, double dmin) {
        data.putShort(half(d * random.nextGaussian()));
        data.putShort(half(dmin * random.nextGaussian()));
    }

    private static short half(double value) {
        return Float16.fromFloat((float) value);
    }

    private static void putBytes(ByteBuffer data, Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        data.put(bytes);
    }

    /** Gaussian numbers, one in a hundred of them fifty times as large. */
    public static float[] activations(int length, long seed) {
        Random random = new Random(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian() * (random.nextInt(100) == 0 ? OUTLIER : 1);
        }
        return values;
    }

    /** What outputs are filled with before an op. */
    public static float[] poison(int length) {
        float[] values = new float[length];
        Arrays.fill(values, Float.NaN);
        return values;
    }
}
