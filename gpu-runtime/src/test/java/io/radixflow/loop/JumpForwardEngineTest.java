package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.KvLayout;
import io.radixflow.cache.EvictionOrder;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.grammar.MatchState;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.FakeBackend;
import io.radixflow.testkit.FakeModel;
import io.radixflow.testkit.RecordingListener.Recorded;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Jump-forward through the loop, with a model whose next token depends on every token that the KV slots hold: a wrong slot, length or position after
 * a jump changes what is generated.
 */
class JumpForwardEngineTest {

    /** Never closed: two test frameworks run this class. */
    private static final Policy[] POLICIES = Policy.values();

    private static final EvictionOrder[] EVICTIONS = EvictionOrder.values();
    private static final JumpScene SCENE = new JumpScene("gpt2");

    private static final SchedulerConfig WIDE =
            new SchedulerConfig(50_000, 2048, 16, 512, 16_384, Policy.LPM, 1.0, true, 0);
    private static final int NUM_REQUESTS = 14;
    private static final String SCHEMA =
            "{'type': 'object', 'properties': {'customer_category': {'enum': ['billing office',"
                    + " 'bill', 'naïve 日本語']}, 'number_of_the_customer': {'type': 'integer', 'minimum': 0, 'maximum': 999},"
                    + " 'the_name_of_the_customer': {'type': 'string', 'maxLength': 4}}, 'required': ['customer_category',"
                    + " 'number_of_the_customer', 'the_name_of_the_customer'], 'additionalProperties': false}";
    private static final GrammarSpec NESTED = new GrammarSpec(
            Kind.JSON_SCHEMA, SCHEMA.replace('\'', '"'), true, new JsonStyle("", false), GrammarSpec.Reasoning.NEVER);
    private static final GrammarSpec FORCED =
            GrammarSpec.of(Kind.REGEX, "\\{\"customer category\": \"the name of the customer\"\\}");

    private static LoopFixture engine(SchedulerConfig scheduling, boolean jumps, int maxStepsInFlight) {
        FakeBackend backend = new FakeBackend(maxStepsInFlight);
        FakeModel model = new FakeModel(SCENE.tokens.vocabSize(), scheduling.maxRunning());
        return new LoopFixture(new EngineParts(
                backend,
                model,
                backend.allocateKvCache(model.kvLayout(scheduling.numSlots(), KvLayout.ElementType.FLOAT32)),
                SCENE.tokens,
                new int[] {SCENE.end},
                scheduling,
                1e6,
                jumps ? SCENE.tokenizer : null));
    }

    private static SamplingParamsBuilder greedy(GrammarSpec grammar) {
        return SamplingParams.builder().temperature(0).maxTokens(200).grammar(grammar);
    }

    private static Recorded run(LoopFixture engine, SamplingParamsBuilder params, int... outputIds) {
        engine.session.submit(GenerationRequest.builder(1, new int[] {5, 6}, params.build())
                .outputIds(outputIds)
                .build());
        engine.drain();
        return engine.listener.of(1);
    }

    @Test
    void forcedTextIsTheSameWithFewerStepsAndTheTokenizersTokens() {
        LoopFixture jumping = engine(WIDE, true, 1);
        LoopFixture plain = engine(WIDE, false, 1);
        Recorded jumped = run(jumping, greedy(FORCED));
        Recorded drawn = run(plain, greedy(FORCED));
        assertThat(jumped.text())
                .isEqualTo(drawn.text())
                .isEqualTo("{\"customer category\": \"the name of the customer\"}");
        assertThat(jumped.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(jumping.loop.stats().read().numSteps()).isEqualTo(1);
        assertThat(plain.loop.stats().read().numSteps()).isGreaterThan(5);
        assertThat(jumping.loop.stats().read().generationTokensTotal())
                .isEqualTo(jumped.tokens().size());
        jumping.loop.shutDown();
    }

    /** What the loop must give for a greedy request, from first principles. */
    private static List<Integer> expected(GrammarSpec grammar, int maxTokens) {
        int[] all = new int[2 + maxTokens];
        all[0] = 5;
        all[1] = 6;
        int len = 2;
        MatchState state = SCENE.start(grammar);
        while (len < all.length && !state.isFinal()) {
            List<Integer> allowed = SCENE.allowed(state);
            int drawn = FakeModel.nextToken(all, len, SCENE.tokens.vocabSize());
            while (!allowed.contains(drawn)) {
                drawn = (drawn + 1) % SCENE.tokens.vocabSize();
            }
            all[len] = drawn;
            if (drawn == SCENE.end) {
                len++;
                break;
            }
            int num = SCENE.jumps.find(all[len - 1], drawn, SCENE.accept(state, drawn), all.length - len);
            for (int i = 0; i < Math.max(1, num); i++) {
                all[len] = num == 0 ? drawn : SCENE.jumps.id(i);
                state = SCENE.accept(state, all[len++]);
            }
        }
        List<Integer> output = new ArrayList<>();
        for (int i = 2; i < len; i++) {
            output.add(all[i]);
        }
        return output;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void theModelSeesTheTokensThatWereWritten(int maxStepsInFlight) {
        for (int maxTokens = 1; maxTokens < 60; maxTokens++) {
            LoopFixture engine = engine(WIDE, true, maxStepsInFlight);
            Recorded got = run(engine, greedy(NESTED).maxTokens(maxTokens));
            assertThat(got.tokens()).as("max_tokens %d", maxTokens).isEqualTo(expected(NESTED, maxTokens));
            assertThat(got.tokens()).hasSizeLessThanOrEqualTo(maxTokens);
            assertThat(got.finishReason() == FinishReason.LENGTH)
                    .isEqualTo(!got.text().endsWith("}"));
            engine.loop.shutDown();
        }
    }

    @Test
    void theContextLengthIsNotPassed() {
        for (int contextLen = 4; contextLen < 40; contextLen++) {
            LoopFixture engine =
                    engine(new SchedulerConfig(64, contextLen, 4, 8, 64, Policy.FCFS, 1.0, true, 0), true, 1);
            Recorded got = run(engine, greedy(NESTED));
            assertThat(2 + got.tokens().size()).isLessThanOrEqualTo(contextLen);
            assertThat(got.tokens()).isEqualTo(expected(NESTED, Math.min(200, contextLen - 2)));
            engine.loop.shutDown();
        }
    }

    @Test
    void stopStringsEndTheTextWithinAForcedSpan() {
        LoopFixture engine = engine(WIDE, true, 1);
        Recorded got = run(engine, greedy(FORCED).stop(List.of("name of")));
        assertThat(got.text()).isEqualTo("{\"customer category\": \"the ");
        assertThat(got.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(got.matchedStop()).isEqualTo("name of");
        assertThat(new String(SCENE.bytesOf(got.tokens()), StandardCharsets.UTF_8))
                .as("no token behind the one that completes the stop")
                .startsWith("{\"customer category\": \"the name of")
                .doesNotContain("customer\"}");
        engine.loop.shutDown();
    }

    @Test
    void requestsThatWantEachTokenScoredOrRuledDrawThemAll() {
        int steps = stepsOf(greedy(FORCED), false);
        List<SamplingParamsBuilder> scored = List.of(
                greedy(FORCED).logprobs(0),
                greedy(FORCED).stopTokenIds(new int[] {SCENE.end}),
                greedy(FORCED).badWords(List.of(new int[] {SCENE.end, SCENE.end})),
                greedy(FORCED).logitBias(new int[] {SCENE.end}, new float[] {1}));
        for (SamplingParamsBuilder params : scored) {
            assertThat(stepsOf(params, true)).isEqualTo(steps);
        }
    }

    private static int stepsOf(SamplingParamsBuilder params, boolean jumps) {
        LoopFixture engine = engine(WIDE, jumps, 1);
        run(engine, params);
        return (int) engine.loop.stats().read().numSteps();
    }

    @Test
    void aRequestRestoredAfterAnyStepEndsTheSame() {
        Recorded whole =
                run(engine(WIDE, true, 1), greedy(NESTED).temperature(1).seed(3));
        for (int rounds = 1; rounds < 12; rounds++) {
            LoopFixture before = engine(WIDE, true, 1);
            before.session.submit(new GenerationRequest(
                    1, new int[] {5, 6}, greedy(NESTED).temperature(1).seed(3).build()));
            before.work(rounds);
            List<Integer> got = before.listener.of(1).tokens();
            if (before.listener.of(1).numEnds() > 0) {
                break;
            }
            Recorded rest = run(
                    engine(WIDE, true, 1),
                    greedy(NESTED).temperature(1).seed(3),
                    got.stream().mapToInt(Integer::intValue).toArray());
            List<Integer> all = new ArrayList<>(got);
            all.addAll(rest.tokens());
            assertThat(all).as("after %d rounds", rounds).isEqualTo(whole.tokens());
        }
    }

    @Property(tries = 12)
    void answersDependOnNothingButTheRequest(@ForAll long seed) {
        Random random = new Random(seed);
        int pageSize = 1 << random.nextInt(3);
        SchedulerConfig config = new SchedulerConfig(
                        4 * (30 + random.nextInt(100)),
                        110 + random.nextInt(60),
                        1 + random.nextInt(8),
                        1 + random.nextInt(24),
                        1 + random.nextInt(80),
                        POLICIES[random.nextInt(POLICIES.length)],
                        random.nextInt(3) == 0 ? 0.05 : 1.0,
                        random.nextInt(4) > 0,
                        random.nextInt(3) == 0 ? 3 : 0)
                .withCache(pageSize, EVICTIONS[random.nextInt(EVICTIONS.length)]);
        LoopFixture engine = engine(config, true, 1 + random.nextInt(2));
        List<GenerationRequest> requests = new ArrayList<>();
        for (int id = 0; id < NUM_REQUESTS; id++) {
            requests.add(request(random, id));
            engine.session.submit(requests.get(id));
            engine.work(random.nextInt(3));
        }
        engine.drain();
        long numTokens = 0;
        for (GenerationRequest request : requests) {
            LoopFixture alone = engine(WIDE, true, 1);
            alone.session.submit(request);
            alone.drain();
            Recorded expected = alone.listener.of(request.requestId());
            Recorded got = engine.listener.of(request.requestId());
            assertThat(got.tokens()).isEqualTo(expected.tokens());
            assertThat(got.text()).isEqualTo(expected.text());
            assertThat(got.finishReason()).isEqualTo(expected.finishReason());
            assertThat(got.numEnds()).isEqualTo(1);
            assertThat(got.tokens()).hasSizeLessThanOrEqualTo(request.sampling().maxTokens());
            numTokens += got.tokens().size();
        }
        assertThat(engine.loop.stats().read().generationTokensTotal()).isEqualTo(numTokens);
        engine.loop.shutDown();
    }

    private static GenerationRequest request(Random random, int id) {
        int[] prompt = new int[1 + random.nextInt(40)];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = random.nextInt(10) == 0 ? random.nextInt(3) : 1;
        }
        SamplingParamsBuilder params = SamplingParams.builder()
                .temperature(random.nextInt(2))
                .seed(random.nextLong())
                .frequencyPenalty(random.nextInt(3) == 0 ? 0.5f : 0)
                .minTokens(random.nextInt(4) == 0 ? 3 : 0)
                .maxTokens(3 + random.nextInt(60))
                .logprobs(random.nextInt(6) == 0 ? 1 : SamplingParams.NO_LOGPROBS);
        if (random.nextInt(4) > 0) {
            params.grammar(random.nextBoolean() ? NESTED : FORCED);
        }
        if (random.nextInt(4) == 0) {
            params.stop(List.of("name"));
        }
        return new GenerationRequest(id, prompt, params.build());
    }
}
