package io.radixflow.backend;

/** A weight matrix of one {@link Backend}, {@code [rows, cols]} = [output features, input features]; freed with its backend. */
public interface Weight {
    int rows();

    int cols();

    /** Device memory that it takes. */
    long bytes();
}
