package io.radixflow.schedule;

import org.jspecify.annotations.Nullable;

/**
 * What one step computes, as parallel columns: the decoding sequences, sorted by their slots, then those in prefill. Reused every other step;
 * valid until its commit.
 */
public final class StepPlan {

    private final @Nullable Sequence[] sequences;
    private final int[] chunkLen;
    private final boolean[] isSampled;
    private int numSequences;
    private int numDecode;
    private int numPrefillTokens;

    StepPlan(int maxSequences) {
        sequences = new Sequence[maxSequences];
        chunkLen = new int[maxSequences];
        isSampled = new boolean[maxSequences];
    }

    public int numSequences() {
        return numSequences;
    }

    /** The first so many sequences decode: one token each. */
    public int numDecode() {
        return numDecode;
    }

    public int numPrefillTokens() {
        return numPrefillTokens;
    }

    @SuppressWarnings("NullAway") // places below numSequences are never null
    public Sequence sequence(int place) {
        return sequences[place];
    }

    /** Tokens to compute; before the step is advanced over from {@link Sequence#kvLen()} on. Their slots are in the row table. */
    public int chunkLen(int place) {
        return chunkLen[place];
    }

    /** Whether the step computes the sequence's last token, so that the next one is drawn. */
    public boolean isSampled(int place) {
        return isSampled[place];
    }

    void clear() {
        for (int place = 0; place < numSequences; place++) {
            sequences[place] = null;
        }
        numSequences = 0;
        numDecode = 0;
        numPrefillTokens = 0;
    }

    void addDecode(DecodeSet set) {
        for (int place = 0; place < set.size(); place++) {
            add(set.get(place), 1);
        }
        numDecode = numSequences;
    }

    void addPrefill(Sequence sequence, int chunk) {
        numPrefillTokens += chunk;
        add(sequence, chunk);
    }

    private void add(Sequence sequence, int chunk) {
        sequences[numSequences] = sequence;
        isSampled[numSequences] = sequence.kvLen + chunk == sequence.len;
        chunkLen[numSequences++] = chunk;
    }
}
