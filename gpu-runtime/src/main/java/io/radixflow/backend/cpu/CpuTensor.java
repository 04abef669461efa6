package io.radixflow.backend.cpu;

import io.radixflow.backend.Tensor;

/** Floats on the heap, {@code [rows, cols]} row-major. */
final class CpuTensor implements Tensor {

    final int rows;
    final int cols;
    final float[] values;

    CpuTensor(int rows, int cols, float[] values) {
        if (rows < 1 || cols < 1 || (long) rows * cols != values.length) {
            throw new IllegalArgumentException(values.length + " values for [" + rows + ", " + cols + "]");
        }
        this.rows = rows;
        this.cols = cols;
        this.values = values;
    }

    static CpuTensor of(Tensor tensor) {
        return (CpuTensor) tensor;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int cols() {
        return cols;
    }
}
