package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.FakeModel;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.RecordingListener.Recorded;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Log-probabilities through the loop, on the fake model, whose values are known from first principles. */
class LogprobsTest {

    private static final int PROMPT_LEN = 100;
    private static final int MAX_TOKENS = 12;

    @Test
    void eachTokenHasItsOwnAndTheLikeliestAlternatives() {
        LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide()));
        int[] prompt = prompt(1);
        engine.session.submit(new GenerationRequest(1, prompt, params(3)));
        engine.session.submit(new GenerationRequest(2, prompt, params(0)));
        engine.session.submit(new GenerationRequest(3, prompt, params(SamplingParams.NO_LOGPROBS)));
        engine.drain();
        Recorded got = engine.listener.of(1);
        int[] tokens = withOutput(prompt, got);
        for (int i = 0; i < MAX_TOKENS; i++) {
            int len = PROMPT_LEN + i;
            assertThat(got.logprobs().get(i)).isEqualTo(FakeModel.logprob(tokens, len, tokens[len]));
            assertThat(got.alternatives().get(i)).isEqualTo(alternatives(tokens, len, 3));
        }
        assertThat(engine.listener.of(2).logprobs()).isEqualTo(got.logprobs());
        assertThat(engine.listener.of(2).alternatives()).containsOnly("");
        assertThat(engine.listener.of(3).logprobs()).isEmpty();
        assertThat(engine.listener.of(3).tokens()).isEqualTo(got.tokens());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 57, 99, 100})
    void promptTokensFromTheStartOnHaveTheirs(int start) {
        LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide()));
        int[] prompt = prompt(2);
        engine.session.submit(scored(1, prompt, 2, start));
        engine.drain();
        assertScored(prompt, start, 2, engine.listener.of(1));
    }

    @Test
    void aPromptOfOneTokenHasNoneToGive() {
        LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide()));
        engine.session.submit(scored(1, new int[] {7}, 5, 0));
        engine.drain();
        PromptLogprobs got = Objects.requireNonNull(engine.listener.of(1).promptLogprobs());
        assertThat(got.len()).isEqualTo(1);
        assertThat(got.hasLogprob(0)).isFalse();
    }

    /** Chunks of 7 tokens, 4 rows of logits at once: what is wanted of a step never fits into one piece. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void promptsAreScoredColdAndWarmInChunksAndAmongOthers(boolean hasRadixCache) {
        SchedulerConfig config = new SchedulerConfig(2000, 512, 4, 7, 16_384, Policy.LPM, 1.0, hasRadixCache, 0);
        LoopFixture engine = new LoopFixture(FakeParts.of(config));
        int[] prompt = prompt(3);
        for (int id = 0; id < 12; id++) {
            int start = id % 3 == 0 ? 0 : 30 * (id % 3);
            engine.session.submit(id % 4 == 3 ? plain(id, prompt) : scored(id, prompt, id % 4, start));
        }
        engine.drain();
        for (int id = 0; id < 12; id++) {
            Recorded got = engine.listener.of(id);
            assertThat(got.tokens()).isEqualTo(engine.listener.of(0).tokens());
            if (id % 4 == 3) {
                assertThat(got.promptLogprobs()).isNull();
            } else {
                assertScored(prompt, id % 3 == 0 ? 0 : 30 * (id % 3), id % 4, got);
            }
        }
    }

    @Test
    void whatScoresThePromptIsComputedAndTheRestIsCached() {
        LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide()));
        int[] prompt = prompt(4);
        engine.session.submit(plain(1, prompt));
        engine.drain();
        engine.session.submit(scored(2, prompt, 1, 60));
        engine.drain();
        engine.session.submit(scored(3, prompt, 1, 0));
        engine.drain();
        assertThat(engine.listener.of(2).cachedLen()).isEqualTo(59); // token 60 is scored by token 59's logits
        assertScored(prompt, 60, 1, engine.listener.of(2));
        assertThat(engine.listener.of(3).cachedLen()).isZero();
        assertScored(prompt, 0, 1, engine.listener.of(3));
    }

    @Test
    void retractionKeepsWhatIsScored() {
        SchedulerConfig config = new SchedulerConfig(1000, 512, 4, 16, 16_384, Policy.LPM, 1.0, true, 3);
        LoopFixture engine = new LoopFixture(FakeParts.of(config));
        for (int id = 0; id < 8; id++) {
            engine.session.submit(scored(id, prompt(10 + id), 2, 0));
        }
        engine.drain();
        assertThat(engine.loop.stats().read().numRetractedReqs()).isPositive();
        for (int id = 0; id < 8; id++) {
            assertScored(prompt(10 + id), 0, 2, engine.listener.of(id));
        }
    }

    /** An answer outgrows the pool while a prompt is computed 4 tokens a step: the prompt is retracted half scored. */
    @Test
    void aHalfScoredPromptGoesOnAfterARetraction() {
        SchedulerConfig config = new SchedulerConfig(160, 150, 4, 4, 16_384, Policy.FCFS, 0.01, true, 0);
        LoopFixture engine = new LoopFixture(FakeParts.of(config));
        SamplingParams longAnswer = params(1).toBuilder().maxTokens(100).build();
        engine.session.submit(new GenerationRequest(1, Arrays.copyOf(prompt(20), 40), longAnswer));
        engine.session.submit(scored(2, prompt(21), 2, 0));
        while (engine.loop.stats().read().numRetractedReqs() == 0) {
            engine.work(1);
        }
        assertThat(engine.listener.has(2)).isFalse();
        engine.drain();
        assertScored(prompt(21), 0, 2, engine.listener.of(2));
    }

    @Test
    void aRestoredRequestGetsThemWithItsNextToken() {
        LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide()));
        int[] prompt = prompt(5);
        engine.session.submit(scored(1, prompt, 1, 10));
        engine.drain();
        int[] soFar = engine.listener.of(1).tokens().subList(0, 4).stream()
                .mapToInt(Integer::intValue)
                .toArray();
        engine.session.submit(GenerationRequest.builder(2, prompt, params(1))
                .outputIds(soFar)
                .promptLogprobs(1, 10)
                .build());
        engine.drain();
        Recorded rest = engine.listener.of(2);
        assertThat(rest.logprobs()).isEqualTo(engine.listener.of(1).logprobs().subList(4, MAX_TOKENS));
        assertScored(prompt, 10, 1, rest);
    }

    @Test
    void asksForNoMoreThanIsKeptOrKnown() {
        assertThatThrownBy(() -> scored(1, new int[30_000], 20, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("prompt_logprobs 20 for 30000 prompt tokens are 630000 numbers, at most 524288");
        assertThatThrownBy(() -> scored(1, prompt(1), 21, 0)).hasMessageContaining("prompt_logprobs must be");
        assertThatThrownBy(() -> scored(1, prompt(1), 1, 101))
                .hasMessageContaining("logprob_start_len must be in [0, 100]");
        assertThatThrownBy(() -> SamplingParams.builder().logprobs(21).build())
                .hasMessage("logprobs must be -1 (none) or in [0, 20], got 21");
    }

    @Test
    void refusesIdsThatTheModelDoesNotKnow() {
        LoopFixture engine = new LoopFixture(FakeParts.of(FakeParts.wide()));
        SamplingParams params = SamplingParams.builder()
                .allowedTokenIds(new int[] {FakeParts.VOCAB_SIZE})
                .build();
        assertThatThrownBy(() -> engine.session.submit(new GenerationRequest(1, prompt(1), params)))
                .isInstanceOf(EngineException.class)
                .hasMessage("allowed_token_ids has token id 997, the model knows 0 to 996");
    }

    private static void assertScored(int[] prompt, int start, int numAlternatives, Recorded got) {
        PromptLogprobs scored = Objects.requireNonNull(got.promptLogprobs());
        assertThat(scored.start()).isEqualTo(start);
        assertThat(scored.len()).isEqualTo(prompt.length - start);
        assertThat(scored.numAlternatives()).isEqualTo(numAlternatives);
        for (int position = Math.max(1, start); position < prompt.length; position++) {
            assertThat(scored.logprob(position)).isEqualTo(FakeModel.logprob(prompt, position, prompt[position]));
            StringBuilder all = new StringBuilder();
            for (int rank = 0; rank < numAlternatives; rank++) {
                all.append(scored.alternativeId(position, rank))
                        .append(':')
                        .append(scored.alternativeLogprob(position, rank))
                        .append(' ');
            }
            assertThat(all.toString()).isEqualTo(alternatives(prompt, position, numAlternatives));
        }
    }

    private static String alternatives(int[] tokens, int len, int num) {
        StringBuilder all = new StringBuilder();
        int first = FakeModel.nextToken(tokens, len, FakeParts.VOCAB_SIZE);
        for (int rank = 0; rank < num; rank++) {
            int id = (first + rank) % FakeParts.VOCAB_SIZE;
            all.append(id)
                    .append(':')
                    .append(FakeModel.logprob(tokens, len, id))
                    .append(' ');
        }
        return all.toString();
    }

    private static int[] withOutput(int[] prompt, Recorded got) {
        int[] tokens = Arrays.copyOf(prompt, prompt.length + got.tokens().size());
        for (int i = 0; i < got.tokens().size(); i++) {
            tokens[prompt.length + i] = got.tokens().get(i);
        }
        return tokens;
    }

    private static GenerationRequest scored(long id, int[] prompt, int numAlternatives, int start) {
        return GenerationRequest.builder(id, prompt, params(1))
                .promptLogprobs(numAlternatives, start)
                .build();
    }

    private static GenerationRequest plain(long id, int[] prompt) {
        return new GenerationRequest(id, prompt, params(1));
    }

    private static SamplingParams params(int logprobs) {
        return SamplingParams.builder()
                .temperature(0)
                .ignoreEos(true)
                .maxTokens(MAX_TOKENS)
                .logprobs(logprobs)
                .build();
    }

    private static int[] prompt(int seed) {
        return new Random(seed).ints(PROMPT_LEN, 1, FakeParts.VOCAB_SIZE).toArray();
    }
}
