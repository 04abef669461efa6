package io.radixflow.job.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a labelling run did.
 *
 * @param engine that ran
 * @param title what was labelled
 * @param date ISO 8601
 * @param command that gives these figures
 * @param machine that it ran on
 * @param options that the engine was given
 * @param totals figures of the whole run by key, in the order to show them
 * @param errors dead letters by their code
 * @param series figures over time
 * @param latencies quantiles in seconds at {@link #QUANTILES}, by the metric's name; NaN if unknown
 */
public record RunReport(
        BenchReport.Subject engine,
        String title,
        String date,
        String command,
        String machine,
        Map<String, String> options,
        Map<String, Double> totals,
        Map<String, Long> errors,
        Series series,
        Map<String, double[]> latencies) {

    /** As Flink's histograms name them. */
    public static final List<String> QUANTILES = List.of("median", "p75", "p90", "p95", "p98", "p99", "p999");

    public static final String ROWS_ANSWERED = "rows_answered";
    public static final String DEAD_LETTERS = "dead_letters";
    public static final String ROWS_BEFORE = "rows_done_before";
    public static final String PROMPT_TOKENS = "prompt_tokens";
    public static final String CACHED_TOKENS = "cached_tokens";
    public static final String GENERATED_TOKENS = "generated_tokens";
    public static final String SECONDS = "seconds";
    public static final String THROUGHPUT = "output_throughput";
    public static final String HIT_RATE = "hit_rate";

    public RunReport {
        options = Map.copyOf(options);
        totals = new LinkedHashMap<>(totals);
        errors = new LinkedHashMap<>(errors);
        latencies = new LinkedHashMap<>(latencies);
    }

    /**
     * Figures over time; entry i of each column is of one moment.
     *
     * @param seconds since the start
     * @param generated tokens a second since the moment before
     * @param prefill prompt tokens a second that were computed since the moment before
     * @param running requests in the engines' steps
     * @param queued requests that wait in the engines
     * @param hitRate of the prompt tokens so far, the share that the prefix cache had
     */
    public record Series(
            double[] seconds,
            double[] generated,
            double[] prefill,
            double[] running,
            double[] queued,
            double[] hitRate) {

        double duration() {
            return seconds.length == 0 ? 0 : seconds[seconds.length - 1];
        }
    }

    double total(String key) {
        return totals.getOrDefault(key, Double.NaN);
    }
}
