package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.PropertyEvents;
import io.radixflow.testkit.RecordingListener.Recorded;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** A loop that enqueues a step while another one runs gives every client what one gives that waits for each step. */
class PlanningAheadTest {

    private static final int NUM_REQUESTS = 40;
    private static final Policy[] POLICIES = Policy.values();

    @Property(tries = PropertyEvents.TRIES)
    void clientsGetTheSame(@ForAll long seed) {
        Random random = new Random(seed);
        SchedulerConfig config = new SchedulerConfig(
                150 + random.nextInt(400),
                60 + random.nextInt(80),
                1 + random.nextInt(8),
                1 + random.nextInt(40),
                1 + random.nextInt(80),
                POLICIES[random.nextInt(POLICIES.length)],
                random.nextInt(3) == 0 ? 0.05 : 1.0,
                random.nextInt(4) > 0,
                random.nextInt(3) == 0 ? 5 : 0);
        assertThat(run(seed, config, 2)).isEqualTo(run(seed, config, 1));
    }

    /** What each request got, but for those that a client aborted, whose last token depends on time. */
    private static List<String> run(long seed, SchedulerConfig config, int maxStepsInFlight) {
        Random random = new Random(seed);
        LoopFixture engine = new LoopFixture(FakeParts.of(config, maxStepsInFlight));
        Set<Long> aborted = new HashSet<>();
        for (int id = 0; id < NUM_REQUESTS; id++) {
            assertThat(engine.session.submit(request(random, id, config))).isTrue();
            engine.work(random.nextInt(4));
            if (random.nextInt(8) == 0) {
                engine.session.abort(id);
                aborted.add((long) id);
            }
        }
        engine.drain();
        List<String> outputs = new ArrayList<>();
        for (long id = 0; id < NUM_REQUESTS; id++) {
            Recorded got = engine.listener.of(id);
            assertThat(got.numEnds()).isEqualTo(1);
            outputs.add(
                    aborted.contains(id)
                            ? "aborted"
                            : got.tokens() + " " + got.text() + " " + got.finishReason() + " " + got.matchedStop() + " "
                                    + got.error() + " " + got.logprobs() + " " + got.alternatives());
        }
        engine.loop.shutDown();
        return outputs;
    }

    private static GenerationRequest request(Random random, int id, SchedulerConfig config) {
        int[] prompt = new int[1 + random.nextInt(40)];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = random.nextInt(10) == 0 ? random.nextInt(3) : 1;
        }
        SamplingParamsBuilder params = SamplingParams.builder()
                .temperature(random.nextInt(2))
                .seed(random.nextLong())
                .frequencyPenalty(random.nextInt(3) == 0 ? 0.5f : 0)
                .minTokens(random.nextInt(4) == 0 ? 1 : 0)
                .maxTokens(1 + random.nextInt(Math.min(30, config.contextLen() - prompt.length)))
                .logprobs(random.nextInt(3) - 1);
        if (random.nextInt(4) == 0) {
            params.stop(List.of(random.nextInt(10) + "> <"));
        }
        if (random.nextInt(4) == 0) { // few tokens, so that the words come up
            params.allowedTokenIds(new int[] {3, 4, 5}).badWords(List.of(new int[] {3, 4}, new int[] {5}));
        }
        if (random.nextInt(16) == 0) {
            params.allowedTokenIds(new int[] {9}).badWords(List.of(new int[] {9, 9}));
        }
        return GenerationRequest.builder(id, prompt, params.build()).build();
    }

    @Test
    void theDeviceIsNeverWaitedForBeforeTheNextStepIsEnqueued() {
        LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide(), 2));
        engine.session.submit(new GenerationRequest(
                1,
                new int[] {5, 6, 7},
                SamplingParams.builder()
                        .temperature(0)
                        .ignoreEos(true)
                        .maxTokens(10)
                        .build()));
        engine.work(1);
        assertThat(engine.listener.has(1)).as("while the first step runs").isFalse();
        engine.work(5);
        assertThat(engine.listener.of(1).tokens())
                .as("five steps are done, the sixth runs")
                .hasSize(5);
        assertThat(engine.computedTokens()).isEqualTo(3 + 5);
        engine.drain();
        assertThat(engine.computedTokens()).as("no step more than tokens").isEqualTo(3 + 9);
    }
}
