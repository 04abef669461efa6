package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.AbstractCheckpointStats;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints never wait for the engine. */
class CheckpointIT {

    private static final long POLL_NANOS = 20_000_000;

    @TempDir
    private Path storage;

    /** A job over endless input whose prompts have so many tokens and whose answers so many. */
    private StreamExecutionEnvironment job(SimulatedEngines engines, Duration interval, int promptLen, int answerLen) {
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", interval.toMillis() + " ms");
        configuration.setString("execution.checkpointing.unaligned.enabled", "true");
        configuration.setString("execution.checkpointing.storage", "filesystem");
        configuration.setString("execution.checkpointing.dir", storage.toUri().toString());
        configuration.setString("restart-strategy.type", "none");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        String filler = "x".repeat(promptLen - 20);
        String fields = ",\"ignore_eos\":true,\"max_tokens\":" + answerLen;
        PromptPipeline.build(
                        environment
                                .fromSequence(0, Long.MAX_VALUE)
                                .setParallelism(1)
                                .map(i -> Prompts.source(i, Prompts.json(String.format("%20d", i) + filler, fields)))
                                .returns(RecordTypes.SOURCE)
                                .setParallelism(1),
                        engines,
                        PipelineOptions.defaults())
                .completions()
                .sinkTo(new DiscardingSink<>());
        return environment;
    }

    /** Runs the job until so many checkpoints have completed that began at least so long after the first; returns those. */
    private static List<AbstractCheckpointStats> run(
            StreamExecutionEnvironment environment, int numCheckpoints, Duration warmUp) throws Exception {
        try (LocalCluster cluster = new LocalCluster(2, new Configuration())) {
            JobID job = cluster.submit(environment, null);
            while (true) {
                List<AbstractCheckpointStats> completed = cluster.checkpoints(job);
                long first = Long.MAX_VALUE;
                for (AbstractCheckpointStats checkpoint : completed) {
                    first = Math.min(first, checkpoint.getTriggerTimestamp());
                }
                long from = completed.isEmpty() ? 0 : first + warmUp.toMillis();
                completed.removeIf(checkpoint -> checkpoint.getTriggerTimestamp() < from);
                if (completed.size() >= numCheckpoints) {
                    cluster.cancel(job);
                    return completed;
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    /** The promise: each within a second. Eight answers of a minute run, so the engine is full for as long as the test lasts. */
    @Test
    @Timeout(120)
    void aCheckpointCompletesWithinASecondWhileTheEngineIsFull() throws Exception {
        StreamExecutionEnvironment job = job(SimulatedEngines.of(8, 100_000), Duration.ofMillis(250), 100, 600);
        List<AbstractCheckpointStats> completed = run(job, 16, Duration.ofSeconds(1));
        assertThat(completed)
                .allSatisfy(checkpoint -> assertThat(checkpoint.getEndToEndDuration())
                        .as("milliseconds of checkpoint " + checkpoint.getCheckpointId())
                        .isLessThan(1000));
        // Eight run and eight wait; each further record that came in, came in after its hold. All are in the state.
        assertThat(completed)
                .allSatisfy(
                        checkpoint -> assertThat(checkpoint.getStateSize()).isGreaterThan(16 * Integer.BYTES * 100));
    }

    /** Prints what it measures; for bench/results. */
    @Test
    @Tag("soak")
    @Timeout(400)
    void checkpointsOf4096RequestsOfAMinute() throws Exception {
        StreamExecutionEnvironment job = job(SimulatedEngines.of(4_096, 100_000), Duration.ofSeconds(3), 400, 600);
        List<AbstractCheckpointStats> completed = run(job, 25, Duration.ofSeconds(20));
        for (AbstractCheckpointStats checkpoint : completed) {
            System.out.printf(
                    Locale.ROOT,
                    "checkpoint %d: %d ms, state %.1f MB%n",
                    checkpoint.getCheckpointId(),
                    checkpoint.getEndToEndDuration(),
                    checkpoint.getStateSize() / 1e6);
        }
        assertThat(completed).allSatisfy(checkpoint -> {
            assertThat(checkpoint.getEndToEndDuration())
                    .as("milliseconds of checkpoint " + checkpoint.getCheckpointId())
                    .isLessThan(2000);
            assertThat(checkpoint.getStateSize()).as("bytes of state").isGreaterThan(4_096 * 400 * Integer.BYTES);
        });
    }
}
