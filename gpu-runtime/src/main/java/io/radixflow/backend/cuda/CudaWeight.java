package io.radixflow.backend.cuda;

import io.radixflow.backend.Weight;

/** A weight matrix on the device: bf16, {@code [rows, cols]} row-major. */
record CudaWeight(DevicePointer memory, int rows, int cols) implements Weight {

    static CudaWeight of(Weight weight) {
        if (weight instanceof CudaWeight cuda) {
            return cuda;
        }
        throw new IllegalArgumentException("a weight of another backend");
    }

    @Override
    public long bytes() {
        return (long) rows * cols * Short.BYTES;
    }
}
