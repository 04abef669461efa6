package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;
import io.radixflow.job.pipeline.LabelPlan;
import io.radixflow.job.report.BenchReport;
import io.radixflow.job.report.RunReport;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/** The report of a labelling run. */
final class LabelReport {

    private static final int MAX_NAMED_FILES = 3;

    private LabelReport() {}

    static RunReport of(
            CommandSpec spec,
            LabelPlan plan,
            EngineConfig engine,
            LabelCounts counts,
            double seconds,
            LabelSampler sampler) {
        Map<String, Double> totals = new LinkedHashMap<>();
        totals.put(RunReport.ROWS_ANSWERED, (double) counts.answers());
        totals.put(RunReport.DEAD_LETTERS, (double) counts.deadLetters());
        totals.put(RunReport.ROWS_BEFORE, (double) (counts.rows() - counts.rowsSinceStart()));
        totals.put(RunReport.PROMPT_TOKENS, (double) counts.promptTokens());
        totals.put(RunReport.CACHED_TOKENS, (double) counts.cachedTokens());
        totals.put(RunReport.GENERATED_TOKENS, (double) counts.generatedTokens());
        totals.put(RunReport.SECONDS, seconds);
        totals.put(RunReport.THROUGHPUT, counts.generatedSinceStart() / seconds);
        totals.put(RunReport.HIT_RATE, counts.hitRate());
        return new RunReport(
                subject(engine),
                title(plan.inputs()),
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                "scripts/radixflow "
                        + String.join(" ", spec.commandLine().getParseResult().originalArgs()),
                BenchCommand.machine(),
                engine.asMap(),
                totals,
                counts.errors(),
                sampler.series(),
                sampler.quantiles());
    }

    private static String title(List<String> inputs) {
        List<String> names = inputs.stream()
                .limit(MAX_NAMED_FILES)
                .map(input -> input.substring(input.lastIndexOf('/') + 1))
                .toList();
        int others = inputs.size() - names.size();
        return String.join(", ", names) + (others > 0 ? " and " + others + " more" : "");
    }

    private static BenchReport.Subject subject(EngineConfig engine) {
        String model = engine.find(EngineOptions.SERVED_MODEL_NAME)
                .orElseGet(() -> String.valueOf(
                        Path.of(engine.get(EngineOptions.MODEL_PATH)).getFileName()));
        boolean isSimulated = EngineFlags.isSimulated(engine);
        String device = engine.get(EngineOptions.DEVICE)
                + (isSimulated
                        ? ", " + Path.of(engine.get(EngineOptions.TIME_MODEL)).getFileName()
                        : "");
        return new BenchReport.Subject("Radixflow", Version.number(), model, device, isSimulated);
    }
}
