package io.radixflow.operators;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import io.radixflow.engine.JsonStyle;
import io.radixflow.grammar.GrammarCompiler;
import io.radixflow.grammar.GrammarException;
import io.radixflow.schemas.RecordFormat;
import io.radixflow.schemas.RegistryAccess;
import io.radixflow.text.ReasoningFormat;
import java.io.Serializable;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Settings of the pipeline around the engines.
 *
 * @param parallelism engines: subtasks of the inference operator
 * @param prefixWindowRecords most records that prefix grouping sorts at once; 1 is off
 * @param prefixWindow longest time that a record waits for others to be sorted with; zero is off
 * @param requestTimeout most time from admission to the answer, or null; time while the job is down doesn't count
 * @param hasDeltaOutput whether anybody reads the token deltas of requests with {@code stream: true}
 * @param streamInterval tokens between two chunks of a request
 * @param randomSeed mixed into the seeds of requests that name none
 * @param admission how much is taken in beyond what runs
 * @param format of the records
 * @param registry of the writers' schemas, for the format that has one, else null
 * @param reasoning how a thinking model's reasoning is told from its content, or null for not at all
 * @param json how constrained answers write JSON
 * @param rebuilds how often an engine that failed is replaced before the task fails
 */
public record PipelineOptions(
        int parallelism,
        int prefixWindowRecords,
        Duration prefixWindow,
        @Nullable Duration requestTimeout,
        boolean hasDeltaOutput,
        int streamInterval,
        long randomSeed,
        AdmissionLimits admission,
        RecordFormat format,
        @Nullable RegistryAccess registry,
        @Nullable ReasoningFormat reasoning,
        JsonStyle json,
        RebuildLimit rebuilds)
        implements Serializable {

    public PipelineOptions {
        checkAtLeastOne("parallelism", parallelism);
        checkAtLeastOne("prefix-window-records", prefixWindowRecords);
        checkAtLeastOne("stream-interval", streamInterval);
        if (prefixWindow.isNegative()) {
            throw new IllegalArgumentException("prefix-window-ms must be 0 or more, got " + prefixWindow.toMillis());
        }
        if (requestTimeout != null && (requestTimeout.isNegative() || requestTimeout.isZero())) {
            throw new IllegalArgumentException("request-timeout must be above 0, got " + requestTimeout);
        }
    }

    /** One engine, windows of 256 records or 20 ms, no timeout, deltas on, JSON. */
    public static PipelineOptions defaults() {
        return new PipelineOptions(
                1,
                256,
                Duration.ofMillis(20),
                null,
                true,
                1,
                0,
                AdmissionLimits.DEFAULT,
                RecordFormat.JSON,
                null,
                null,
                JsonStyle.DEFAULT,
                rebuilds(EngineConfig.of(Map.of())));
    }

    /** Takes over what the engine's options say: stream interval, random seed, reasoning parser, style of JSON, rebuilds. */
    public PipelineOptions withEngineConfig(EngineConfig config) {
        return new PipelineOptions(
                parallelism,
                prefixWindowRecords,
                prefixWindow,
                requestTimeout,
                hasDeltaOutput,
                config.get(EngineOptions.STREAM_INTERVAL),
                config.get(EngineOptions.RANDOM_SEED),
                admission,
                format,
                registry,
                config.find(EngineOptions.REASONING_PARSER)
                        .map(ReasoningFormat::of)
                        .orElse(null),
                jsonStyle(config),
                rebuilds(config));
    }

    /**
     * How constrained JSON is spelled.
     *
     * @throws EngineException if the pattern of its white space isn't one
     */
    public static JsonStyle jsonStyle(EngineConfig config) {
        JsonStyle style = JsonStyle.of(config);
        try {
            GrammarCompiler.check(style);
        } catch (GrammarException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "--" + EngineOptions.CONSTRAINED_JSON_WHITESPACE_PATTERN.name() + ": " + e.getMessage(),
                    e);
        }
        return style;
    }

    private static RebuildLimit rebuilds(EngineConfig config) {
        return new RebuildLimit(
                config.get(EngineOptions.MAX_ENGINE_REBUILDS),
                Duration.ofSeconds(config.get(EngineOptions.ENGINE_REBUILD_WINDOW)));
    }

    public PipelineOptions withParallelism(int value) {
        return with(value, prefixWindowRecords, prefixWindow, requestTimeout, hasDeltaOutput, admission, format);
    }

    /** Sorts at most so many records at once and lets none wait longer than the window. */
    public PipelineOptions withPrefixWindow(int records, Duration window) {
        return with(parallelism, records, window, requestTimeout, hasDeltaOutput, admission, format);
    }

    public PipelineOptions withRequestTimeout(@Nullable Duration value) {
        return with(parallelism, prefixWindowRecords, prefixWindow, value, hasDeltaOutput, admission, format);
    }

    public PipelineOptions withDeltaOutput(boolean value) {
        return with(parallelism, prefixWindowRecords, prefixWindow, requestTimeout, value, admission, format);
    }

    public PipelineOptions withAdmission(AdmissionLimits value) {
        return with(parallelism, prefixWindowRecords, prefixWindow, requestTimeout, hasDeltaOutput, value, format);
    }

    public PipelineOptions withFormat(RecordFormat value) {
        return with(parallelism, prefixWindowRecords, prefixWindow, requestTimeout, hasDeltaOutput, admission, value);
    }

    /** Where the writers' schemas are, for {@link RecordFormat#AVRO_CONFLUENT}. */
    public PipelineOptions withRegistry(@Nullable RegistryAccess value) {
        return new PipelineOptions(
                parallelism,
                prefixWindowRecords,
                prefixWindow,
                requestTimeout,
                hasDeltaOutput,
                streamInterval,
                randomSeed,
                admission,
                format,
                value,
                reasoning,
                json,
                rebuilds);
    }

    private PipelineOptions with(
            int newParallelism,
            int newWindowRecords,
            Duration newWindow,
            @Nullable Duration newTimeout,
            boolean newDeltaOutput,
            AdmissionLimits newAdmission,
            RecordFormat newFormat) {
        return new PipelineOptions(
                newParallelism,
                newWindowRecords,
                newWindow,
                newTimeout,
                newDeltaOutput,
                streamInterval,
                randomSeed,
                newAdmission,
                newFormat,
                registry,
                reasoning,
                json,
                rebuilds);
    }

    private static void checkAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }
}
