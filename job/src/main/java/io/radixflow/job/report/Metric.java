package io.radixflow.job.report;

/** The figures that reports show, under the keys of SGLang's bench. */
public enum Metric {
    DURATION("duration", "duration", "s", false),
    OUTPUT("output_throughput", "output", "tok/s", true),
    INPUT("input_throughput", "input", "tok/s", true),
    MEDIAN_TTFT("median_ttft_ms", "TTFT median", "ms", false),
    P99_TTFT("p99_ttft_ms", "TTFT p99", "ms", false),
    MEDIAN_TPOT("median_tpot_ms", "TPOT median", "ms", false),
    P99_ITL("p99_itl_ms", "ITL p99", "ms", false),
    MEDIAN_E2E("median_e2e_latency_ms", "E2E median", "ms", false),
    HIT_RATE("hit_rate", "hit rate", "", true);

    private final String key;
    private final String title;
    private final String unit;
    private final boolean isMoreBetter;

    Metric(String key, String title, String unit, boolean isMoreBetter) {
        this.key = key;
        this.title = title;
        this.unit = unit;
        this.isMoreBetter = isMoreBetter;
    }

    public String key() {
        return key;
    }

    public String title() {
        return title;
    }

    /** Empty if it has none. */
    public String unit() {
        return unit;
    }

    /** How much better ours is: above 1 is better, whatever the metric; NaN if one is unknown or nothing. */
    public double advantage(double ours, double theirs) {
        double ratio = isMoreBetter ? ours / theirs : theirs / ours;
        return ratio > 0 && ratio < Double.POSITIVE_INFINITY ? ratio : Double.NaN;
    }

    /** What a round is about: the time per token where all requests decode together, else the time for all. */
    public static Metric headline(String roundName) {
        return roundName.endsWith("-steady") ? MEDIAN_TPOT : DURATION;
    }
}
