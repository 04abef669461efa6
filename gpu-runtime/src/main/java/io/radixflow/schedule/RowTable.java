package io.radixflow.schedule;

/**
 * Rows of the running sequences: for each, the KV slots of its tokens in order. One flat array that backends read in place.
 *
 * <p>Owned by the engine thread. Allocates nothing after construction.
 */
public final class RowTable {

    private final int stride;
    private final int[] slots;
    private final int[] versions;
    private final int[] freeRows;
    private int numFree;

    /** @param stride most tokens of one sequence */
    RowTable(int numRows, int stride) {
        this.stride = stride;
        slots = new int[Math.multiplyExact(numRows, stride)];
        versions = new int[numRows];
        freeRows = new int[numRows];
        for (int row = numRows - 1; row >= 0; row--) {
            freeRows[numFree++] = row;
        }
    }

    /** The slot of token i of a row is {@code slots()[row * stride() + i]}. */
    public int[] slots() {
        return slots;
    }

    /** One number a row; devices that mirror the rows copy one anew when its number has changed. */
    public int[] versions() {
        return versions;
    }

    /** Slots of the row have changed other than by appending. */
    void touch(int row) {
        versions[row]++;
    }

    public int stride() {
        return stride;
    }

    int offset(int row) {
        return row * stride;
    }

    int numFree() {
        return numFree;
    }

    boolean isAllFree() {
        return numFree == freeRows.length;
    }

    /** A free row; there must be one. */
    int take() {
        return freeRows[--numFree];
    }

    void free(int row) {
        freeRows[numFree++] = row;
    }
}
