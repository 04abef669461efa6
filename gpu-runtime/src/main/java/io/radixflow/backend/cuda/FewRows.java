package io.radixflow.backend.cuda;

/**
 * Products of at most {@link #MAX_ROWS} rows, bound by reading the weights, by {@code few_rows.cu}: it begins to read them before the kernel that
 * makes its input has ended, which cuBLASLt doesn't. A row's bits don't depend on how many there are.
 */
final class FewRows {

    /** Rows of one product: {@code kColumns} there. */
    static final int MAX_ROWS = 8;

    /** From so many on the wider tiles pay. */
    private static final int MANY_ROWS = 5;

    private static final int THREADS = 288;
    /** {@code kChunk} there. */
    private static final int CHUNK = 512;

    private static final int TILE_ROWS = 16;
    private static final int WIDE_TILE_ROWS = 32;
    /** {@code kStages} stages of 16 rows. */
    private static final int RING_BYTES = 87_040;

    /** Of a norm that is taken on the way: its weights lie behind the ring. */
    private static final int MAX_NORM_COLS = 4096;

    private static final int NUM_ARGUMENTS = 8;
    private static final long NO_NORM = 0;

    private final CudaDevice device;
    private final int numMultiprocessors;
    private final Kernel[] toBf16; // [narrow, wide]
    private final Kernel[] toFloat;
    private final Kernel[] added;
    private final Kernel[] normed;

    FewRows(CudaDevice device, Kernels kernels) {
        this.device = device;
        numMultiprocessors = device.numMultiprocessors();
        toBf16 = kernels(kernels, "bf16");
        toFloat = kernels(kernels, "float");
        added = kernels(kernels, "added");
        normed = kernels(kernels, "normed");
    }

    private static Kernel[] kernels(Kernels kernels, String kind) {
        Kernel[] both = new Kernel[2];
        for (int i = 0; i < both.length; i++) {
            int tileRows = i == 0 ? TILE_ROWS : WIDE_TILE_ROWS;
            both[i] = kernels.waitingKernel("few_rows", "few_rows_" + kind + "_" + tileRows, NUM_ARGUMENTS);
            both[i].allowSharedBytes(sharedBytes(tileRows, MAX_NORM_COLS));
        }
        return both;
    }

    private static int sharedBytes(int tileRows, int normCols) {
        return RING_BYTES * (tileRows / TILE_ROWS) + Float.BYTES * normCols;
    }

    /** Whether such a product is made here. */
    static boolean takes(CudaWeight w, int rows) {
        return rows <= MAX_ROWS && w.rows() % WIDE_TILE_ROWS == 0 && w.cols() % CHUNK == 0;
    }

    /** Whether such a product is made here together with the norm before it. */
    static boolean takesNormed(CudaWeight w, int rows) {
        return takes(w, rows) && w.cols() <= MAX_NORM_COLS;
    }

    void multiply(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        run(y.isFloat() ? toFloat : toBf16, w, x, rows, y, NO_NORM, 0);
    }

    /** {@code y += x w^T}. */
    void multiplyAndAdd(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        run(added, w, x, rows, y, NO_NORM, 0);
    }

    /** {@code y = rmsNorm(x) w^T}. */
    void normAndMultiply(CudaWeight w, CudaTensor x, CudaTensor norm, float eps, int rows, CudaTensor y) {
        run(normed, w, x, rows, y, norm.memory().address(), eps);
    }

    private void run(Kernel[] kind, CudaWeight w, CudaTensor x, int rows, CudaTensor y, long norm, float eps) {
        boolean isWide = rows >= MANY_ROWS;
        int tileRows = isWide ? WIDE_TILE_ROWS : TILE_ROWS;
        int maxBlocks = numMultiprocessors * (isWide ? 1 : 2);
        kind[isWide ? 1 : 0]
                .with(w.memory())
                .and(x.memory())
                .and(y.memory())
                .and(w.rows())
                .and(w.cols())
                .and(rows)
                .and(norm)
                .and(eps)
                .launch(
                        device.stream(),
                        Math.min(maxBlocks, w.rows() / tileRows),
                        1,
                        1,
                        THREADS,
                        sharedBytes(tileRows, norm == NO_NORM ? 0 : w.cols()));
    }
}
