package io.radixflow.job.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a run's report as JSON. */
public final class RunReportFile {

    static final String FORMAT = "radixflow-run/1";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private RunReportFile() {}

    public static void write(RunReport report, Path file) throws IOException {
        ObjectNode root = ReportFile.begin(FORMAT, report.engine());
        root.put("title", report.title());
        root.put("date", report.date());
        root.put("command", report.command());
        root.put("machine", report.machine());
        ReportFile.putOptions(root, report.options());
        ObjectNode totals = root.putObject("totals");
        report.totals().forEach((key, value) -> ReportFile.put(totals, key, value));
        ObjectNode errors = root.putObject("errors");
        report.errors().forEach(errors::put);
        ObjectNode latencies = root.putObject("latency_seconds");
        report.latencies().forEach((name, values) -> {
            ObjectNode quantiles = latencies.putObject(name);
            for (int i = 0; i < values.length; i++) {
                if (!Double.isNaN(values[i])) {
                    ReportFile.put(quantiles, RunReport.QUANTILES.get(i), values[i]);
                }
            }
        });
        RunReport.Series series = report.series();
        ObjectNode over = root.putObject("series");
        over.set("seconds", column(series.seconds()));
        over.set("generated_tokens_per_second", column(series.generated()));
        over.set("prefill_tokens_per_second", column(series.prefill()));
        over.set("num_running_reqs", column(series.running()));
        over.set("num_queue_reqs", column(series.queued()));
        over.set("hit_rate", column(series.hitRate()));
        Files.writeString(file, MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
    }

    private static ArrayNode column(double[] values) {
        ArrayNode node = MAPPER.createArrayNode();
        for (double value : values) {
            node.add(ReportFile.rounded(value));
        }
        return node;
    }
}
