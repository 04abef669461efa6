package io.radixflow.cache;

import java.util.Arrays;

/**
 * The free KV slots of a pool, handed out as contiguous runs where there are any, so that attention reads near-sequentially.
 *
 * <p>A bitmap with one bit a slot and a summary with one bit for each 64 of them. Searching goes on where it last ended (next fit), which
 * keeps fresh runs long. Several slots: the first run that is long enough, else the next free slots in ascending order. Freeing is O(1) a
 * slot; allocating is O(slots handed out) plus a scan of the summary.
 *
 * <p>Owned by the engine thread. Allocates no objects after construction.
 */
public final class SlotAllocator {

    /** Answer of {@link #allocate} when too few slots are free; nothing was taken then. */
    public static final int NO_SLOTS = -1;

    private final int numSlots;
    /** Bit set: the slot is free. */
    private final long[] free;
    /** Bit set: that word of {@link #free} is not 0. */
    private final long[] summary;

    private int numFree;
    private int cursor;

    public SlotAllocator(int numSlots) {
        if (numSlots < 1) {
            throw new IllegalArgumentException("a pool needs at least 1 slot, got " + numSlots);
        }
        this.numSlots = numSlots;
        free = new long[(numSlots + 63) >>> 6];
        summary = new long[(free.length + 63) >>> 6];
        for (int slot = 0; slot < numSlots; slot++) {
            markFree(slot);
        }
        numFree = numSlots;
    }

    public int numSlots() {
        return numSlots;
    }

    public int numFree() {
        return numFree;
    }

    /**
     * Takes {@code num} free slots into {@code into[offset, offset + num)}.
     *
     * @return num, or {@link #NO_SLOTS} if fewer are free
     */
    public int allocate(int num, int[] into, int offset) {
        if (num > numFree) {
            return NO_SLOTS;
        }
        int run = num > 1 ? findRun(num) : NO_SLOTS;
        int slot = run == NO_SLOTS ? cursor : run;
        for (int i = 0; i < num; i++) {
            slot = nextFree(slot);
            markUsed(slot);
            into[offset + i] = slot;
            slot++;
        }
        cursor = slot >= numSlots ? 0 : slot;
        numFree -= num;
        return num;
    }

    /** @throws IllegalStateException if the slot is free already or outside the pool */
    public void free(int slot) {
        if (slot < 0 || slot >= numSlots || isFree(slot)) {
            throw new IllegalStateException("slot " + slot + " of " + numSlots + " freed, but nobody owned it");
        }
        markFree(slot);
        numFree++;
    }

    /** Frees {@code slots[from, to)}. */
    public void free(int[] slots, int from, int to) {
        for (int i = from; i < to; i++) {
            free(slots[i]);
        }
    }

    public boolean isFree(int slot) {
        return (free[slot >>> 6] & 1L << slot) != 0;
    }

    /** @throws IllegalStateException if count, bitmap and summary disagree */
    public void checkIntegrity() {
        int counted = 0;
        for (int word = 0; word < free.length; word++) {
            counted += Long.bitCount(free[word]);
            boolean isMarked = (summary[word >>> 6] & 1L << word) != 0;
            if (isMarked != (free[word] != 0)) {
                throw new IllegalStateException("summary of free slots is wrong at word " + word);
            }
        }
        if (counted != numFree) {
            throw new IllegalStateException(counted + " slots are free, but " + numFree + " are counted as free");
        }
    }

    /** First slot of a run of {@code num} free slots at or after the cursor, then from 0, or NO_SLOTS. */
    private int findRun(int num) {
        int found = findRun(cursor, numSlots, num);
        return found == NO_SLOTS && cursor > 0 ? findRun(0, (int) Math.min(numSlots, (long) cursor + num), num) : found;
    }

    private int findRun(int from, int to, int num) {
        int start = nextFreeBelow(from, to);
        while (start != NO_SLOTS && start + (long) num <= to) {
            int end = endOfRun(start, start + num);
            if (end == start + num) {
                return start;
            }
            start = nextFreeBelow(end, to);
        }
        return NO_SLOTS;
    }

    /** First slot in {@code [start, limit)} that is used, or limit. */
    private int endOfRun(int start, int limit) {
        int slot = start;
        while (slot < limit) {
            long used = ~free[slot >>> 6] >>> slot;
            if (used != 0) {
                return Math.min(limit, slot + Long.numberOfTrailingZeros(used));
            }
            slot = (slot | 63) + 1;
        }
        return limit;
    }

    /** The next free slot from {@code from} on, cyclically; there is one. */
    private int nextFree(int from) {
        int slot = nextFreeBelow(from, numSlots);
        return slot == NO_SLOTS ? nextFreeBelow(0, numSlots) : slot;
    }

    private int nextFreeBelow(int from, int to) {
        if (from >= to) {
            return NO_SLOTS;
        }
        int word = from >>> 6;
        long bits = free[word] >>> from;
        if (bits != 0) {
            int slot = from + Long.numberOfTrailingZeros(bits);
            return slot < to ? slot : NO_SLOTS;
        }
        word = nextWord(word + 1);
        if (word == NO_SLOTS) {
            return NO_SLOTS;
        }
        int slot = (word << 6) + Long.numberOfTrailingZeros(free[word]);
        return slot < to ? slot : NO_SLOTS;
    }

    /** The next word with a free slot, by the summary. */
    private int nextWord(int from) {
        if (from >= free.length) {
            return NO_SLOTS;
        }
        int index = from >>> 6;
        long bits = summary[index] >>> from << from;
        while (bits == 0) {
            if (++index == summary.length) {
                return NO_SLOTS;
            }
            bits = summary[index];
        }
        return (index << 6) + Long.numberOfTrailingZeros(bits);
    }

    private void markFree(int slot) {
        free[slot >>> 6] |= 1L << slot;
        summary[slot >>> 12] |= 1L << (slot >>> 6);
    }

    private void markUsed(int slot) {
        int word = slot >>> 6;
        free[word] &= ~(1L << slot);
        if (free[word] == 0) {
            summary[word >>> 6] &= ~(1L << word);
        }
    }

    @Override
    public String toString() {
        return "SlotAllocator[" + numFree + " of " + numSlots + " free, words " + Arrays.hashCode(free) + "]";
    }
}
