package io.radixflow.testkit;

import io.radixflow.backend.Weight;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Stacked matrices of {@link ReferenceBackend}, dequantised in fp64 one row at a time straight from the files' bytes.
 *
 * <p>Independent of the engine's own dequantising on purpose: it is what that is checked against. Q5_0, Q5_1 and the types with blocks
 * of 256 come from {@link TensorDecoder}, which is checked against gguf's own values instead.
 */
final class ReferenceWeights implements Weight {

    private final List<TensorData> parts;
    private final int rows;
    private final int cols;
    private final long bytes;

    ReferenceWeights(List<TensorData> parts) {
        this.parts = List.copyOf(parts);
        int stackedRows = 0;
        long size = 0;
        cols = parts.get(0).cols();
        for (TensorData part : parts) {
            if (part.cols() != cols) {
                throw new IllegalArgumentException(
                        "tensor " + part.name() + ": " + part.cols() + " columns stacked on " + cols);
            }
            stackedRows = Math.addExact(stackedRows, part.rows());
            size += part.data().remaining();
        }
        rows = stackedRows;
        bytes = size;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int cols() {
        return cols;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    /** Writes row {@code row} of the stack to {@code into[0, cols)}. */
    void row(int row, double[] into) {
        int rowOfPart = row;
        for (TensorData part : parts) {
            if (rowOfPart < part.rows()) {
                dequantize(part, rowOfPart, into);
                return;
            }
            rowOfPart -= part.rows();
        }
        throw new IndexOutOfBoundsException("row " + row + " of " + rows);
    }

    private static void dequantize(TensorData tensor, int row, double[] into) {
        ByteBuffer data = tensor.data().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int blockLen = tensor.type().blockLen();
        int blockBytes = tensor.type().blockBytes();
        int blocksPerRow = tensor.cols() / blockLen;
        for (int b = 0; b < blocksPerRow; b++) {
            int at = Math.toIntExact(((long) row * blocksPerRow + b) * blockBytes);
            int to = b * blockLen;
            switch (tensor.type()) {
                case F32 -> into[to] = data.getFloat(at);
                case F16 -> into[to] = halfToDouble(data.getShort(at));
                case BF16 -> into[to] = Float.intBitsToFloat(data.getShort(at) << 16);
                case Q8_0 -> {
                    double d = halfToDouble(data.getShort(at));
                    for (int i = 0; i < blockLen; i++) {
                        into[to + i] = d * data.get(at + 2 + i);
                    }
                }
                case Q4_0 -> nibbles(data, at + 2, halfToDouble(data.getShort(at)), -8, 0, into, to);
                case Q4_1 ->
                    nibbles(
                            data,
                            at + 4,
                            halfToDouble(data.getShort(at)),
                            0,
                            halfToDouble(data.getShort(at + 2)),
                            into,
                            to);
                case Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> {
                    float[] decoded = new float[tensor.cols()];
                    TensorDecoder.decodeRow(tensor, row, decoded, 0);
                    for (int i = 0; i < blockLen; i++) {
                        into[to + i] = decoded[to + i];
                    }
                }
            }
        }
    }

    private static void nibbles(ByteBuffer data, int at, double d, int bias, double m, double[] into, int to) {
        for (int i = 0; i < 16; i++) {
            int pair = data.get(at + i) & 0xFF;
            into[to + i] = d * ((pair & 15) + bias) + m;
            into[to + 16 + i] = d * ((pair >> 4) + bias) + m;
        }
    }

    /** The value of an IEEE 754 binary16 number, by its definition. */
    static double halfToDouble(short half) {
        int exponent = (half >> 10) & 31;
        int fraction = half & 1023;
        double magnitude;
        if (exponent == 31) {
            magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            magnitude = Math.scalb((double) fraction, -24);
        } else {
            magnitude = Math.scalb(1024.0 + fraction, exponent - 25);
        }
        return half < 0 ? -magnitude : magnitude;
    }

    /** The binary16 number nearest to {@code value} (ties to even) as a double; beyond its range an infinity. */
    static double roundToHalf(double value) {
        if (value == 0 || Double.isNaN(value) || Double.isInfinite(value)) {
            return value;
        }
        // Spacing of binary16 numbers at this size: 2^(exponent - 10), and 2^-24 below the normal range.
        int spacing = Math.max(Math.getExponent(value) - 10, -24);
        double rounded = Math.scalb(Math.rint(Math.scalb(value, -spacing)), spacing);
        return Math.abs(rounded) > 65504 ? Math.copySign(Double.POSITIVE_INFINITY, value) : rounded;
    }
}
