package io.radixflow.backend.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Products of some rows, bound by reading the weights as those of {@link FewRows} are, by {@code streamed_gemm.cu}: it begins to read them before
 * the kernel that makes its input has ended, and divides k where rows of the weights alone don't occupy the GPU. A row's bits may depend on how
 * many there are.
 *
 * <p>One thread. Allocates for a new shape only.
 */
final class StreamedGemm {

    /** Rows of one product. */
    static final int MAX_ROWS = 128;

    /** How a product is divided among blocks: rows of the weights that one multiplies, and parts of k. */
    record Division(int tileRows, int parts, boolean isGated) {

        Division(int tileRows, int parts) {
            this(tileRows, parts, false);
        }

        /** Rows that lie side by side: gates and what they let through lie apart. */
        int boxRows() {
            return isGated ? tileRows / 2 : tileRows;
        }

        int blocks(int weightRows) {
            int outputs = isGated ? weightRows / 2 : weightRows;
            return (outputs + boxRows() - 1) / boxRows() * parts;
        }
    }

    /** What one kernel is built for, its template's first arguments. */
    private record Variant(int columns, Division division) {

        String kernelName() {
            return "streamed_gemm_" + (division.isGated ? "gated_" : "bf16_") + columns + "_" + division.tileRows + "_"
                    + division.parts;
        }

        /** A warp group for each 64 rows, and the warp that copies. */
        int threads() {
            return division.tileRows * 2 + WARP;
        }
    }

    /** A matrix and the rows of it that are read at once. */
    private record Boxes(long address, int rows, int cols, int boxRows) {}

    /** Those that there are kernels for, in the order in which they are tried. */
    static final List<Division> DIVISIONS =
            List.of(new Division(64, 1), new Division(64, 2), new Division(64, 4), new Division(128, 1));

    /** Those with gates. */
    static final List<Division> GATED_DIVISIONS =
            List.of(new Division(64, 1, true), new Division(128, 1, true), new Division(192, 1, true));

    /** Blocks each read all rows; from here on cuBLASLt is faster where there is little else to read. */
    private static final int MAX_ROWS_OF_FEW_COLS = 64;

    private static final int MANY_COLS = 2048;

    private static final int MIN_COLUMNS = 16;
    private static final int WARP = 32;
    private static final int ALIGNMENT = 1024;
    /** {@code kRingBytes} there, and what aligns them. */
    private static final int SHARED_BYTES = (200 << 10) + ALIGNMENT;
    /** Rows and columns of weights are a multiple of it. */
    private static final int VECTOR = 8;

    /** Fewer don't reach the memory's rate. */
    private static final int MIN_BLOCKS = 64;

    /** About what a block's ring holds: it costs little to read so much from fewer multiprocessors. */
    private static final int MAX_BYTES_AHEAD = 128 << 10;

    private static final int NUM_ARGUMENTS = 6;

    private final CudaDevice device;
    private final Kernels kernels;
    private final int numMultiprocessors;
    private final Map<Variant, Kernel> loaded = new HashMap<>();
    private final Map<Boxes, TensorMap> maps = new HashMap<>();

    StreamedGemm(CudaDevice device, Kernels kernels) {
        this.device = device;
        this.kernels = kernels;
        numMultiprocessors = device.numMultiprocessors();
    }

    /** Whether such a product is made here. */
    boolean takes(CudaWeight w, int rows, CudaTensor y) {
        return takes(w, rows) && !y.isFloat() && best(DIVISIONS, w) != null;
    }

    /** Whether such a product is made here together with what its gates let through. */
    boolean takesGated(CudaWeight w, int rows) {
        return takes(w, rows) && best(GATED_DIVISIONS, w) != null;
    }

    private static boolean takes(CudaWeight w, int rows) {
        return rows <= (w.cols() < MANY_COLS ? MAX_ROWS_OF_FEW_COLS : MAX_ROWS);
    }

    private @Nullable Division best(List<Division> divisions, CudaWeight w) {
        return best(divisions, w.rows(), w.cols(), numMultiprocessors);
    }

    /**
     * The first division whose blocks all run at once; k is divided as long as blocks are few, or have more to read than they can ahead. None if
     * they are too few or too many.
     */
    static @Nullable Division best(List<Division> divisions, int weightRows, int cols, int numMultiprocessors) {
        if (weightRows % VECTOR != 0 || cols % VECTOR != 0) {
            return null;
        }
        Division best = null;
        for (Division division : divisions) {
            int blocks = division.blocks(weightRows);
            boolean isEnough = best != null && (division.parts == 1 || isEnough(best, weightRows, cols));
            if (blocks <= numMultiprocessors && !isEnough) {
                best = division;
            }
        }
        return best == null || best.blocks(weightRows) < MIN_BLOCKS ? null : best;
    }

    private static boolean isEnough(Division division, int weightRows, int cols) {
        return division.blocks(weightRows) >= MIN_BLOCKS
                && (long) division.tileRows * cols / division.parts * Short.BYTES <= MAX_BYTES_AHEAD;
    }

    void multiply(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        multiply(w, x, rows, y, Objects.requireNonNull(best(DIVISIONS, w), "a division"));
    }

    /** {@code y [rows, w.rows / 2] = silu(gate) * up}, gate being the first half of the product's columns. */
    void multiplyGated(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        multiply(w, x, rows, y, Objects.requireNonNull(best(GATED_DIVISIONS, w), "a division"));
    }

    void multiply(CudaWeight w, CudaTensor x, int rows, CudaTensor y, Division division) {
        int columns = Math.max(MIN_COLUMNS, Integer.highestOneBit(rows - 1) * 2);
        Variant variant = new Variant(columns, division);
        kernel(variant)
                .with(map(w.memory(), w.rows(), w.cols(), division.boxRows()))
                .and(map(x.memory(), rows, w.cols(), columns))
                .and(y.memory())
                .and(w.rows())
                .and(w.cols())
                .and(rows)
                .launch(device.stream(), division.blocks(w.rows()), 1, 1, variant.threads(), SHARED_BYTES);
    }

    private Kernel kernel(Variant variant) {
        Kernel kernel = loaded.get(variant);
        if (kernel == null) {
            kernel = kernels.waitingKernel("streamed_gemm", variant.kernelName(), NUM_ARGUMENTS);
            kernel.allowSharedBytes(SHARED_BYTES);
            loaded.put(variant, kernel);
        }
        return kernel;
    }

    private TensorMap map(DevicePointer matrix, int rows, int cols, int boxRows) {
        return maps.computeIfAbsent(
                new Boxes(matrix.address(), rows, cols, boxRows),
                boxes -> new TensorMap(boxes.address, boxes.rows, boxes.cols, boxes.boxRows));
    }
}
