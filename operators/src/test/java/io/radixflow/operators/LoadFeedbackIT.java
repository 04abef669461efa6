package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Engines' word of their loads reaches the routers of a real job. */
class LoadFeedbackIT {

    @RegisterExtension
    static final MiniClusterExtension CLUSTER = new MiniClusterExtension(new MiniClusterResourceConfiguration.Builder()
            .setNumberTaskManagers(1)
            .setNumberSlotsPerTaskManager(2)
            .setConfiguration(smallBuffers())
            .build());

    private static final int NUM_RECORDS = 2_000;
    /** More than hashing with bounded loads gives to one of two engines: 1.25 / 2 of all and the slack. */
    private static final int SHARE_OF_THE_QUICK = 1_450;

    private static final AtomicInteger NUM_ANSWERS = new AtomicInteger();
    private static final AtomicReference<Thread> STUCK = new AtomicReference<>();

    /** A router that waits for a buffer hears nothing meanwhile, and one engine takes its records one by one. */
    private static Configuration smallBuffers() {
        Configuration configuration = new Configuration();
        configuration.setString("taskmanager.memory.segment-size", "4 kb");
        return configuration;
    }

    @Test
    @Timeout(60)
    void sendsMostToTheOtherEngineWhileOneIsStuck() throws Exception {
        NUM_ANSWERS.set(0);
        STUCK.set(null);
        FakeEngines engines = FakeEngines.threaded(8, 1_000);
        FakeEngines.pauseUnless(LoadFeedbackIT::mayStep);
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", "200 ms");
        configuration.setString("execution.checkpointing.unaligned.enabled", "true");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        DataStream<SourceRecord> records = environment
                .fromSequence(0, NUM_RECORDS - 1)
                .setParallelism(1)
                .map(i -> Prompts.source(i, Prompts.json(i + " is asked. ".repeat(8), ",\"max_tokens\":8")))
                .returns(RecordTypes.SOURCE)
                .setParallelism(1);
        PipelineOptions options =
                PipelineOptions.defaults().withParallelism(2).withPrefixWindow(16, Duration.ofMillis(5));
        List<ResultRecord> answers = new ArrayList<>();
        DataStream<ResultRecord> counted = PromptPipeline.build(records, engines, options)
                .completions()
                .map(LoadFeedbackIT::count)
                .returns(RecordTypes.RESULT)
                .setParallelism(1);
        CloseableIterator<ResultRecord> completions = counted.collectAsync();
        environment.executeAsync("load feedback");
        completions.forEachRemaining(answers::add);

        assertThat(answers).hasSize(NUM_RECORDS);
        long most = FakeEngines.started().stream()
                .mapToLong(engine -> engine.stats().numRequestsTotal())
                .max()
                .orElseThrow();
        assertThat(most).isGreaterThanOrEqualTo(SHARE_OF_THE_QUICK);
    }

    private static ResultRecord count(ResultRecord result) {
        NUM_ANSWERS.incrementAndGet();
        return result;
    }

    /** The first engine that asks is stuck until the other has answered more than it would get without word of loads. */
    private static boolean mayStep() {
        STUCK.compareAndSet(null, Thread.currentThread());
        return Thread.currentThread() != STUCK.get() || NUM_ANSWERS.get() >= SHARE_OF_THE_QUICK;
    }
}
