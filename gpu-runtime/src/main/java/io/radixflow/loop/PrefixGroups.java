package io.radixflow.loop;

import io.radixflow.backend.ForwardBatch;
import java.util.Arrays;

/**
 * Finds runs of neighbouring sequences whose rows begin with the same slots, and cuts them into groups so that attention reads as few slots
 * as possible: each group saves {@code (size - 1) * len} reads. Exact over all nestings, by divide and conquer at the shortest common prefix.
 *
 * <p>Allocates nothing after construction.
 */
final class PrefixGroups {

    /** Shorter common prefixes are not worth a group. */
    static final int MIN_LEN = 16;

    /** [maxSequences] slots that sequence i and i + 1 have in common. */
    private final int[] commonLen;
    /** [maxSequences] whether the run whose shortest common prefix is at i is better left in one piece. */
    private final boolean[] isWhole;

    PrefixGroups(int maxSequences) {
        commonLen = new int[maxSequences];
        isWhole = new boolean[maxSequences];
    }

    /** Writes the groups among the first {@code numSequences} sequences of {@code batch}, whose rows are sorted. */
    void find(ForwardBatch batch, int numSequences) {
        for (int i = 0; i + 1 < numSequences; i++) {
            commonLen[i] = commonSlots(batch, i, i + 1);
        }
        batch.numPrefixGroups = 0;
        saved(0, numSequences);
        emit(0, numSequences, batch);
    }

    private static int commonSlots(ForwardBatch batch, int a, int b) {
        int most = Math.min(batch.cachedLen[a], batch.cachedLen[b]);
        int fromA = batch.row[a] * batch.slotTableStride;
        int fromB = batch.row[b] * batch.slotTableStride;
        int mismatch = Arrays.mismatch(batch.slotTable, fromA, fromA + most, batch.slotTable, fromB, fromB + most);
        return mismatch < 0 ? most : mismatch;
    }

    /** Most slot reads that groups within sequences {@code [from, to)} can save. */
    private long saved(int from, int to) {
        if (to - from < 2) {
            return 0;
        }
        int cut = shortest(from, to);
        long inParts = saved(from, cut + 1) + saved(cut + 1, to);
        long whole = commonLen[cut] < MIN_LEN ? 0 : (long) (to - from - 1) * commonLen[cut];
        isWhole[cut] = whole > inParts;
        return Math.max(whole, inParts);
    }

    private void emit(int from, int to, ForwardBatch batch) {
        if (to - from < 2) {
            return;
        }
        int cut = shortest(from, to);
        if (isWhole[cut]) {
            int group = batch.numPrefixGroups++;
            batch.groupFirst[group] = from;
            batch.groupSize[group] = to - from;
            batch.groupLen[group] = commonLen[cut];
        } else {
            emit(from, cut + 1, batch);
            emit(cut + 1, to, batch);
        }
    }

    /** The place in {@code [from, to - 1)} with the shortest common prefix. */
    private int shortest(int from, int to) {
        int found = from;
        for (int i = from + 1; i < to - 1; i++) {
            found = commonLen[i] < commonLen[found] ? i : found;
        }
        return found;
    }
}
