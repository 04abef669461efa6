package io.radixflow.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a round gave.
 *
 * @param round that was run
 * @param counts of requests, tokens and steps
 * @param durationNanos from just before the first request was handed over until the last result was in hand
 * @param e2e from submission to the last token, of each completed request
 * @param ttft from submission to the first token
 * @param tpot (last token - first token) / (output - 1), of each completed request with more than one token
 * @param itl between two tokens of one request
 * @param outputRates generated tokens a second in equal parts of the duration
 * @param promptRates computed prompt tokens a second in the same parts
 */
public record RoundFigures(
        Round round,
        Counts counts,
        long durationNanos,
        Distribution e2e,
        Distribution ttft,
        Distribution tpot,
        Distribution itl,
        double[] outputRates,
        double[] promptRates) {

    /**
     * @param completed requests that ended with all their tokens
     * @param inputTokens prompt tokens of all requests
     * @param outputTokens generated tokens
     * @param cachedTokens prompt tokens that the radix cache saved
     * @param prefillTokens tokens computed in prefill, repeated ones after retractions included
     * @param steps forward steps
     * @param retractions sequences pushed back for want of memory
     */
    public record Counts(
            int completed,
            long inputTokens,
            long outputTokens,
            long cachedTokens,
            long prefillTokens,
            long steps,
            long retractions) {}

    private static final double NANOS_PER_SECOND = 1e9;

    public double seconds() {
        return durationNanos / NANOS_PER_SECOND;
    }

    /** Under the keys of SGLang's bench, then those of ours; in their order. */
    public Map<String, Double> keys() {
        Map<String, Double> keys = new LinkedHashMap<>();
        keys.put("duration", seconds());
        keys.put("completed", (double) counts.completed());
        keys.put("total_input_tokens", (double) counts.inputTokens());
        keys.put("total_output_tokens", (double) counts.outputTokens());
        keys.put("request_throughput", perSecond(counts.completed()));
        keys.put("input_throughput", perSecond(counts.inputTokens()));
        keys.put("output_throughput", perSecond(counts.outputTokens()));
        put(keys, "e2e_latency", e2e);
        put(keys, "ttft", ttft);
        put(keys, "tpot", tpot);
        put(keys, "itl", itl);
        keys.put("concurrency", durationNanos == 0 ? 0 : e2e.mean() * e2e.size() * 1e6 / durationNanos);
        keys.put("hit_rate", counts.inputTokens() == 0 ? 0 : (double) counts.cachedTokens() / counts.inputTokens());
        keys.put("cached_tokens", (double) counts.cachedTokens());
        keys.put("prefill_tokens", (double) counts.prefillTokens());
        keys.put("steps", (double) counts.steps());
        keys.put("retractions", (double) counts.retractions());
        return keys;
    }

    private double perSecond(long number) {
        return durationNanos == 0 ? 0 : number * NANOS_PER_SECOND / durationNanos;
    }

    private static void put(Map<String, Double> keys, String name, Distribution values) {
        keys.put("mean_" + name + "_ms", values.mean());
        keys.put("median_" + name + "_ms", values.quantile(0.5));
        keys.put("std_" + name + "_ms", values.std());
        keys.put("p99_" + name + "_ms", values.quantile(0.99));
    }
}
