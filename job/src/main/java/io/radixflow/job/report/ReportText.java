package io.radixflow.job.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A report for the terminal: a line a round, and one for each result beside it. */
public final class ReportText {

    private static final int NAME_WIDTH = 30;

    private ReportText() {}

    public static List<String> lines(BenchReport report, List<BenchReport> peers) {
        List<String> lines = new ArrayList<>();
        BenchReport.Subject engine = report.engine();
        String label = engine.isSimulated() ? "SIMULATED, no measurement: " : "";
        lines.add(label + engine.model() + " on " + engine.device());
        lines.add("");
        lines.add(row("", "duration", "output", "input", "TTFT", "TTFT", "TPOT", "ITL", "E2E", "hit rate"));
        lines.add(row(
                "round" + (engine.isSimulated() ? " (simulated)" : ""),
                "s",
                "tok/s",
                "tok/s",
                "median ms",
                "p99 ms",
                "med. ms",
                "p99 ms",
                "median ms",
                ""));
        for (BenchReport.Item item : report.items()) {
            lines.add(row(item.name(), cells(item)));
            addPrefix(lines, item);
            for (BenchReport peer : peers) {
                BenchReport.Item other = peer.item(item.name());
                if (other != null) {
                    lines.add(row("  " + peer.engine().label(), cells(other)));
                    lines.add(row(
                            engine.isSimulated() ? "    advantage, simulated" : "    advantage of ours",
                            advantages(item, other)));
                }
            }
        }
        if (!peers.isEmpty()) {
            lines.add("");
            lines.add("An advantage above 1 says that ours is better, whatever the figure."
                    + (engine.isSimulated() ? " Here it is the time model's, not that of a measured engine." : ""));
        }
        return lines;
    }

    /** What the prefix cache was asked for and what it did, where it could do something. */
    private static void addPrefix(List<String> lines, BenchReport.Item item) {
        double optimum = item.value("optimal_prefill_tokens");
        double prefill = item.value("prefill_tokens");
        if (!Double.isNaN(optimum) && optimum < 0.99 * item.value("total_input_tokens")) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  prefill tokens %,.0f of %,.0f, %.3f × the least possible; %,.0f steps",
                    prefill,
                    item.value("total_input_tokens"),
                    prefill / optimum,
                    item.value("steps")));
        }
    }

    private static String[] cells(BenchReport.Item item) {
        Metric[] metrics = Metric.values();
        String[] cells = new String[metrics.length];
        for (int i = 0; i < metrics.length; i++) {
            cells[i] = Figures.of(metrics[i], item.value(metrics[i]));
        }
        return cells;
    }

    private static String[] advantages(BenchReport.Item ours, BenchReport.Item theirs) {
        Metric[] metrics = Metric.values();
        String[] cells = new String[metrics.length];
        for (int i = 0; i < metrics.length; i++) {
            cells[i] = Figures.ratio(metrics[i].advantage(ours.value(metrics[i]), theirs.value(metrics[i])));
        }
        return cells;
    }

    private static String row(String name, String... cells) {
        Object[] all = new Object[1 + cells.length];
        all[0] = name.length() > NAME_WIDTH ? name.substring(0, NAME_WIDTH) : name;
        System.arraycopy(cells, 0, all, 1, cells.length);
        return String.format(Locale.ROOT, "%-30s %9s %9s %10s %9s %9s %8s %8s %9s %8s", all)
                .stripTrailing();
    }
}
