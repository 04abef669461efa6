package io.radixflow.backend.cpu;

/**
 * Products with packed weights, the place where a native library can take over. Implementations keep scratch memory for each worker.
 *
 * <p>A number of the result is {@code acc = fma(x[k], w[k], acc)} over ascending k in fp32, whatever the number of rows, so a row's result
 * never depends on its neighbours, the thread count or the chunk of a prompt.
 */
interface MatrixKernels {

    /** Instruction set and number formats, for the start log. */
    String description();

    /**
     * Computes the output features of strips {@code [fromStrip, toStrip)}: {@code out = x . w^T} for {@code x [rows, w.cols]} and
     * {@code out [rows, w.rows]}.
     *
     * @param worker index of the calling thread in its pool
     */
    void linear(CpuWeight w, float[] x, int rows, float[] out, int fromStrip, int toStrip, int worker);
}
