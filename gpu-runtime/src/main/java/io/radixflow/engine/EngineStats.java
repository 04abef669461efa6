package io.radixflow.engine;

/**
 * A snapshot of the engine's counters and gauges, named as the metrics. Totals count since start.
 *
 * @param numRunningReqs sequences in the running batch
 * @param numQueueReqs sequences waiting for admission
 * @param numGrammarQueueReqs requests waiting for their grammars to be compiled
 * @param numUsedTokens KV slots held by running sequences (protected or not yet in the tree)
 * @param maxTotalNumTokens KV slots of the pool
 * @param promptTokensTotal prompt tokens of all started requests
 * @param cachedTokensTotal of these, tokens that the radix cache saved
 * @param prefillTokensTotal tokens computed in prefill, repeated ones after retractions included
 * @param generationTokensTotal sampled tokens
 * @param numRequestsTotal requests taken in
 * @param numRetractedReqs retractions
 * @param numAbortedRequestsTotal requests that ended with ABORT, TIMEOUT or ERROR
 * @param genThroughput sampled tokens per second over the last second, or step if that is longer
 * @param prefillThroughput computed prompt tokens per second over it
 * @param numSteps forward steps run
 * @param numDecodeSteps of these, steps that computed one token for each sequence
 * @param numReplayedSteps of these, steps that the device replayed from a CUDA graph
 * @param deviceUsedBytes memory of the GPU in use, by whomever; 0 on a device without memory of its own
 */
public record EngineStats(
        int numRunningReqs,
        int numQueueReqs,
        int numGrammarQueueReqs,
        int numUsedTokens,
        int maxTotalNumTokens,
        long promptTokensTotal,
        long cachedTokensTotal,
        long prefillTokensTotal,
        long generationTokensTotal,
        long numRequestsTotal,
        long numRetractedReqs,
        long numAbortedRequestsTotal,
        double genThroughput,
        double prefillThroughput,
        long numSteps,
        long numDecodeSteps,
        long numReplayedSteps,
        long deviceUsedBytes) {

    /** Nothing runs, nothing was done. */
    public static final EngineStats NONE = new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** Share of prompt tokens that the radix cache saved, 0 to 1. */
    public double cacheHitRate() {
        return promptTokensTotal == 0 ? 0 : (double) cachedTokensTotal / promptTokensTotal;
    }

    /** Share of the KV pool in use by running sequences, 0 to 1. */
    public double tokenUsage() {
        return maxTotalNumTokens == 0 ? 0 : (double) numUsedTokens / maxTotalNumTokens;
    }

    /** Share of the decode steps that were replayed from a CUDA graph, 0 to 1. */
    public double cudaGraphHitRate() {
        return numDecodeSteps == 0 ? 0 : (double) numReplayedSteps / numDecodeSteps;
    }

    /** The same gauges, with totals counted from {@code start} on. */
    public EngineStats since(EngineStats start) {
        return withTotals(start, -1);
    }

    /** The same gauges, with totals that go on from those of an engine before this one. */
    public EngineStats after(EngineStats earlier) {
        return withTotals(earlier, 1);
    }

    private EngineStats withTotals(EngineStats other, int sign) {
        return new EngineStats(
                numRunningReqs,
                numQueueReqs,
                numGrammarQueueReqs,
                numUsedTokens,
                maxTotalNumTokens,
                promptTokensTotal + sign * other.promptTokensTotal,
                cachedTokensTotal + sign * other.cachedTokensTotal,
                prefillTokensTotal + sign * other.prefillTokensTotal,
                generationTokensTotal + sign * other.generationTokensTotal,
                numRequestsTotal + sign * other.numRequestsTotal,
                numRetractedReqs + sign * other.numRetractedReqs,
                numAbortedRequestsTotal + sign * other.numAbortedRequestsTotal,
                genThroughput,
                prefillThroughput,
                numSteps + sign * other.numSteps,
                numDecodeSteps + sign * other.numDecodeSteps,
                numReplayedSteps + sign * other.numReplayedSteps,
                deviceUsedBytes);
    }
}
