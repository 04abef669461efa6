package io.radixflow.backend;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How to draw this step's tokens, as parallel columns: entry i belongs to logits row i. Allocated once, refilled every step by the
 * engine thread; a backend only reads it.
 */
public final class SamplingBatch {

    private static final int[] NO_IDS = {};

    public int numEntries;
    /** 0 is greedy. */
    public final float[] temperature;

    public final float[] topP;
    /** -1 is all tokens. */
    public final int[] topK;

    public final float[] minP;
    public final float[] presencePenalty;
    public final float[] frequencyPenalty;
    /** 1 is off. */
    public final float[] repetitionPenalty;
    /** Key of the counter-based random numbers. */
    public final long[] seed;
    /** Counter of the random numbers: the index in the sequence (prompt included) of the token to be drawn. */
    public final int[] position;
    /** The sequence's token ids, prompt then output, for penalties; the live array of the sequence. */
    public final int[][] tokens;

    public final int[] promptLen;
    public final int[] outputLen;
    /** Token ids whose logits are shifted; empty if none. */
    public final int[][] biasIds;
    /** What is added, in the places of {@link #biasIds}. */
    public final float[][] biasValues;
    /** The only token ids that may be drawn; empty if all may. */
    public final int[][] allowedIds;
    /** Token ids that must not be drawn: the first {@link #numBanned} of each array. */
    public final int[][] bannedIds;

    public final int[] numBanned;

    /** Tokens that the entry's grammar allows, as bits; ids beyond them are forbidden. Null if it has none. */
    public final long[] @Nullable [] allowedBits;

    /** Of entries without rules; the engine refills all columns. */
    public SamplingBatch(int maxEntries) {
        temperature = new float[maxEntries];
        topP = new float[maxEntries];
        topK = new int[maxEntries];
        minP = new float[maxEntries];
        presencePenalty = new float[maxEntries];
        frequencyPenalty = new float[maxEntries];
        repetitionPenalty = new float[maxEntries];
        seed = new long[maxEntries];
        position = new int[maxEntries];
        tokens = new int[maxEntries][];
        promptLen = new int[maxEntries];
        outputLen = new int[maxEntries];
        biasIds = new int[maxEntries][];
        biasValues = new float[maxEntries][];
        allowedIds = new int[maxEntries][];
        bannedIds = new int[maxEntries][];
        numBanned = new int[maxEntries];
        allowedBits = new long[maxEntries][];
        Arrays.fill(biasIds, NO_IDS);
        Arrays.fill(biasValues, new float[0]);
        Arrays.fill(allowedIds, NO_IDS);
        Arrays.fill(bannedIds, NO_IDS);
    }
}
