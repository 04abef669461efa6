package io.radixflow.engine;

/**
 * What a request must fit into.
 *
 * @param contextLen most tokens (prompt and output) of one sequence
 * @param maxTotalTokens KV slots of the pool
 * @param maxRunningRequests most sequences in one step
 * @param vocabSize token ids are in {@code [0, vocabSize)}
 */
public record EngineLimits(int contextLen, int maxTotalTokens, int maxRunningRequests, int vocabSize) {

    /** Most tokens that a sequence of this engine can reach: the context length or the whole pool, whichever is less. */
    public int maxSequenceLen() {
        return Math.min(contextLen, maxTotalTokens);
    }
}
