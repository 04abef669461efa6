package io.radixflow.backend.cuda;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;

/** RMS norms of rows by {@code rms_norm.cu}, whose kernels differ in how many columns a thread keeps. One thread. */
final class RmsNorm {

    private static final int[] MAX_COLS = {1024, 2048, 4096, 8192, 16_384};
    private static final int FEW_COLS = 1024;
    private static final int FEW_COLS_THREADS = 128;
    private static final int THREADS = 256;

    private final CudaDevice device;
    private final Kernel[] plain = new Kernel[MAX_COLS.length];
    private final Kernel[] added = new Kernel[MAX_COLS.length];

    RmsNorm(CudaDevice device, Kernels kernels) {
        this.device = device;
        for (int i = 0; i < MAX_COLS.length; i++) {
            plain[i] = kernels.waitingKernel("rms_norm", "rms_norm_bf16_" + MAX_COLS[i], 5);
            added[i] = kernels.waitingKernel("rms_norm", "rms_norm_add_bf16_" + MAX_COLS[i], 6);
        }
    }

    /** {@code out = rmsNorm(x)}. */
    void run(CudaTensor x, CudaTensor weight, float eps, int rows, CudaTensor out) {
        plain[kind(x.cols())]
                .with(x.memory())
                .and(weight.memory())
                .and(eps)
                .and(x.cols())
                .and(out.memory())
                .launch(device.stream(), rows, 1, 1, threads(x.cols()), 0);
    }

    /** {@code x += delta; out = rmsNorm(x)}. */
    void runAdded(CudaTensor x, CudaTensor delta, CudaTensor weight, float eps, int rows, CudaTensor out) {
        added[kind(x.cols())]
                .with(x.memory())
                .and(delta.memory())
                .and(weight.memory())
                .and(eps)
                .and(x.cols())
                .and(out.memory())
                .launch(device.stream(), rows, 1, 1, threads(x.cols()), 0);
    }

    private static int threads(int cols) {
        return cols <= FEW_COLS ? FEW_COLS_THREADS : THREADS;
    }

    private static int kind(int cols) {
        for (int i = 0; i < MAX_COLS.length; i++) {
            if (cols <= MAX_COLS[i]) {
                return i;
            }
        }
        throw new EngineException(
                Category.CONFIGURATION,
                "rows of " + cols + " numbers are too long for --device cuda; it takes "
                        + MAX_COLS[MAX_COLS.length - 1]);
    }
}
