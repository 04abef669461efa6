package io.radixflow.job.report;

import java.util.LinkedHashMap;
import java.util.Map;

/** A run's report as one page that needs nothing else: style and plots (inline SVG) are in it; readable in light and in dark. */
public final class RunReportHtml {

    private static final double MILLIS = 1_000;

    private final RunReport report;
    private final StringBuilder html = new StringBuilder();

    private RunReportHtml(RunReport report) {
        this.report = report;
    }

    public static String page(RunReport report) {
        RunReportHtml page = new RunReportHtml(report);
        page.head();
        page.totals();
        page.errors();
        page.overTime();
        page.latencies();
        page.foot();
        return page.html.toString();
    }

    private void head() {
        BenchReport.Subject engine = report.engine();
        html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
                .append(ReportHtml.escaped(engine.label() + ": " + report.title()))
                .append("</title>\n<style>\n")
                .append(ReportStyle.CSS)
                .append("</style></head><body><main>\n<header><h1>")
                .append(ReportHtml.escaped(report.title()))
                .append(" <span class=\"soft\">labelled by ")
                .append(ReportHtml.escaped(engine.model()))
                .append("</span></h1>\n");
        if (engine.isSimulated()) {
            html.append(
                            "<p class=\"warning\"><b>Simulated.</b> No device was measured: times come from a model of one,")
                    .append(" tokens are hashes.</p>\n");
        }
        html.append("<dl>");
        fact("engine", engine.label());
        fact("device", engine.device());
        fact("machine", report.machine());
        fact("date", report.date());
        html.append("<dt>command</dt><dd><code>")
                .append(ReportHtml.escaped(report.command()))
                .append("</code></dd></dl></header>\n");
    }

    private void fact(String name, String value) {
        html.append("<dt>")
                .append(name)
                .append("</dt><dd>")
                .append(ReportHtml.escaped(value))
                .append("</dd>");
    }

    private void totals() {
        html.append("<section><h2>What came out</h2>");
        simulated("Times and rates.");
        html.append("<div class=\"tiles\">");
        tile("rows answered", Figures.number(report.total(RunReport.ROWS_ANSWERED)));
        tile("dead letters", Figures.number(report.total(RunReport.DEAD_LETTERS)));
        if (report.total(RunReport.ROWS_BEFORE) > 0) {
            tile("of these, before the restart", Figures.number(report.total(RunReport.ROWS_BEFORE)));
        }
        tile("prompt tokens", Figures.number(report.total(RunReport.PROMPT_TOKENS)));
        tile("of these, from the prefix cache", Figures.share(report.total(RunReport.HIT_RATE)));
        tile("generated tokens", Figures.number(report.total(RunReport.GENERATED_TOKENS)));
        tile("generated tok/s", Figures.number(report.total(RunReport.THROUGHPUT)));
        tile("seconds", Figures.number(report.total(RunReport.SECONDS)));
        html.append("</div></section>\n");
    }

    private void tile(String name, String value) {
        html.append("<div><b>")
                .append(value)
                .append("</b><span class=\"soft\">")
                .append(name)
                .append("</span></div>");
    }

    private void simulated(String what) {
        if (report.engine().isSimulated()) {
            html.append("<p class=\"soft\"><b class=\"mark\">simulated</b> ")
                    .append(what)
                    .append("</p>");
        }
    }

    private void errors() {
        if (report.errors().isEmpty()) {
            return;
        }
        html.append(
                "<section><h2>Dead letters</h2><table class=\"small\"><thead><tr><th>code</th><th>rows</th></tr></thead><tbody>");
        report.errors()
                .forEach((code, rows) -> html.append("<tr><th>")
                        .append(ReportHtml.escaped(code))
                        .append("</th><td>")
                        .append(Figures.number(rows))
                        .append("</td></tr>"));
        html.append("</tbody></table></section>\n");
    }

    private void overTime() {
        RunReport.Series series = report.series();
        if (series.seconds().length < 2) {
            return;
        }
        html.append("<section><h2>Over time</h2>");
        simulated("Rates and queues.");
        html.append("<article><div class=\"pair\">");
        double duration = series.duration();
        html.append(LinePlot.overTime(new LinePlot.Named("generated", "tok/s", 0), series.generated(), duration))
                .append(LinePlot.overTime(new LinePlot.Named("prefill", "tok/s", 1), series.prefill(), duration))
                .append(LinePlot.overTime(new LinePlot.Named("running", "requests", 2), series.running(), duration))
                .append(LinePlot.overTime(new LinePlot.Named("queued", "requests", 3), series.queued(), duration))
                .append(LinePlot.overTime(new LinePlot.Named("hit rate", "%", 4), percent(series.hitRate()), duration));
        html.append("</div></article></section>\n");
    }

    private static double[] percent(double[] shares) {
        double[] percent = new double[shares.length];
        for (int i = 0; i < shares.length; i++) {
            percent[i] = 100 * shares[i];
        }
        return percent;
    }

    private void latencies() {
        if (report.latencies().isEmpty()) {
            return;
        }
        html.append("<section><h2>Latency</h2>");
        simulated("In ms.");
        html.append("<article><div class=\"pair\">")
                .append(LinePlot.quantiles(inMillis(), RunReport.QUANTILES))
                .append("<div class=\"wide\"><table><thead><tr><th>ms</th>");
        RunReport.QUANTILES.forEach(
                quantile -> html.append("<th>").append(quantile).append("</th>"));
        html.append("</tr></thead><tbody>");
        inMillis().forEach((name, values) -> {
            html.append("<tr class=\"own\"><th>")
                    .append(ReportHtml.escaped(name))
                    .append("</th>");
            for (double value : values) {
                html.append("<td>").append(Figures.number(value)).append("</td>");
            }
            html.append("</tr>");
        });
        html.append("</tbody></table></div></div></article></section>\n");
    }

    private Map<String, double[]> inMillis() {
        Map<String, double[]> millis = new LinkedHashMap<>();
        report.latencies().forEach((name, seconds) -> {
            double[] values = new double[seconds.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = MILLIS * seconds[i];
            }
            millis.put(name, values);
        });
        return millis;
    }

    private void foot() {
        html.append(
                        "<footer class=\"soft\">Figures are those of this run; rows that earlier runs answered are not in them. Queue:")
                .append(
                        " admission to the first step. TTFT: admission to the first token. ITL: between two tokens of a request.")
                .append(
                        " E2E: admission to the last token; each of the last 1,000 requests (of ITL: tokens) at the run's end, the largest of")
                .append(
                        " the engines'. Hit rate: prompt tokens from the prefix cache over all prompt tokens.</footer>\n</main></body></html>\n");
    }
}
