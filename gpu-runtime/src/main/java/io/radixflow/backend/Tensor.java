package io.radixflow.backend;

/** An activation buffer of one {@link Backend}, {@code [rows, cols]} row-major; freed with its backend. */
public interface Tensor {
    int rows();

    int cols();
}
