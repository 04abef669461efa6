package io.radixflow.backend;

import org.jspecify.annotations.Nullable;

/**
 * One step's tokens and sequences as parallel columns, allocated once to the configured limits and refilled every step.
 *
 * <p>Sequence s computes tokens {@code [firstToken[s], firstToken[s] + extendLen[s])}, which follow its {@code cachedLen[s]} tokens whose KV is
 * in slots. Its slots, those of this step included, are {@code slotTable[row[s] * slotTableStride + position]}.
 *
 * <p>Written by the engine thread between steps; a backend only reads it.
 */
public final class ForwardBatch {

    public int numTokens;
    /** [maxTokens]; {@code -1 - e} is the token that was drawn for entry e of the last step, which the host doesn't know yet. */
    public final int[] tokenId;
    /** [maxTokens] index in the sequence, from 0. */
    public final int[] position;
    /** [maxTokens] where this token's K and V go. */
    public final int[] kvSlot;

    public int numSequences;
    /** [maxSequences] row in the slot table. */
    public final int[] row;
    /** [maxSequences] */
    public final int[] firstToken;
    /** [maxSequences] tokens before this step's whose KV is in slots. */
    public final int[] cachedLen;
    /** [maxSequences] tokens to compute, 1 in decode. */
    public final int[] extendLen;

    /**
     * [maxSequences] tokens of the sequences whose draws look back at them, of which the first {@code cachedLen} are known; null for the others.
     * Live arrays, read while the step is enqueued.
     */
    public final int[] @Nullable [] history;

    /** [maxRows * slotTableStride] row to slots, shared with the scheduler's row table. */
    public final int[] slotTable;

    public final int slotTableStride;

    /** [maxRows] changes whenever slots of a row change other than by appending; shared with the row table too. */
    public final int[] rowVersion;

    public int numSampled;
    public int numLogits;
    /**
     * [maxTokens] indices of the tokens whose logits are wanted: first the {@link #numSampled} ones from which a token is drawn, ascending, then
     * those that score the prompt, ascending.
     */
    public final int[] logitToken;

    /**
     * Runs of slots that several sequences have in common, so that attention may read them once: a forest, parents before children, siblings from
     * left to right. Only a hint for speed: results are the same without it.
     *
     * <p>Segment g covers positions {@code [segmentFrom[g], segmentTo[g])} of the sequences at places {@code [segmentFirst[g], segmentEnd[g])} of
     * {@link #segmentOrder}, two at least, which have the same slots up to {@code segmentTo[g]}, and all that many cached tokens. It begins
     * where its parent ends, a root at 0. What no segment covers of a sequence begins at {@link #sharedLen}.
     */
    public int numSegments;

    // [maxSequences]
    public final int[] segmentFrom;
    public final int[] segmentTo;
    public final int[] segmentFirst;
    public final int[] segmentEnd;
    /** Segments above it. */
    public final int[] segmentLevel;
    /** [maxSequences] the sequences, those of a segment side by side. */
    public final int[] segmentOrder;
    /** [maxSequences] leading tokens of a sequence that segments cover. */
    public final int[] sharedLen;

    /** @param slotTable the row table's own array, read by backends in place */
    public ForwardBatch(int maxTokens, int maxSequences, int[] slotTable, int slotTableStride) {
        this(
                maxTokens,
                maxSequences,
                slotTable,
                slotTableStride,
                new int[slotTable.length / Math.max(1, slotTableStride)]);
    }

    /** @param rowVersion the row table's own array, alike */
    public ForwardBatch(int maxTokens, int maxSequences, int[] slotTable, int slotTableStride, int[] rowVersion) {
        this.rowVersion = rowVersion;
        tokenId = new int[maxTokens];
        position = new int[maxTokens];
        kvSlot = new int[maxTokens];
        row = new int[maxSequences];
        firstToken = new int[maxSequences];
        cachedLen = new int[maxSequences];
        extendLen = new int[maxSequences];
        history = new int[maxSequences][];
        logitToken = new int[maxTokens];
        segmentFrom = new int[maxSequences];
        segmentTo = new int[maxSequences];
        segmentFirst = new int[maxSequences];
        segmentEnd = new int[maxSequences];
        segmentLevel = new int[maxSequences];
        segmentOrder = new int[maxSequences];
        for (int place = 0; place < maxSequences; place++) {
            segmentOrder[place] = place;
        }
        sharedLen = new int[maxSequences];
        this.slotTable = slotTable;
        this.slotTableStride = slotTableStride;
    }
}
