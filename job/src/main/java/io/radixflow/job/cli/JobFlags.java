package io.radixflow.job.cli;

import io.radixflow.engine.EngineConfig;
import io.radixflow.job.UserException;
import io.radixflow.job.pipeline.JobEnvironment;
import io.radixflow.operators.PipelineOptions;
import io.radixflow.schemas.RecordFormat;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags of every command that runs a Flink job. */
final class JobFlags {

    @Option(
            names = "--parallelism",
            paramLabel = "N",
            defaultValue = "1",
            description = "Engines (default: ${DEFAULT-VALUE}); each holds the model's weights and a KV cache.")
    private int parallelism = 1;

    @Option(
            names = "--prefix-window-records",
            paramLabel = "N",
            defaultValue = "256",
            description = "Most records that are put into prefix order at once; 1 is off (default: ${DEFAULT-VALUE}).")
    private int prefixWindowRecords = 256;

    @Option(
            names = "--prefix-window-ms",
            paramLabel = "MS",
            defaultValue = "20",
            description = "Longest wait of a record for others to be ordered with (default: ${DEFAULT-VALUE}).")
    private long prefixWindowMillis = 20;

    @Option(
            names = "--request-timeout",
            paramLabel = "DURATION",
            description = "Longest time from admission to the answer; a later record is a dead letter (default: none).")
    private @Nullable Duration requestTimeout;

    @Option(
            names = "--checkpoint-interval",
            paramLabel = "DURATION",
            description = "Time between checkpoints, and so between commits (default: config.yaml's, or 10s).")
    private @Nullable Duration checkpointInterval;

    @Option(
            names = "--dashboard-port",
            paramLabel = "PORT",
            description = "Port of Flink's dashboard (default: 8081, or a free one if that is taken).")
    private @Nullable Integer dashboardPort;

    @Option(
            names = "--format",
            paramLabel = "json|avro|avro-confluent",
            defaultValue = "json",
            description = {
                "json: bodies and OpenAI Batch lines. avro: the binary encoding of PromptRecord in,",
                "of CompletionRecord out (schemas/src/main/avro). avro-confluent: the same in the Confluent wire",
                "format, with --schema-registry. Default: ${DEFAULT-VALUE}"
            })
    private String format = "json";

    @Option(names = "-D", paramLabel = "KEY=VALUE", description = "A Flink setting, before those of config.yaml.")
    private Map<String, String> dynamic = new LinkedHashMap<>();

    /** What config.yaml in FLINK_CONF_DIR, {@code -D} and these flags say together. */
    Configuration flink() {
        if (checkpointInterval == null) {
            return JobEnvironment.configuration(dynamic, Duration.ofSeconds(10));
        }
        if (checkpointInterval.compareTo(Duration.ofMillis(100)) < 0) {
            throw new UserException("--checkpoint-interval must be at least 100 ms, got " + checkpointInterval);
        }
        Map<String, String> given = new LinkedHashMap<>(dynamic);
        given.put(CheckpointingOptions.CHECKPOINTING_INTERVAL.key(), checkpointInterval.toMillis() + " ms");
        return JobEnvironment.configuration(given, checkpointInterval);
    }

    PipelineOptions pipeline(EngineConfig engine, RecordFormat records, boolean hasDeltaOutput) {
        try {
            return PipelineOptions.defaults()
                    .withEngineConfig(engine)
                    .withParallelism(parallelism)
                    .withPrefixWindow(prefixWindowRecords, Duration.ofMillis(prefixWindowMillis))
                    .withRequestTimeout(requestTimeout)
                    .withFormat(records)
                    .withDeltaOutput(hasDeltaOutput);
        } catch (IllegalArgumentException e) {
            throw new UserException("--" + e.getMessage(), e);
        }
    }

    /** @throws UserException if there is no such format */
    RecordFormat format() {
        return switch (format) {
            case "json" -> RecordFormat.JSON;
            case "avro" -> RecordFormat.AVRO;
            case "avro-confluent" -> RecordFormat.AVRO_CONFLUENT;
            default -> throw new UserException("--format takes json, avro or avro-confluent, got '" + format + "'");
        };
    }

    int parallelism() {
        return parallelism;
    }

    /** The dashboard's port; a default that is taken gives way to a free one, a chosen one does not. */
    int dashboardPort() {
        return Ports.choose(dashboardPort, 8081, "the dashboard", "--dashboard-port");
    }
}
