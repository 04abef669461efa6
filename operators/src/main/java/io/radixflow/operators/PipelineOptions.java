package io.radixflow.operators;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;
import java.io.Serializable;
import java.time.Duration;
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
 */
public record PipelineOptions(
        int parallelism,
        int prefixWindowRecords,
        Duration prefixWindow,
        @Nullable Duration requestTimeout,
        boolean hasDeltaOutput,
        int streamInterval,
        long randomSeed,
        AdmissionLimits admission)
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

    /** One engine, windows of 256 records or 20 ms, no timeout, deltas on. */
    public static PipelineOptions defaults() {
        return new PipelineOptions(1, 256, Duration.ofMillis(20), null, true, 1, 0, AdmissionLimits.DEFAULT);
    }

    /** Takes over what the engine's options say: stream interval and random seed. */
    public PipelineOptions withEngineConfig(EngineConfig config) {
        return new PipelineOptions(
                parallelism,
                prefixWindowRecords,
                prefixWindow,
                requestTimeout,
                hasDeltaOutput,
                config.get(EngineOptions.STREAM_INTERVAL),
                config.get(EngineOptions.RANDOM_SEED),
                admission);
    }

    public PipelineOptions withParallelism(int value) {
        return new PipelineOptions(
                value,
                prefixWindowRecords,
                prefixWindow,
                requestTimeout,
                hasDeltaOutput,
                streamInterval,
                randomSeed,
                admission);
    }

    /** Sorts at most so many records at once and lets none wait longer than the window. */
    public PipelineOptions withPrefixWindow(int records, Duration window) {
        return new PipelineOptions(
                parallelism, records, window, requestTimeout, hasDeltaOutput, streamInterval, randomSeed, admission);
    }

    public PipelineOptions withRequestTimeout(@Nullable Duration value) {
        return new PipelineOptions(
                parallelism,
                prefixWindowRecords,
                prefixWindow,
                value,
                hasDeltaOutput,
                streamInterval,
                randomSeed,
                admission);
    }

    public PipelineOptions withDeltaOutput(boolean value) {
        return new PipelineOptions(
                parallelism,
                prefixWindowRecords,
                prefixWindow,
                requestTimeout,
                value,
                streamInterval,
                randomSeed,
                admission);
    }

    public PipelineOptions withAdmission(AdmissionLimits value) {
        return new PipelineOptions(
                parallelism,
                prefixWindowRecords,
                prefixWindow,
                requestTimeout,
                hasDeltaOutput,
                streamInterval,
                randomSeed,
                value);
    }

    private static void checkAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }
}
