package io.radixflow.job.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A report as one page that needs nothing else: style and plots (inline SVG) are in it; readable in light and in dark. */
public final class ReportHtml {

    /** Colours of ours and of the results beside it. */
    private static final int NUM_COLOURS = 5;

    private final BenchReport report;
    private final List<BenchReport> peers;
    private final StringBuilder html = new StringBuilder();

    private ReportHtml(BenchReport report, List<BenchReport> peers) {
        this.report = report;
        this.peers = peers;
    }

    public static String page(BenchReport report, List<BenchReport> peers) {
        ReportHtml page = new ReportHtml(report, peers);
        page.head();
        page.overview();
        page.table();
        page.rounds();
        page.foot();
        return page.html.toString();
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private void head() {
        BenchReport.Subject engine = report.engine();
        html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
                .append(escaped(engine.label() + ": " + engine.model() + " on " + report.workload()))
                .append("</title>\n<style>\n")
                .append(ReportStyle.CSS)
                .append("</style></head><body><main>\n<header><h1>")
                .append(escaped(engine.model()))
                .append(" <span class=\"soft\">on workload ")
                .append(escaped(report.workload()))
                .append("</span></h1>\n");
        if (engine.isSimulated()) {
            html.append(
                            "<p class=\"warning\"><b>Simulated.</b> No device was measured: times come from a model of one,")
                    .append(
                            " tokens are hashes. Only what the scheduler and the prefix cache did is real; an advantage over others is the model's.</p>\n");
        }
        html.append("<dl>");
        fact("engine", engine.label());
        fact("device", engine.device());
        if (!report.machine().isEmpty()) {
            fact("machine", report.machine());
        }
        fact("date", report.date());
        if (!report.command().isEmpty()) {
            html.append("<dt>command</dt><dd><code>")
                    .append(escaped(report.command()))
                    .append("</code></dd>");
        }
        html.append("</dl>\n");
        legend();
        html.append("</header>\n");
    }

    private void fact(String name, String value) {
        html.append("<dt>")
                .append(name)
                .append("</dt><dd>")
                .append(escaped(value))
                .append("</dd>");
    }

    private void legend() {
        if (peers.isEmpty()) {
            return;
        }
        html.append("<p class=\"legend\">");
        for (int i = 0; i <= peers.size(); i++) {
            BenchReport.Subject subject = (i == 0 ? report : peers.get(i - 1)).engine();
            html.append("<span><i class=\"").append(colour(i)).append("\"></i>").append(escaped(subject.label()));
            if (i > 0) {
                html.append(" <span class=\"soft\">")
                        .append(escaped(subject.device()))
                        .append("</span>");
            }
            html.append("</span>");
        }
        html.append("</p>\n");
    }

    static String colour(int series) {
        return "c" + series % NUM_COLOURS;
    }

    private void overview() {
        html.append("<section><h2>")
                .append(peers.isEmpty() ? "Throughput" : "Beside the others")
                .append("</h2>\n");
        if (peers.isEmpty()) {
            html.append("<p class=\"soft\">")
                    .append(simulated())
                    .append("Generated tokens a second; of prefill rounds, prompt tokens.</p>\n");
        } else {
            html.append("<p class=\"soft\">")
                    .append(simulated())
                    .append(
                            "Time per output token where all requests decode together, else the time for the whole round;")
                    .append(" shorter is better. The number at the right is the other's time divided by ours.</p>\n");
        }
        html.append("<div class=\"bars\">");
        for (BenchReport.Item item : report.items()) {
            Metric metric = peers.isEmpty()
                    ? item.value(Metric.MEDIAN_TPOT) > 0 ? Metric.OUTPUT : Metric.INPUT
                    : Metric.headline(item.name());
            html.append(BarPlot.svg(item.title(), metric, bars(item, metric)));
        }
        html.append("</div></section>\n");
    }

    private String simulated() {
        return report.engine().isSimulated() ? "<b class=\"mark\">simulated</b> " : "";
    }

    private List<BarPlot.Bar> bars(BenchReport.Item item, Metric metric) {
        List<BarPlot.Bar> bars = new ArrayList<>();
        double ours = item.value(metric);
        bars.add(new BarPlot.Bar(report.engine().label(), ours, colour(0), ""));
        for (int i = 0; i < peers.size(); i++) {
            BenchReport.Item other = peers.get(i).item(item.name());
            if (other != null && !Double.isNaN(other.value(metric))) {
                String note = Figures.ratio(metric.advantage(ours, other.value(metric)));
                bars.add(new BarPlot.Bar(peers.get(i).engine().label(), other.value(metric), colour(i + 1), note));
            }
        }
        return bars;
    }

    private void table() {
        html.append("<section><h2>Figures</h2><p class=\"soft\">")
                .append(simulated())
                .append(
                        "Medians of the repeats. Beside a figure of another engine: how much better ours is, above 1 is better.</p>\n")
                .append("<div class=\"wide\"><table><thead><tr><th>round</th>");
        for (Metric metric : Metric.values()) {
            html.append("<th>").append(metric.title()).append(unit(metric)).append("</th>");
        }
        html.append("<th>prefill tokens<br><span class=\"soft\">× least possible</span></th></tr></thead><tbody>\n");
        for (BenchReport.Item item : report.items()) {
            html.append("<tr class=\"own\"><th>")
                    .append(escaped(item.title()))
                    .append(simulatedNote())
                    .append("</th>");
            for (Metric metric : Metric.values()) {
                html.append("<td>")
                        .append(Figures.of(metric, item.value(metric)))
                        .append("</td>");
            }
            html.append("<td>").append(prefill(item)).append("</td></tr>\n");
            for (int i = 0; i < peers.size(); i++) {
                BenchReport.Item other = peers.get(i).item(item.name());
                if (other != null) {
                    peerRow(item, other, i);
                }
            }
        }
        html.append("</tbody></table></div></section>\n");
    }

    private static String unit(Metric metric) {
        return metric.unit().isEmpty() ? "" : "<br><span class=\"soft\">" + metric.unit() + "</span>";
    }

    private String simulatedNote() {
        return report.engine().isSimulated() ? " <span class=\"mark\">simulated</span>" : "";
    }

    /** Tokens computed in prefill, and how many times the least possible that is. */
    private static String prefill(BenchReport.Item item) {
        double optimum = item.value("optimal_prefill_tokens");
        String text = Figures.number(item.value("prefill_tokens"));
        return Double.isNaN(optimum)
                ? text
                : text + " <span class=\"soft\">"
                        + String.format(Locale.ROOT, "%.3f×", item.value("prefill_tokens") / optimum) + "</span>";
    }

    private void peerRow(BenchReport.Item ours, BenchReport.Item other, int peer) {
        html.append("<tr class=\"peer\"><th><i class=\"")
                .append(colour(peer + 1))
                .append("\"></i>")
                .append(escaped(peers.get(peer).engine().label()))
                .append("</th>");
        for (Metric metric : Metric.values()) {
            double theirs = other.value(metric);
            html.append("<td>");
            if (!Double.isNaN(theirs)) {
                double advantage = metric.advantage(ours.value(metric), theirs);
                html.append(Figures.of(metric, theirs));
                if (!Double.isNaN(advantage)) {
                    String kind = advantage >= 1.03 ? "better" : advantage <= 0.97 ? "worse" : "soft";
                    html.append(" <span class=\"")
                            .append(kind)
                            .append("\">")
                            .append(Figures.ratio(advantage))
                            .append("</span>");
                }
            }
            html.append("</td>");
        }
        html.append("<td></td></tr>\n");
    }

    private void rounds() {
        html.append("<section><h2>Round by round</h2><p class=\"soft\">")
                .append(simulated())
                .append(
                        "Of the first repeat. Left: tokens generated, and tokens computed in prefill, a second. Right: latency by percentile of the requests,")
                .append(" of ITL by percentile of the tokens.</p>\n<div class=\"cards\">");
        for (BenchReport.Item item : report.items()) {
            BenchReport.Curves curves = item.curves();
            if (curves == null) {
                continue;
            }
            html.append("<article><h3>")
                    .append(escaped(item.title()))
                    .append(simulatedNote())
                    .append("</h3><p class=\"soft\">")
                    .append(Figures.number(item.value("completed")))
                    .append(" completed, ")
                    .append(Figures.number(item.value("total_input_tokens")))
                    .append(" prompt tokens (")
                    .append(Figures.share(item.value(Metric.HIT_RATE)))
                    .append(" cached), ")
                    .append(Figures.number(item.value("total_output_tokens")))
                    .append(" generated in ")
                    .append(Figures.number(item.value("steps")))
                    .append(" steps, ")
                    .append(Figures.number(item.value(Metric.DURATION)))
                    .append(" s</p><div class=\"pair\">");
            html.append("<div>")
                    .append(LinePlot.overTime("generated", 0, curves.outputRates(), curves.seconds()))
                    .append(LinePlot.overTime("prefill", 1, curves.promptRates(), curves.seconds()))
                    .append("</div>");
            html.append(LinePlot.percentiles(curves.percentiles()));
            html.append("</div></article>\n");
        }
        html.append("</div></section>\n");
    }

    private void foot() {
        html.append(
                        "<footer class=\"soft\">TTFT: submission to first token, waiting included. TPOT: (last token &minus; first token) /")
                .append(
                        " (output &minus; 1) of a request. ITL: between two tokens of a request. E2E: submission to last token. Hit rate:")
                .append(
                        " prompt tokens from the prefix cache over all prompt tokens. Prefill tokens include what was computed again after")
                .append(
                        " retractions; the least possible is each token of the trie of all prompts once.</footer>\n</main></body></html>\n");
    }
}
