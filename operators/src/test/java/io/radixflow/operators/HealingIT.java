package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Engines that die, in a job that may not restart. */
class HealingIT {

    @RegisterExtension
    static final MiniClusterExtension CLUSTER = new MiniClusterExtension(new MiniClusterResourceConfiguration.Builder()
            .setNumberTaskManagers(1)
            .setNumberSlotsPerTaskManager(2)
            .build());

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NUM_RECORDS = 10_000;
    private static final int MAX_TOKENS = 6;

    private static boolean isPoison(long i) {
        return i % 1000 == 417;
    }

    private static String prompt(long i) {
        return (isPoison(i) ? SimulatedEngines.POISON : "") + "Request " + i;
    }

    private static SourceRecord record(long i) {
        return Prompts.source(i, Prompts.json(prompt(i), ",\"temperature\":0,\"max_tokens\":" + MAX_TOKENS));
    }

    private static StreamExecutionEnvironment environment() {
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", "500 ms");
        configuration.setString("execution.checkpointing.unaligned.enabled", "true");
        configuration.setString("restart-strategy.type", "none"); // a failure of any task would fail the job
        return StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    }

    /** The promise: ten poison records and one engine kill in 10,000 give 9,990 answers, ten dead letters, and no restart. */
    @Test
    @Timeout(120)
    void tenPoisonRecordsAndAnEngineKillInTenThousand() throws Exception {
        StreamExecutionEnvironment environment = environment();
        SimulatedEngines engines = SimulatedEngines.of(64, 100);
        SimulatedEngines.killAfter(300);
        PipelineOutputs outputs = outputs(environment, engines, 0, NUM_RECORDS - 1);
        CloseableIterator<ResultRecord> completions = outputs.completions().collectAsync();
        CloseableIterator<DeadLetter> deadLetters = outputs.deadLetters().collectAsync();
        environment.executeAsync("poisoned");

        assertThat(texts(completions)).isEqualTo(expected(0, NUM_RECORDS - 1)).hasSize(NUM_RECORDS - 10);
        TreeSet<Long> poisoned = new TreeSet<>();
        deadLetters.forEachRemaining(letter -> {
            assertThat(letter.code()).isEqualTo(ErrorCode.ENGINE_ERROR);
            assertThat(poisoned.add(letter.offset())).isTrue();
        });
        assertThat(poisoned).hasSize(10).allMatch(HealingIT::isPoison);
        // Each poison kills at most twice; several of them may meet in one step.
        assertThat(SimulatedEngines.numStarted()).isBetween(1 + 1 + 11, 1 + 1 + 20);
    }

    /** The thread of the hung engine can't be stopped; the job goes on without it. */
    @Test
    @Timeout(120)
    void aHungEngineIsReplaced() throws Exception {
        StreamExecutionEnvironment environment = environment();
        SimulatedEngines engines = SimulatedEngines.of(16, 100);
        CountDownLatch gate = SimulatedEngines.hangAfter(40);
        PipelineOutputs outputs = outputs(environment, engines, 500, 899);
        CloseableIterator<ResultRecord> completions = outputs.completions().collectAsync();
        environment.executeAsync("hung");

        assertThat(texts(completions)).isEqualTo(expected(500, 899)).hasSize(400);
        assertThat(SimulatedEngines.numStarted()).isGreaterThan(1);
        gate.countDown();
    }

    private static PipelineOutputs outputs(
            StreamExecutionEnvironment environment, SimulatedEngines engines, long first, long last) {
        return PromptPipeline.build(
                environment
                        .fromSequence(first, last)
                        .setParallelism(1)
                        .map(HealingIT::record)
                        .returns(RecordTypes.SOURCE)
                        .setParallelism(1),
                engines,
                PipelineOptions.defaults().withDeltaOutput(false));
    }

    private static Map<String, String> texts(CloseableIterator<ResultRecord> completions) throws Exception {
        Map<String, String> texts = new TreeMap<>();
        while (completions.hasNext()) {
            JsonNode json = JSON.readTree(completions.next().value());
            String previous = texts.put(
                    json.path("custom_id").asText(), json.at("/choices/0/text").asText());
            assertThat(previous).as("an earlier answer to the same record").isNull();
        }
        return texts;
    }

    private static Map<String, String> expected(long first, long last) {
        List<GenerationRequest> requests = new ArrayList<>();
        for (long i = first; i <= last; i++) {
            if (!isPoison(i)) {
                requests.add(new GenerationRequest(i, Prompts.ids(prompt(i)), SamplingParams.greedy(MAX_TOKENS)));
            }
        }
        List<String> texts = SimulatedEngines.undisturbed(requests);
        Map<String, String> expected = new TreeMap<>();
        for (int i = 0; i < texts.size(); i++) {
            expected.put("prompts-0-" + requests.get(i).requestId(), texts.get(i));
        }
        return expected;
    }
}
