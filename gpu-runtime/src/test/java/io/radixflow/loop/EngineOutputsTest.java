package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.FakeParts;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same requests give the same tokens and texts whatever else happens in the engine. */
class EngineOutputsTest {

    private static final int NUM_REQUESTS = 60;

    @ParameterizedTest(
            name = "slots {0}, running {1}, chunk {2}, {3}, radix {4}, conservativeness {5}, retract every {6}")
    @CsvSource({
        "20000, 32, 512, LPM, true, 1.0, 0",
        "20000, 32, 512, FCFS, true, 1.0, 0",
        "20000, 32, 7, LPM, true, 1.0, 0",
        "20000, 32, 512, LPM, false, 1.0, 0",
        "20000, 32, 64, LPM, true, 1.0, 3",
        "20000, 32, 512, LPM, false, 1.0, 3",
        "400, 16, 64, LPM, true, 0.02, 0",
        "400, 16, 16, FCFS, false, 0.02, 0",
        "300, 1, 1, LPM, true, 1.0, 3"
    })
    void outputsDependOnNothingButTheRequest(
            int numSlots,
            int maxRunning,
            int chunk,
            Policy policy,
            boolean hasRadixCache,
            double conservativeness,
            int retractEverySteps) {
        List<String> alone = run(new SchedulerConfig(20_000, 400, 1, 512, 512, Policy.FCFS, 1, false, 0));
        List<String> outputs = run(new SchedulerConfig(
                numSlots, 400, maxRunning, chunk, 512, policy, conservativeness, hasRadixCache, retractEverySteps));
        assertThat(outputs).isEqualTo(alone);
    }

    @Test
    void aSmallPoolRetracts() {
        LoopFixture engine =
                new LoopFixture(FakeParts.of(new SchedulerConfig(400, 400, 16, 64, 512, Policy.LPM, 0.02, true, 0)));
        submitAll(engine);
        engine.drain();
        assertThat(engine.loop.stats().read().numRetractedReqs()).isPositive();
    }

    private static List<String> run(SchedulerConfig config) {
        LoopFixture engine = new LoopFixture(FakeParts.of(config));
        submitAll(engine);
        engine.drain();
        List<String> outputs = new ArrayList<>();
        for (long id = 0; id < NUM_REQUESTS; id++) {
            outputs.add(engine.listener.of(id).tokens() + " "
                    + engine.listener.of(id).finishReason() + " "
                    + engine.listener.of(id).text());
        }
        engine.loop.shutDown();
        return outputs;
    }

    /** Prompts of a few families with long common prefixes; greedy, seeded and penalised sampling in turn. */
    private static void submitAll(LoopFixture engine) {
        Random random = new Random(1);
        int[][] families = new int[5][];
        for (int family = 0; family < families.length; family++) {
            families[family] =
                    random.ints(20 + 30 * family, 1, FakeParts.VOCAB_SIZE).toArray();
        }
        for (long id = 0; id < NUM_REQUESTS; id++) {
            int[] prefix = families[random.nextInt(families.length)];
            int[] prompt = random.ints(prefix.length + 1 + random.nextInt(20), 1, FakeParts.VOCAB_SIZE)
                    .toArray();
            System.arraycopy(prefix, 0, prompt, 0, prefix.length);
            SamplingParams params = SamplingParams.builder()
                    .temperature(id % 3 == 0 ? 0 : 0.8f)
                    .frequencyPenalty(id % 3 == 2 ? 0.5f : 0)
                    .seed(id)
                    .maxTokens(1 + random.nextInt(60))
                    .build();
            engine.session.submit(new GenerationRequest(id, prompt, params));
        }
    }
}
