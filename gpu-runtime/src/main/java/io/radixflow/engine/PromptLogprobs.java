package io.radixflow.engine;

/**
 * Log-probabilities of a prompt's tokens, each given those before it: of the softmax of the model's logits, before any rule, penalty or
 * temperature. As parallel columns over the positions {@code [start, start + len)}.
 *
 * <p>Written by the engine thread until it is delivered; nobody writes it afterwards.
 */
public final class PromptLogprobs {

    private final int start;
    private final int len;
    private final int numAlternatives;
    private final float[] logprob;
    private final int[] alternativeId;
    private final float[] alternativeLogprob;

    public PromptLogprobs(int start, int len, int numAlternatives) {
        this.start = start;
        this.len = len;
        this.numAlternatives = numAlternatives;
        logprob = new float[len];
        alternativeId = new int[len * numAlternatives];
        alternativeLogprob = new float[len * numAlternatives];
        if (start == 0 && len > 0) {
            logprob[0] = Float.NaN;
        }
    }

    /** Index in the prompt of the first position. */
    public int start() {
        return start;
    }

    /** Number of positions. */
    public int len() {
        return len;
    }

    public int numAlternatives() {
        return numAlternatives;
    }

    /** False for the prompt's first token alone, which nothing goes before. */
    public boolean hasLogprob(int position) {
        return position > 0;
    }

    /** Of the prompt's token at an index in the prompt. */
    public float logprob(int position) {
        return logprob[position - start];
    }

    /** The token of a rank, from 0, of those that were likeliest at an index in the prompt. */
    public int alternativeId(int position, int rank) {
        return alternativeId[(position - start) * numAlternatives + rank];
    }

    public float alternativeLogprob(int position, int rank) {
        return alternativeLogprob[(position - start) * numAlternatives + rank];
    }

    /** Engine thread: sets one position; its alternatives are read from {@code from} on. */
    public void set(int position, float value, int[] ids, float[] logprobs, int from) {
        int row = position - start;
        logprob[row] = value;
        System.arraycopy(ids, from, alternativeId, row * numAlternatives, numAlternatives);
        System.arraycopy(logprobs, from, alternativeLogprob, row * numAlternatives, numAlternatives);
    }
}
