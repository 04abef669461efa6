package io.radixflow.job.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What got slower since a kept result of our own. Times count as they are, rates by the time that one token takes, so that a tolerance means the
 * same for both. A 99th percentile is shown but not judged: one slow step decides it.
 *
 * @param all figures that are worse than those kept, in the order of the run
 * @param tolerance share by which a time may have grown
 * @param numCompared figures that both results have
 * @param notRun items of the kept result that the run left out
 */
public record Slowdowns(List<Slowdown> all, double tolerance, int numCompared, List<String> notRun) {

    /**
     * A figure that is worse than before.
     *
     * @param item that it is of
     * @param metric which, in {@link Metric#unit}
     * @param before what was kept
     * @param now what was measured
     */
    public record Slowdown(String item, Metric metric, double before, double now) {

        /** By what share of the time before it takes longer now; above 0. */
        double share() {
            return 1 / metric.advantage(now, before) - 1;
        }

        boolean isJudged() {
            return metric != Metric.P99_TTFT && metric != Metric.P99_ITL;
        }
    }

    public Slowdowns {
        all = List.copyOf(all);
        notRun = List.copyOf(notRun);
    }

    /** Compares what both have; see {@link #mismatch} for whether that says anything. */
    public static Slowdowns of(BenchReport report, BenchReport kept, double tolerance) {
        List<Slowdown> all = new ArrayList<>();
        int numCompared = 0;
        for (BenchReport.Item item : report.items()) {
            BenchReport.Item before = kept.item(item.name());
            for (Metric metric : Metric.values()) {
                if (before == null || metric == Metric.HIT_RATE) {
                    continue;
                }
                double old = ReportFile.rounded(before.value(metric)); // both to the file's digits
                double now = ReportFile.rounded(item.value(metric));
                double advantage = metric.advantage(now, old);
                numCompared += Double.isNaN(advantage) ? 0 : 1;
                if (advantage < 1) {
                    all.add(new Slowdown(item.name(), metric, old, now));
                }
            }
        }
        List<String> notRun = kept.items().stream()
                .map(BenchReport.Item::name)
                .filter(name -> report.item(name) == null)
                .toList();
        return new Slowdowns(all, tolerance, numCompared, notRun);
    }

    /** The first field in which two results differ so that times can't be compared, for people; null if there is none. */
    public static @Nullable String mismatch(BenchReport.Subject engine, String workload, BenchReport kept) {
        BenchReport.Subject before = kept.engine();
        if (engine.isSimulated() != before.isSimulated()) {
            return "its 'engine.simulated' is " + before.isSimulated() + ", this run's is " + engine.isSimulated();
        }
        String field = differing("engine.model", before.model(), engine.model());
        field = field == null ? differing("engine.device", before.device(), engine.device()) : field;
        return field == null ? differing("workload", kept.workload(), workload) : field;
    }

    private static @Nullable String differing(String field, String before, String now) {
        return Objects.equals(before, now)
                ? null
                : "its '" + field + "' is '" + before + "', this run's is '" + now + "'";
    }

    /** Whether a judged figure is worse by more than the tolerance. */
    public boolean isBeyondTolerance() {
        return all.stream().anyMatch(this::isBeyond);
    }

    private boolean isBeyond(Slowdown slowdown) {
        return slowdown.isJudged() && slowdown.share() > tolerance;
    }

    /** For the terminal: what got slower, by the file's name. */
    public List<String> lines(String file) {
        String allowed = String.format(Locale.ROOT, "%.3g %%", 100 * tolerance);
        List<String> lines = new ArrayList<>();
        lines.add("Against " + file + ", tolerance " + allowed + ":");
        if (!all.isEmpty()) {
            lines.add(row("what got slower", "figure", "before", "now", "ratio", ""));
        }
        for (Slowdown slowdown : all) {
            Metric metric = slowdown.metric();
            lines.add(row(
                    slowdown.item(),
                    metric.title() + ", " + metric.unit(),
                    Figures.of(metric, slowdown.before()),
                    Figures.of(metric, slowdown.now()),
                    String.format(Locale.ROOT, "%.3f", slowdown.now() / slowdown.before()),
                    isBeyond(slowdown) ? "SLOWER" : slowdown.isJudged() ? "" : "(not judged)"));
        }
        if (!notRun.isEmpty()) {
            lines.add("not run, so not compared: " + notRun.stream().collect(Collectors.joining(", ")));
        }
        lines.add(all.stream().filter(this::isBeyond).count() + " of " + numCompared
                + " figures got slower by more than " + allowed);
        return lines;
    }

    private static String row(String... cells) {
        return String.format(Locale.ROOT, "  %-30s %-18s %10s %10s %8s  %s", (Object[]) cells)
                .stripTrailing();
    }
}
