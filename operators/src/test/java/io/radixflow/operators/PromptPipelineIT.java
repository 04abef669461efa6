package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.testkit.FakeEngine;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The whole pipeline over fake engines in a real mini cluster. */
class PromptPipelineIT {

    @RegisterExtension
    static final MiniClusterExtension CLUSTER = new MiniClusterExtension(new MiniClusterResourceConfiguration.Builder()
            .setNumberTaskManagers(1)
            .setNumberSlotsPerTaskManager(4)
            .build());

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NUM_RECORDS = 160;
    private static final int MAX_TOKENS = 60;
    private static final String SYSTEM = "You are a careful assistant who answers in one short sentence. ";

    /** Every tenth record is bad, every third is streamed. */
    private static boolean isBad(long i) {
        return i % 10 == 9;
    }

    private static boolean isStreamed(long i) {
        return i % 3 == 0;
    }

    private static SourceRecord record(long i) {
        String value = isBad(i)
                ? "{\"prompt\":"
                : Prompts.json(SYSTEM + i, ",\"max_tokens\":" + MAX_TOKENS + (isStreamed(i) ? ",\"stream\":true" : ""));
        return Prompts.source(i, value);
    }

    private static String expectedText(long i) {
        SamplingParams sampling = SamplingParams.builder()
                .maxTokens(MAX_TOKENS)
                .seed(RequestSeed.derive(0, "prompts-0-" + i))
                .build();
        return FakeEngine.expectedText(new GenerationRequest(0, Prompts.ids(SYSTEM + i), sampling));
    }

    /** Counts checkpoints and completions of the running test, and fails the job once. */
    private static final class Probe extends RichMapFunction<ResultRecord, ResultRecord> implements CheckpointListener {

        private static final long serialVersionUID = 1L;
        private static final AtomicInteger NUM_COMPLETIONS = new AtomicInteger();
        private static final AtomicBoolean IS_FAILURE_WANTED = new AtomicBoolean();
        private static volatile CountDownLatch checkpoints = new CountDownLatch(0);
        private static volatile int minCompletions;

        /** Waits for checkpoints that complete after so many completions. */
        private static void reset(int numCheckpoints, int afterCompletions, boolean isFailureWanted) {
            minCompletions = afterCompletions;
            NUM_COMPLETIONS.set(0);
            IS_FAILURE_WANTED.set(isFailureWanted);
            checkpoints = new CountDownLatch(numCheckpoints);
        }

        @Override
        public ResultRecord map(ResultRecord result) throws IOException {
            boolean isHalfWay = NUM_COMPLETIONS.incrementAndGet() > NUM_RECORDS / 2 && checkpoints.getCount() == 0;
            if (isHalfWay && IS_FAILURE_WANTED.compareAndSet(true, false)) {
                throw new IOException("failure injected half way");
            }
            return result;
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            if (NUM_COMPLETIONS.get() >= minCompletions) {
                checkpoints.countDown();
            }
        }

        /** Keeps the engines from finishing before the checkpoint that the failure goes back to. */
        private static boolean mayStep() {
            return checkpoints.getCount() == 0 || NUM_COMPLETIONS.get() <= NUM_RECORDS / 2;
        }
    }

    private static StreamExecutionEnvironment environment(Duration checkpointInterval) {
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", checkpointInterval.toMillis() + " ms");
        configuration.setString("execution.checkpointing.unaligned.enabled", "true");
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "2");
        configuration.setString("restart-strategy.fixed-delay.delay", "0 s");
        configuration.setString("pipeline.generic-types", "false");
        return StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    }

    private static DataStream<SourceRecord> records(StreamExecutionEnvironment environment, long numRecords) {
        return environment
                .fromSequence(0, numRecords - 1)
                .setParallelism(1)
                .map(PromptPipelineIT::record)
                .returns(RecordTypes.SOURCE)
                .setParallelism(1);
    }

    @Test
    @Timeout(120)
    void answersEachRecordOnceAndGoesOnAtTheNextTokenAfterAFailure() throws Exception {
        // Two: the second was triggered after the first had completed, so it holds requests with tokens.
        Probe.reset(2, NUM_RECORDS / 4, true);
        StreamExecutionEnvironment environment = environment(Duration.ofMillis(100));
        FakeEngines engines = FakeEngines.threaded(8, 3_000);
        FakeEngines.pauseUnless(Probe::mayStep);
        PipelineOptions options =
                PipelineOptions.defaults().withParallelism(2).withPrefixWindow(16, Duration.ofMillis(5));
        PipelineOutputs outputs = PromptPipeline.build(records(environment, NUM_RECORDS), engines, options);
        DataStream<ResultRecord> probed = outputs.completions()
                .map(new Probe())
                .returns(RecordTypes.RESULT)
                .setParallelism(1);
        CloseableIterator<ResultRecord> completions = probed.collectAsync();
        CloseableIterator<ResultRecord> deltas = outputs.deltas().collectAsync();
        CloseableIterator<DeadLetter> deadLetters = outputs.deadLetters().collectAsync();
        environment.executeAsync("pipeline");

        assertCompletions(completions);
        assertDeltas(deltas);
        assertDeadLetters(deadLetters);
        assertThat(Probe.IS_FAILURE_WANTED).as("the failure was not injected").isFalse();
        assertThat(FakeEngines.started()).hasSize(4);
        assertThat(FakeEngines.keptTokens()).as("tokens kept over the failure").isPositive();
    }

    private static void assertCompletions(Iterator<ResultRecord> completions) throws IOException {
        Map<String, String> texts = new TreeMap<>();
        while (completions.hasNext()) {
            JsonNode json = JSON.readTree(completions.next().value());
            String previous = texts.put(
                    json.path("custom_id").asText(), json.at("/choices/0/text").asText());
            assertThat(previous).as("an earlier answer to the same record").isNull();
        }
        Map<String, String> expected = new TreeMap<>();
        for (long i = 0; i < NUM_RECORDS; i++) {
            if (!isBad(i)) {
                expected.put("prompts-0-" + i, expectedText(i));
            }
        }
        assertThat(texts).isEqualTo(expected);
    }

    private static void assertDeltas(Iterator<ResultRecord> deltas) throws IOException {
        Map<String, StringBuilder> texts = new HashMap<>();
        Map<String, Integer> numEnds = new TreeMap<>();
        while (deltas.hasNext()) {
            JsonNode json = JSON.readTree(deltas.next().value());
            String customId = json.path("custom_id").asText();
            texts.computeIfAbsent(customId, id -> new StringBuilder())
                    .append(json.at("/choices/0/text").asText());
            if (!json.at("/choices/0/finish_reason").isNull()) {
                numEnds.merge(customId, 1, Integer::sum);
            }
        }
        for (long i = 0; i < NUM_RECORDS; i++) {
            String customId = "prompts-0-" + i;
            if (isStreamed(i) && !isBad(i)) {
                assertThat(texts.get(customId)).as(customId).hasToString(expectedText(i));
                assertThat(numEnds).containsEntry(customId, 1);
            } else {
                assertThat(texts).doesNotContainKey(customId);
            }
        }
    }

    private static void assertDeadLetters(Iterator<DeadLetter> deadLetters) {
        TreeSet<Long> offsets = new TreeSet<>();
        while (deadLetters.hasNext()) {
            assertThat(offsets.add(deadLetters.next().offset())).isTrue();
        }
        assertThat(offsets).hasSize(NUM_RECORDS / 10).allMatch(PromptPipelineIT::isBad);
    }
}
