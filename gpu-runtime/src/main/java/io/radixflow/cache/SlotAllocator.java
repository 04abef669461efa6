package io.radixflow.cache;

import java.util.Arrays;

/**
 * The free KV slots of a pool, handed out in whole pages and as contiguous runs where there are any, so that attention reads
 * near-sequentially. A page's slots are contiguous, and the first is a multiple of the page size.
 *
 * <p>A bitmap with one bit a page and a summary with one bit for each 64 of them. Searching goes on where it last ended (next fit), which
 * keeps fresh runs long. Several pages: the first run that is long enough, else the next free pages in ascending order. Freeing is O(1) a
 * page; allocating is O(slots handed out) plus a scan of the summary.
 *
 * <p>Owned by the engine thread. Allocates no objects after construction.
 */
public final class SlotAllocator {

    /** Answer of {@link #allocate} when too few slots are free; nothing was taken then. */
    public static final int NO_SLOTS = -1;

    private final int pageSize;
    private final int pageShift;
    private final int numPages;
    /** Bit set: the page is free. */
    private final long[] free;
    /** Bit set: that word of {@link #free} is not 0. */
    private final long[] summary;

    private int numFreePages;
    private int cursor;

    /**
     * @param numSlots a multiple of the page size
     * @param pageSize a power of two
     */
    public SlotAllocator(int numSlots, int pageSize) {
        if (Integer.bitCount(pageSize) != 1 || pageSize < 1 || numSlots < pageSize || numSlots % pageSize != 0) {
            throw new IllegalArgumentException(
                    "a pool needs at least one page, in whole pages of a power of two slots; got " + numSlots
                            + " slots in pages of " + pageSize);
        }
        this.pageSize = pageSize;
        pageShift = Integer.numberOfTrailingZeros(pageSize);
        numPages = numSlots >>> pageShift;
        free = new long[(numPages + 63) >>> 6];
        summary = new long[(free.length + 63) >>> 6];
        for (int page = 0; page < numPages; page++) {
            markFree(page);
        }
        numFreePages = numPages;
    }

    public int numSlots() {
        return numPages << pageShift;
    }

    public int pageSize() {
        return pageSize;
    }

    public int numFree() {
        return numFreePages << pageShift;
    }

    /**
     * Takes {@code num} free slots, a multiple of the page size, into {@code into[offset, offset + num)}.
     *
     * @return num, or {@link #NO_SLOTS} if fewer are free
     */
    public int allocate(int num, int[] into, int offset) {
        int wanted = num >>> pageShift;
        if (wanted > numFreePages) {
            return NO_SLOTS;
        }
        int run = wanted > 1 ? findRun(wanted) : NO_SLOTS;
        int page = run == NO_SLOTS ? cursor : run;
        int at = offset;
        for (int i = 0; i < wanted; i++) {
            page = nextFree(page);
            markUsed(page);
            int slot = page << pageShift;
            for (int end = at + pageSize; at < end; at++) {
                into[at] = slot++;
            }
            page++;
        }
        cursor = page >= numPages ? 0 : page;
        numFreePages -= wanted;
        return num;
    }

    /**
     * Frees a whole page.
     *
     * @param slot the page's first
     * @throws IllegalStateException if the page is free already or outside the pool, or the slot isn't its first
     */
    public void free(int slot) {
        if (slot < 0 || slot >= numSlots() || (slot & (pageSize - 1)) != 0 || isFree(slot)) {
            throw new IllegalStateException("slot " + slot + " of " + numSlots() + " freed, but nobody owned it");
        }
        markFree(slot >>> pageShift);
        numFreePages++;
    }

    /** Frees the pages that {@code slots[from, to)} are. */
    public void free(int[] slots, int from, int to) {
        for (int i = from; i < to; i += pageSize) {
            free(slots[i]);
        }
    }

    public boolean isFree(int slot) {
        int page = slot >>> pageShift;
        return (free[page >>> 6] & 1L << page) != 0;
    }

    /** @throws IllegalStateException if count, bitmap and summary disagree */
    public void checkIntegrity() {
        int counted = 0;
        for (int word = 0; word < free.length; word++) {
            counted += Long.bitCount(free[word]);
            boolean isMarked = (summary[word >>> 6] & 1L << word) != 0;
            if (isMarked != (free[word] != 0)) {
                throw new IllegalStateException("summary of free pages is wrong at word " + word);
            }
        }
        if (counted != numFreePages) {
            throw new IllegalStateException(counted + " pages are free, but " + numFreePages + " are counted as free");
        }
    }

    /** First page of a run of {@code num} free pages at or after the cursor, then from 0, or NO_SLOTS. */
    private int findRun(int num) {
        int found = findRun(cursor, numPages, num);
        return found == NO_SLOTS && cursor > 0 ? findRun(0, (int) Math.min(numPages, (long) cursor + num), num) : found;
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

    /** First page in {@code [start, limit)} that is used, or limit. */
    private int endOfRun(int start, int limit) {
        int page = start;
        while (page < limit) {
            long used = ~free[page >>> 6] >>> page;
            if (used != 0) {
                return Math.min(limit, page + Long.numberOfTrailingZeros(used));
            }
            page = (page | 63) + 1;
        }
        return limit;
    }

    /** The next free page from {@code from} on, cyclically; there is one. */
    private int nextFree(int from) {
        int page = nextFreeBelow(from, numPages);
        return page == NO_SLOTS ? nextFreeBelow(0, numPages) : page;
    }

    private int nextFreeBelow(int from, int to) {
        if (from >= to) {
            return NO_SLOTS;
        }
        int word = from >>> 6;
        long bits = free[word] >>> from;
        if (bits != 0) {
            int page = from + Long.numberOfTrailingZeros(bits);
            return page < to ? page : NO_SLOTS;
        }
        word = nextWord(word + 1);
        if (word == NO_SLOTS) {
            return NO_SLOTS;
        }
        int page = (word << 6) + Long.numberOfTrailingZeros(free[word]);
        return page < to ? page : NO_SLOTS;
    }

    /** The next word with a free page, by the summary. */
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

    private void markFree(int page) {
        free[page >>> 6] |= 1L << page;
        summary[page >>> 12] |= 1L << (page >>> 6);
    }

    private void markUsed(int page) {
        int word = page >>> 6;
        free[word] &= ~(1L << page);
        if (free[word] == 0) {
            summary[word >>> 6] &= ~(1L << word);
        }
    }

    @Override
    public String toString() {
        return "SlotAllocator[" + numFree() + " of " + numSlots() + " free, words " + Arrays.hashCode(free) + "]";
    }
}
