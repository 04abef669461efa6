package io.radixflow.backend;

import java.util.Arrays;

/**
 * A step's rows in an order in which all rows with a common prefix of slots are neighbours, with the length that neighbours have in common: the
 * leaves of a trie, kept from step to step.
 *
 * <p>A row that goes leaves the shorter of its two common lengths behind. A row that comes is compared along the order, each slot at most once
 * [1], and put behind the last of those with which it has most in common; so no group is split. What two rows have in common changes
 * only when the version of one does, since what they append is their own.
 *
 * <p>Owned by the engine thread. Allocates nothing after construction. A step costs O(rows), a row that comes O(rows + length).
 *
 * <p>[1] Manber and Myers, "Suffix arrays", 1990: common lengths of neighbours save comparing anew.
 */
final class PrefixOrder {

    private static final int ABSENT = -1;

    // [maxSequences] by place
    private final int[] row;
    private final int[] version;
    private final int[] extendLen;
    private final int[] sequence;
    /** Slots in common with the row at the next place. */
    private final int[] commonLen;

    private int size;
    /** [maxRows] sequence of a row that has no place yet; between updates none. */
    private final int[] waiting;

    PrefixOrder(int maxSequences, int maxRows) {
        row = new int[maxSequences];
        version = new int[maxSequences];
        extendLen = new int[maxSequences];
        sequence = new int[maxSequences];
        commonLen = new int[maxSequences];
        waiting = new int[maxRows];
        Arrays.fill(waiting, ABSENT);
    }

    int size() {
        return size;
    }

    /** Index in the batch. */
    int sequence(int place) {
        return sequence[place];
    }

    int extendLen(int place) {
        return extendLen[place];
    }

    int commonLen(int place) {
        return commonLen[place];
    }

    /** Takes over the batch's rows that compute at most so many tokens; whether anything but their indices has changed. */
    boolean update(ForwardBatch batch, int maxExtendLen) {
        for (int s = 0; s < batch.numSequences; s++) {
            if (batch.extendLen[s] <= maxExtendLen) {
                waiting[batch.row[s]] = s;
            }
        }
        boolean hasChanged = keep(batch);
        for (int s = 0; s < batch.numSequences; s++) {
            if (waiting[batch.row[s]] == s) {
                waiting[batch.row[s]] = ABSENT;
                insert(batch, s);
                hasChanged = true;
            }
        }
        return hasChanged;
    }

    /** Drops the places whose rows are gone or have other slots now. */
    private boolean keep(ForwardBatch batch) {
        boolean hasChanged = false;
        int kept = 0;
        int common = 0;
        for (int place = 0; place < size; place++) {
            int s = waiting[row[place]];
            if (s == ABSENT || version[place] != batch.rowVersion[row[place]]) {
                hasChanged = true;
                common = Math.min(common, commonLen[place]);
                continue;
            }
            if (kept > 0) {
                commonLen[kept - 1] = common;
            }
            common = commonLen[place];
            waiting[row[place]] = ABSENT;
            hasChanged |= extendLen[place] != batch.extendLen[s];
            set(batch, kept++, s);
        }
        size = kept;
        return hasChanged;
    }

    private void set(ForwardBatch batch, int place, int s) {
        row[place] = batch.row[s];
        version[place] = batch.rowVersion[batch.row[s]];
        extendLen[place] = batch.extendLen[s];
        sequence[place] = s;
    }

    private void insert(ForwardBatch batch, int s) {
        int place = 0;
        if (size > 0) {
            int common = commonSlots(batch, 0, s, 0);
            while (place + 1 < size && commonLen[place] >= common) {
                if (commonLen[place] == common) {
                    common = commonSlots(batch, place + 1, s, common);
                }
                place++;
            }
            place++;
            System.arraycopy(row, place, row, place + 1, size - place);
            System.arraycopy(version, place, version, place + 1, size - place);
            System.arraycopy(extendLen, place, extendLen, place + 1, size - place);
            System.arraycopy(sequence, place, sequence, place + 1, size - place);
            System.arraycopy(commonLen, place - 1, commonLen, place, size - place);
            commonLen[place - 1] = common;
        }
        size++;
        set(batch, place, s);
    }

    /** Leading slots that a placed row and a sequence have in common, at least {@code from} as is known. */
    private int commonSlots(ForwardBatch batch, int place, int s, int from) {
        int most = Math.min(batch.cachedLen[sequence[place]], batch.cachedLen[s]);
        int a = row[place] * batch.slotTableStride;
        int b = batch.row[s] * batch.slotTableStride;
        int mismatch = Arrays.mismatch(batch.slotTable, a + from, a + most, batch.slotTable, b + from, b + most);
        return mismatch < 0 ? most : from + mismatch;
    }
}
