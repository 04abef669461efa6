package io.radixflow.schedule;

/** Totals since start, written by the engine thread only. */
public final class SchedulerCounters {
    long numStarted;
    long promptTokens;
    long cachedTokens;
    long computedPromptTokens;
    long numRetractions;

    /** Sequences whose prompt was computed for the first time. */
    public long numStarted() {
        return numStarted;
    }

    /** Prompt tokens of these. */
    public long promptTokens() {
        return promptTokens;
    }

    /** Of {@link #promptTokens()}, those that the cache saved. */
    public long cachedTokens() {
        return cachedTokens;
    }

    /** Tokens computed in prefill, repeated ones after retractions included. */
    public long computedPromptTokens() {
        return computedPromptTokens;
    }

    public long numRetractions() {
        return numRetractions;
    }
}
