package io.radixflow.operators;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The prefixes that requests of late have had, so that a router can tell how much of a prompt came up before. Holds hashes of prefixes at
 * boundaries: every {@value #STEP} tokens up to 512, then eight to each doubling. Bounded: two generations of
 * {@value #GENERATION_SIZE} hashes; when the younger is full, the older is dropped.
 */
final class SeenPrefixes {

    static final int STEP = 64;
    static final int GENERATION_SIZE = 1 << 14;

    private static final int BOUNDARIES_PER_DOUBLING = 8;
    private static final int TABLE_SIZE = 2 * GENERATION_SIZE;

    private long[] younger = new long[TABLE_SIZE];
    private long[] older = new long[TABLE_SIZE];
    private int youngerSize;

    // Of the prompt that was looked up last.
    private long homeHash;
    private long seenHash;
    private int seenLen;

    /** Finds the longest seen prefix of a prompt and remembers all of its prefixes. */
    void lookUp(@Nullable String cacheSalt, int[] promptIds) {
        long hash = cacheSalt == null ? 0 : cacheSalt.hashCode() + 1L;
        seenLen = 0;
        int boundary = Math.min(STEP, promptIds.length);
        for (int i = 0; i < promptIds.length; i++) {
            hash = RequestSeed.mix(hash * 31 + promptIds[i]);
            int len = i + 1;
            if (len == boundary) {
                onBoundary(hash, len);
                boundary = len + Math.max(STEP, Integer.highestOneBit(len) / BOUNDARIES_PER_DOUBLING);
            }
        }
    }

    private void onBoundary(long hash, int len) {
        if (len <= STEP) {
            homeHash = hash;
            seenHash = hash;
        }
        if (add(hash)) {
            seenHash = hash;
            seenLen = len;
        }
    }

    /** Hash of the last prompt's first tokens, by which it has its home. */
    long homeHash() {
        return homeHash;
    }

    /** Hash of the last prompt's longest seen prefix, or of its first tokens if none was seen. */
    long seenHash() {
        return seenHash;
    }

    /** Length of the last prompt's longest seen prefix, or 0. */
    int seenLen() {
        return seenLen;
    }

    /** True if the hash was there already. */
    private boolean add(long hash) {
        long key = hash == 0 ? 1 : hash; // 0 is an empty place
        int place = place(younger, key);
        if (younger[place] == key) {
            return true;
        }
        boolean isOld = older[place(older, key)] == key;
        if (youngerSize == GENERATION_SIZE) {
            long[] emptied = older;
            Arrays.fill(emptied, 0);
            older = younger;
            younger = emptied;
            youngerSize = 0;
            place = place(younger, key);
        }
        younger[place] = key;
        youngerSize++;
        return isOld;
    }

    private static int place(long[] table, long key) {
        int place = (int) key & TABLE_SIZE - 1;
        while (table[place] != 0 && table[place] != key) {
            place = place + 1 & TABLE_SIZE - 1;
        }
        return place;
    }

    /** What it remembers, oldest generation first, for state. */
    long[] toState() {
        long[] all = new long[2 * GENERATION_SIZE];
        int size = collect(older, all, 0);
        return Arrays.copyOf(all, collect(younger, all, size));
    }

    private static int collect(long[] table, long[] into, int at) {
        int end = at;
        for (long key : table) {
            if (key != 0) {
                into[end++] = key;
            }
        }
        return end;
    }

    /** Remembers what {@link #toState} gave, also of several routers. */
    void restore(long[] hashes) {
        for (long hash : hashes) {
            add(hash);
        }
    }
}
