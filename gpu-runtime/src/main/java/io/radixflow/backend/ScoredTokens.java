package io.radixflow.backend;

import java.util.Arrays;

/**
 * Tokens with their log-probabilities, as parallel columns, one entry for each row of logits. Log-probabilities are those of the softmax
 * of the row as the model made it, whatever was drawn from it and how.
 *
 * <p>Allocated once, refilled every step: a backend writes it while the step runs, the engine thread owns it otherwise.
 */
public final class ScoredTokens {

    /** Most alternatives of an entry, and the stride of their columns. */
    public static final int MAX_ALTERNATIVES = 20;

    /** In {@link #numAlternatives}: no log-probabilities are wanted of the entry. */
    public static final int NO_LOGPROBS = -1;

    /** In {@link #tokenId}: the entry's rules leave no token that could be drawn. */
    public static final int NO_TOKEN = -1;

    /** [maxEntries] drawn by the backend, or given. */
    public final int[] tokenId;

    /** [maxEntries] likeliest tokens wanted of the row, at most the vocabulary's size; or {@link #NO_LOGPROBS}. Set by the engine. */
    public final int[] numAlternatives;

    /** [maxEntries] of {@link #tokenId}. */
    public final float[] logprob;

    /** [maxEntries * MAX_ALTERNATIVES] by falling log-probability, of equal ones the lower id first. */
    public final int[] alternativeId;

    /** [maxEntries * MAX_ALTERNATIVES] */
    public final float[] alternativeLogprob;

    public ScoredTokens(int maxEntries) {
        tokenId = new int[maxEntries];
        numAlternatives = new int[maxEntries];
        Arrays.fill(numAlternatives, NO_LOGPROBS);
        logprob = new float[maxEntries];
        alternativeId = new int[maxEntries * MAX_ALTERNATIVES];
        alternativeLogprob = new float[maxEntries * MAX_ALTERNATIVES];
    }
}
