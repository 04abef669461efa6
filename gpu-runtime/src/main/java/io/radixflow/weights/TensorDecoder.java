package io.radixflow.weights;

import java.nio.ByteBuffer;

/**
 * Turns stored weights into fp32, plainly, one number after the other: the oracle for faster readers, and good enough where speed
 * doesn't matter. Thread-safe.
 */
public final class TensorDecoder {

    private static final int HALF_BLOCK = 16;

    private TensorDecoder() {}

    /** All weights, {@code [rows * cols]} row-major. */
    public static float[] decode(TensorData tensor) {
        long numElements = (long) tensor.rows() * tensor.cols();
        if (numElements > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "tensor " + tensor.name() + " has " + numElements + " weights, too many for one array");
        }
        float[] weights = new float[(int) numElements];
        for (int row = 0; row < tensor.rows(); row++) {
            decodeRow(tensor, row, weights, row * tensor.cols());
        }
        return weights;
    }

    /** Writes row {@code row} to {@code [at, at + cols)} of {@code into}. */
    public static void decodeRow(TensorData tensor, int row, float[] into, int at) {
        TensorType type = tensor.type();
        ByteBuffer data = tensor.data();
        int numBlocks = tensor.cols() / type.blockLen();
        int start = Math.toIntExact(type.bytes((long) row * tensor.cols()));
        for (int block = 0; block < numBlocks; block++) {
            decodeBlock(type, data, start + block * type.blockBytes(), into, at + block * type.blockLen());
        }
    }

    private static void decodeBlock(TensorType type, ByteBuffer data, int from, float[] into, int at) {
        switch (type) {
            case F32 -> into[at] = data.getFloat(from);
            case F16 -> into[at] = half(data, from);
            case BF16 -> into[at] = Float.intBitsToFloat(data.getShort(from) << 16);
            case Q8_0 -> {
                float d = half(data, from);
                for (int i = 0; i < type.blockLen(); i++) {
                    into[at + i] = d * data.get(from + 2 + i);
                }
            }
            case Q4_0 -> decodeNibbles(data, from + 2, half(data, from), -8, 0, into, at);
            case Q4_1 -> decodeNibbles(data, from + 4, half(data, from), 0, half(data, from + 2), into, at);
            case Q5_0 -> decodeFiveBits(data, from + 2, half(data, from), -16, 0, into, at);
            case Q5_1 -> decodeFiveBits(data, from + 4, half(data, from), 0, half(data, from + 2), into, at);
            case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> SuperBlocks.decode(type, data, from, into, at);
        }
    }

    /** {@code w = d * (q + bias) + m} for 32 weights in 16 bytes: low halves first, then the high ones. */
    private static void decodeNibbles(ByteBuffer data, int from, float d, int bias, float m, float[] into, int at) {
        for (int i = 0; i < HALF_BLOCK; i++) {
            int pair = data.get(from + i);
            into[at + i] = d * ((pair & 0xF) + bias) + m;
            into[at + HALF_BLOCK + i] = d * ((pair >> 4 & 0xF) + bias) + m;
        }
    }

    /** As {@link #decodeNibbles}, behind four bytes with the fifth bit of each weight. */
    private static void decodeFiveBits(ByteBuffer data, int from, float d, int bias, float m, float[] into, int at) {
        int high = data.getInt(from);
        for (int i = 0; i < HALF_BLOCK; i++) {
            int pair = data.get(from + 4 + i);
            int first = (pair & 0xF) | (((high >> i) & 1) << 4);
            int second = ((pair >> 4) & 0xF) | (((high >> (HALF_BLOCK + i)) & 1) << 4);
            into[at + i] = d * (first + bias) + m;
            into[at + HALF_BLOCK + i] = d * (second + bias) + m;
        }
    }

    static float half(ByteBuffer data, int at) {
        return Float16.toFloat(data.getShort(at));
    }
}
