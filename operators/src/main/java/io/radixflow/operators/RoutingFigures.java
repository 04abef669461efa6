package io.radixflow.operators;

import java.util.Arrays;

/**
 * What a {@link RoutingSimulation} gave.
 *
 * @param promptTokens of all requests
 * @param prefillTokens by engine: prompt tokens computed; nobody writes the array
 * @param outputTokens by engine: tokens generated; nobody writes the array
 * @param durationNanos from the first request to the last answer, on the simulated clocks
 */
public record RoutingFigures(long promptTokens, long[] prefillTokens, long[] outputTokens, long durationNanos) {

    public long totalPrefillTokens() {
        return Arrays.stream(prefillTokens).sum();
    }

    /** Share of the prompt tokens that caches saved, 0 to 1. */
    public double hitRate() {
        return 1 - (double) totalPrefillTokens() / promptTokens;
    }

    /** The most loaded engine's computed tokens over the average. */
    public double maxOverMeanLoad() {
        long most = 0;
        long sum = 0;
        for (int engine = 0; engine < prefillTokens.length; engine++) {
            long work = prefillTokens[engine] + outputTokens[engine];
            most = Math.max(most, work);
            sum += work;
        }
        return (double) most * prefillTokens.length / sum;
    }
}
