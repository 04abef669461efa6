package io.radixflow.job.report;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The content of a result file: figures of one engine on one workload file. Ours have all of it, those of other engines what was published.
 *
 * @param engine what was measured
 * @param workload name of the workload file
 * @param date ISO 8601
 * @param command that gives these figures, empty if unknown
 * @param machine that it ran on, empty if unknown
 * @param options that the engine was given
 * @param items in the order of the workload
 */
public record BenchReport(
        Subject engine,
        String workload,
        String date,
        String command,
        String machine,
        Map<String, String> options,
        List<Item> items) {

    public BenchReport {
        options = Map.copyOf(options);
        items = List.copyOf(items);
    }

    /**
     * What was measured.
     *
     * @param name of the engine
     * @param version of it
     * @param model that it ran
     * @param device that it ran on
     * @param isSimulated whether the figures are a time model's; shown with every figure
     */
    public record Subject(String name, String version, String model, String device, boolean isSimulated) {

        /** Short and unmistakable. */
        public String label() {
            return name + " " + version + (isSimulated ? " (simulated)" : "");
        }
    }

    /**
     * Figures of one round.
     *
     * @param name of the round, equal in all results of a workload
     * @param title for people
     * @param median of the repeats, by key
     * @param repeats each by key; empty if unknown
     * @param curves of the first repeat, or null if unknown
     */
    public record Item(
            String name,
            String title,
            Map<String, Double> median,
            List<Map<String, Double>> repeats,
            @Nullable Curves curves) {

        /** The median of a metric, or NaN if unknown. */
        public double value(Metric metric) {
            Double value = median.get(metric.key());
            return value == null ? Double.NaN : value;
        }

        public double value(String key) {
            Double value = median.get(key);
            return value == null ? Double.NaN : value;
        }
    }

    /**
     * What is plotted of a round.
     *
     * @param percentiles the 0th to the 100th of each latency in ms, by its name; those without values are left out
     * @param seconds duration
     * @param outputRates generated tokens a second in equal parts of the duration
     * @param promptRates computed prompt tokens a second in the same parts
     */
    public record Curves(
            Map<String, double[]> percentiles, double seconds, double[] outputRates, double[] promptRates) {}

    /** The round of that name, or null. */
    public @Nullable Item item(String name) {
        for (Item item : items) {
            if (item.name().equals(name)) {
                return item;
            }
        }
        return null;
    }
}
