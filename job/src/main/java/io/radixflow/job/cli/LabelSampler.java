package io.radixflow.job.cli;

import io.radixflow.job.cluster.EngineFigures;
import io.radixflow.job.cluster.FlinkRest;
import io.radixflow.job.report.RunReport;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the engines' metrics now and then, for the report. It keeps a bounded number of looks: when they are too many, every
 * second one goes and the time between them doubles.
 */
final class LabelSampler {

    private static final int MAX_LOOKS = 600;
    private static final Map<String, String> LATENCIES = latencies();

    private final FlinkRest rest;
    private final String jobId;
    private final long startNanos = System.nanoTime();
    private final double[][] columns = new double[6][MAX_LOOKS];
    private int numLooks;
    private long everyNanos = TimeUnit.SECONDS.toNanos(2);
    private long lastNanos = startNanos;
    private @Nullable EngineFigures last;
    private final Map<String, double[]> quantiles = new LinkedHashMap<>();

    LabelSampler(String dashboard, String jobId) {
        rest = new FlinkRest(dashboard);
        this.jobId = jobId;
    }

    private static Map<String, String> latencies() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("queue", "queue_time_seconds");
        names.put("TTFT", "time_to_first_token_seconds");
        names.put("ITL", "inter_token_latency_seconds");
        names.put("E2E", "e2e_request_latency_seconds");
        return names;
    }

    /** Looks if it is time to. A look that fails is left out: the job may just be starting or ending. */
    void look() throws InterruptedException {
        long now = System.nanoTime();
        if (now - lastNanos < everyNanos) {
            return;
        }
        try {
            EngineFigures figures = EngineFigures.read(rest, jobId);
            if (figures.names().contains("num_running_reqs")) {
                add(figures, now);
            }
        } catch (IOException e) {
            return;
        }
    }

    private void add(EngineFigures now, long nanos) {
        EngineFigures before = last;
        double seconds = (nanos - lastNanos) / 1e9;
        last = now;
        lastNanos = nanos;
        if (before == null) {
            return; // rates need two
        }
        if (numLooks == MAX_LOOKS) {
            thinOut();
        }
        long prompt = now.sum("prompt_tokens_total");
        long cached = now.sum("cached_tokens_total");
        double computed = prompt - cached - before.sum("prompt_tokens_total") + before.sum("cached_tokens_total");
        double generated = now.sum("generation_tokens_total") - (double) before.sum("generation_tokens_total");
        double[] values = {
            (nanos - startNanos) / 1e9,
            Math.max(0, generated) / seconds,
            Math.max(0, computed) / seconds,
            now.sum("num_running_reqs"),
            now.sum("num_queue_reqs"),
            prompt == 0 ? 0 : (double) cached / prompt
        };
        for (int i = 0; i < values.length; i++) {
            columns[i][numLooks] = values[i];
        }
        numLooks++;
        LATENCIES.forEach((name, metric) -> keep(name, metric, now));
    }

    private void keep(String name, String metric, EngineFigures now) {
        double[] values = new double[RunReport.QUANTILES.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = now.max(metric + "_" + RunReport.QUANTILES.get(i));
        }
        if (values[0] > 0 || quantiles.containsKey(name)) {
            quantiles.put(name, values);
        }
    }

    private void thinOut() {
        for (double[] column : columns) {
            for (int i = 0; i < MAX_LOOKS / 2; i++) {
                column[i] = column[2 * i + 1];
            }
        }
        numLooks /= 2;
        everyNanos *= 2;
    }

    RunReport.Series series() {
        return new RunReport.Series(column(0), column(1), column(2), column(3), column(4), column(5));
    }

    private double[] column(int index) {
        return Arrays.copyOf(columns[index], numLooks);
    }

    Map<String, double[]> quantiles() {
        return quantiles;
    }
}
