package io.radixflow.backend.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.lang.ref.Reference;

/**
 * How the copy engine reads a row-major bf16 matrix: boxes of {@link #BOX_COLS} numbers of some rows, the 16-byte pieces of each row swizzled as
 * products from shared memory want them. An argument of a kernel; it lies in host memory for as long as this object lives. Numbers as in
 * {@code cuda.h}.
 */
final class TensorMap {

    static final int BOX_COLS = 64;

    private static final int BYTES = 128;
    private static final int ALIGNMENT = 64;
    private static final int BFLOAT16 = 9;
    private static final int NOT_INTERLEAVED = 0;
    private static final int SWIZZLED_BY_128 = 3;
    private static final int PROMOTED_TO_256 = 3;
    private static final int ZEROS_OUTSIDE = 0;

    static {
        Driver.register(TensorMap.class);
    }

    private final Memory memory;
    private final long address;

    /**
     * @param matrix address, a multiple of 16
     * @param cols a multiple of 8
     * @param boxRows 256 at most
     */
    TensorMap(long matrix, int rows, int cols, int boxRows) {
        memory = new Memory(BYTES + ALIGNMENT);
        long start = Pointer.nativeValue(memory);
        address = (start + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        Memory numbers = new Memory(5L * Long.BYTES);
        numbers.setLong(0, cols);
        numbers.setLong(8, rows);
        numbers.setLong(16, 2L * cols); // bytes from row to row
        numbers.setInt(24, BOX_COLS);
        numbers.setInt(28, boxRows);
        numbers.setInt(32, 1); // every column, every row
        numbers.setInt(36, 1);
        int status = encode(matrix, numbers);
        if (status != 0) {
            Cuda.check(status, "cuTensorMapEncodeTiled: [" + rows + ", " + cols + "] by " + boxRows + " rows");
        }
    }

    /** Returns the driver's status. */
    private int encode(long matrix, Memory numbers) {
        try {
            long at = Pointer.nativeValue(numbers);
            return cuTensorMapEncodeTiled(
                    address,
                    BFLOAT16,
                    2,
                    matrix,
                    at,
                    at + 16,
                    at + 24,
                    at + 32,
                    NOT_INTERLEAVED,
                    SWIZZLED_BY_128,
                    PROMOTED_TO_256,
                    ZEROS_OUTSIDE);
        } finally {
            Reference.reachabilityFence(numbers);
        }
    }

    /** In host memory. */
    long address() {
        return address;
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // the driver's
    private static native int cuTensorMapEncodeTiled(
            long map,
            int type,
            int rank,
            long matrix,
            long dims,
            long strides,
            long box,
            long elementStrides,
            int interleave,
            int swizzle,
            int promotion,
            int fill);
}
