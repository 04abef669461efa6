package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Arrays;
import jcuda.Pointer;

/**
 * The rows' slots on the device. Slots that a step appends are written there by a kernel; a row is copied only when the host has changed it
 * otherwise, which its version tells (a new sequence, or slots exchanged for the radix tree's).
 *
 * <p>One row more than the host's belongs to sequences that only pad a batch.
 */
final class SlotTable {

    private static final int NEVER = -1;
    private static final int STAGING_INTS = 1 << 18;

    private final CudaDevice device;
    private final DevicePointer memory;
    private final int numRows;
    private final int stride;
    private final int[] knownVersion;
    private final Pointer pinned;
    private final IntBuffer staging;
    private int stagedInts;

    SlotTable(CudaDevice device, int numRows, int stride) {
        this.device = device;
        this.numRows = numRows;
        this.stride = stride;
        memory = device.allocate(Integer.BYTES * (numRows + 1L) * stride, "slot table");
        knownVersion = new int[numRows];
        Arrays.fill(knownVersion, NEVER);
        long bytes = Integer.BYTES * (long) STAGING_INTS;
        pinned = device.allocatePinned(bytes, "rows of the slot table");
        staging = pinned.getByteBuffer(0, bytes).order(ByteOrder.nativeOrder()).asIntBuffer();
    }

    DevicePointer memory() {
        return memory;
    }

    int stride() {
        return stride;
    }

    int paddingRow() {
        return numRows;
    }

    /** Starts copies of the rows of {@code batch} that the device doesn't know as they are. */
    void update(ForwardBatch batch) {
        stagedInts = 0;
        for (int s = 0; s < batch.numSequences; s++) {
            int row = batch.row[s];
            if (knownVersion[row] != batch.rowVersion[row]) {
                knownVersion[row] = batch.rowVersion[row];
                copy(batch.slotTable, row * stride, batch.cachedLen[s]);
            }
        }
    }

    private void copy(int[] slots, int from, int len) {
        int done = 0;
        while (done < len) {
            if (stagedInts == STAGING_INTS) {
                device.synchronize();
                stagedInts = 0;
            }
            int num = Math.min(len - done, STAGING_INTS - stagedInts);
            staging.put(stagedInts, slots, from + done, num);
            device.copyToDevice(
                    memory.plus(Integer.BYTES * ((long) from + done)),
                    pinned.withByteOffset(Integer.BYTES * (long) stagedInts),
                    Integer.BYTES * (long) num);
            stagedInts += num;
            done += num;
        }
    }
}
