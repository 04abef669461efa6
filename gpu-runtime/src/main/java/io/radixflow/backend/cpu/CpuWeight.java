package io.radixflow.backend.cpu;

import io.radixflow.backend.Weight;
import io.radixflow.weights.TensorData;
import java.util.List;

/** Packed matrices stacked along their rows. */
final class CpuWeight implements Weight {

    final PackedMatrix[] parts;
    /** First output feature of each part. */
    final int[] firstRow;
    /** Strips of the parts before each part; the last entry counts all. */
    final int[] firstStrip;

    private final int rows;
    private final int cols;
    private final long bytes;

    CpuWeight(List<TensorData> stackedRows) {
        if (stackedRows.isEmpty()) {
            throw new IllegalArgumentException("no matrices to upload");
        }
        cols = stackedRows.get(0).cols();
        parts = new PackedMatrix[stackedRows.size()];
        firstRow = new int[parts.length];
        firstStrip = new int[parts.length + 1];
        int numRows = 0;
        long numBytes = 0;
        for (int i = 0; i < parts.length; i++) {
            TensorData tensor = stackedRows.get(i);
            if (tensor.cols() != cols) {
                throw new IllegalArgumentException(
                        "tensor " + tensor.name() + ": " + tensor.cols() + " columns can't be stacked on " + cols
                                + " of " + stackedRows.get(0).name());
            }
            parts[i] = new PackedMatrix(tensor);
            firstRow[i] = numRows;
            firstStrip[i + 1] = firstStrip[i] + parts[i].numStrips;
            numRows = Math.addExact(numRows, tensor.rows());
            numBytes += 4L * parts[i].words.length;
        }
        rows = numRows;
        bytes = numBytes;
    }

    static CpuWeight of(Weight weight) {
        return (CpuWeight) weight;
    }

    int numStrips() {
        return firstStrip[parts.length];
    }

    /** Writes row {@code row} of the stack as floats to {@code into[at, at + cols)}. */
    void unpackRow(int row, float[] into, int at) {
        int part = parts.length - 1;
        while (firstRow[part] > row) {
            part--;
        }
        parts[part].unpackRow(row - firstRow[part], into, at);
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
}
