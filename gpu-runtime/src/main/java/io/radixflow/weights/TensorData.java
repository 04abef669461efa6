package io.radixflow.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A named matrix (or vector: one row) as it lies in a file.
 *
 * @param name of the tensor in its file
 * @param type how the numbers are stored
 * @param rows output features
 * @param cols input features; each row is {@code cols} consecutive weights
 * @param data exactly the tensor's bytes, little endian, read-only and usually mapped; readers duplicate it before moving its position
 */
public record TensorData(String name, TensorType type, int rows, int cols, ByteBuffer data) {

    public TensorData {
        if (rows < 1 || cols < 1 || cols % type.blockLen() != 0) {
            throw new IllegalArgumentException("tensor " + name + ": shape [" + rows + ", " + cols + "] of " + type
                    + " needs rows of a multiple of " + type.blockLen());
        }
        long bytes = type.bytes((long) rows * cols);
        if (data.remaining() != bytes) {
            throw new IllegalArgumentException(
                    "tensor " + name + ": " + data.remaining() + " bytes, its shape needs " + bytes);
        }
        data = data.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
