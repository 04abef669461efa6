package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import java.util.Arrays;

/**
 * The rows' slots on the device, and the tokens that lie in them. What a step appends is written there by a kernel; a row is copied only when
 * the host has changed it otherwise, which its version tells (a new sequence, or slots exchanged for the radix tree's). Tokens are copied
 * where the batch has them, for sequences whose draws look back at them.
 *
 * <p>One row more than the host's belongs to sequences that only pad a batch.
 */
final class SlotTable {

    private static final int NEVER = -1;
    private static final int STAGING_INTS = 1 << 18;

    private final DevicePointer memory;
    private final DevicePointer history;
    private final int numRows;
    private final int stride;
    private final int[] knownVersion;
    private final StagedRows staging;

    SlotTable(CudaDevice device, int numRows, int stride) {
        this.numRows = numRows;
        this.stride = stride;
        memory = device.allocate(Integer.BYTES * (numRows + 1L) * stride, "slot table");
        history = device.allocate(Integer.BYTES * (numRows + 1L) * stride, "tokens of the sequences");
        knownVersion = new int[numRows];
        Arrays.fill(knownVersion, NEVER);
        staging = new StagedRows(device, STAGING_INTS);
    }

    DevicePointer memory() {
        return memory;
    }

    /** Token ids, in the places of the slots; those of sequences that don't look back have gaps. */
    DevicePointer history() {
        return history;
    }

    int stride() {
        return stride;
    }

    int paddingRow() {
        return numRows;
    }

    /** Starts copies of the rows of {@code batch} that the device doesn't know as they are. */
    void update(int turn, ForwardBatch batch) {
        staging.begin(turn);
        for (int s = 0; s < batch.numSequences; s++) {
            int row = batch.row[s];
            if (knownVersion[row] != batch.rowVersion[row]) {
                knownVersion[row] = batch.rowVersion[row];
                int from = row * stride;
                staging.copy(batch.slotTable, from, batch.cachedLen[s], memory.plus(Integer.BYTES * (long) from));
                int[] tokens = batch.history[s];
                if (tokens != null) {
                    staging.copy(tokens, 0, batch.cachedLen[s], history.plus(Integer.BYTES * (long) from));
                }
            }
        }
    }
}
