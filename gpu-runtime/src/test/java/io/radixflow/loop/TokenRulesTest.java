package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.RecordingListener.Recorded;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rules about tokens and ends through the loop. The model always prefers A, then B, C, D; E ends an answer. */
class TokenRulesTest {

    private static final int A = 0;
    private static final int B = 1;
    private static final int C = 2;
    private static final int D = 3;
    private static final int E = 4;

    private final LoopFixture engine = new LoopFixture(FixedLogits.parts(
            new float[] {5, 4, 3, 2, 1},
            new int[] {E},
            new SchedulerConfig(1000, 200, 8, 64, 512, Policy.FCFS, 1.0, true, 0)));

    private long nextId = 100;

    @AfterEach
    void close() {
        engine.parts.backend().close();
    }

    @Test
    void aBadWordOfOneTokenNeverComesUp() {
        assertThat(run(greedy(4).badWords(List.of(new int[] {A}))).text()).isEqualTo("BBBB");
    }

    @Test
    void onlyTheLastTokenOfALongerBadWordIsBannedAndOnlyBehindTheOthers() {
        assertThat(run(greedy(7).badWords(List.of(new int[] {A, A, A}))).text()).isEqualTo("AABAABA");
        assertThat(run(greedy(6).badWords(List.of(new int[] {A, A}, new int[] {A, B})))
                        .text())
                .isEqualTo("ACACAC");
    }

    @Test
    void aBadWordDoesNotBeginInThePrompt() {
        assertThat(run(new int[] {A, A}, greedy(3).badWords(List.of(new int[] {A, A, A})))
                        .text())
                .isEqualTo("AAB");
    }

    @Test
    void aRestoredRequestRemembersItsOutput() {
        SamplingParams params = greedy(4).badWords(List.of(new int[] {A, A, A})).build();
        engine.session.submit(GenerationRequest.builder(1, new int[] {D}, params)
                .outputIds(new int[] {A, A})
                .build());
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("BA");
    }

    @Test
    void drawsAllowedTokensAlone() {
        assertThat(run(greedy(3).allowedTokenIds(new int[] {D, C})).text()).isEqualTo("CCC");
    }

    @Test
    void aBiasShiftsTheChoice() {
        assertThat(run(greedy(2).logitBias(new int[] {D}, new float[] {3.5f})).text())
                .isEqualTo("DD");
        assertThat(run(greedy(2).logitBias(new int[] {A, B}, new float[] {-100, -100}))
                        .text())
                .isEqualTo("CC");
    }

    @Test
    void logprobsAreTheModelsWhateverTheRules() {
        Recorded free = run(greedy(3).logprobs(5));
        Recorded ruled = run(SamplingParams.builder()
                .temperature(0.3f)
                .maxTokens(3)
                .logprobs(5)
                .presencePenalty(1)
                .logitBias(new int[] {A}, new float[] {20})
                .badWords(List.of(new int[] {B})));
        double sum = Math.exp(5) + Math.exp(4) + Math.exp(3) + Math.exp(2) + Math.exp(1);
        assertThat(free.logprobs())
                .hasSize(3)
                .allSatisfy(value -> assertThat((double) value).isEqualTo(5 - Math.log(sum), within(1e-6)));
        assertThat(ruled.text()).isEqualTo("AAA");
        assertThat(ruled.logprobs()).isEqualTo(free.logprobs());
        assertThat(ruled.alternatives()).isEqualTo(free.alternatives());
        assertThat(free.alternatives().get(0)).startsWith("0:").contains(" 1:", " 2:", " 3:", " 4:");
    }

    @Test
    void aRequestWithoutATokenToDrawEndsAlone() {
        engine.session.submit(new GenerationRequest(1, new int[] {A}, greedy(20).build()));
        engine.session.submit(new GenerationRequest(
                2,
                new int[] {B},
                greedy(20)
                        .allowedTokenIds(new int[] {A, B})
                        .badWords(List.of(new int[] {B}, new int[] {A, A}))
                        .build()));
        engine.session.submit(new GenerationRequest(
                3,
                new int[] {C},
                greedy(20).allowedTokenIds(new int[] {E}).minTokens(1).build()));
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("A".repeat(20));
        Recorded second = engine.listener.of(2);
        assertThat(second.text()).isEqualTo("A");
        assertThat(second.finishReason()).isEqualTo(FinishReason.ERROR);
        assertThat(second.error())
                .isEqualTo("no token can be drawn: logit_bias, bad_words, allowed_token_ids and min_tokens leave none"
                        + " at output position 1");
        assertThat(engine.listener.of(3).finishReason()).isEqualTo(FinishReason.ERROR);
        assertThat(engine.listener.of(3).tokens()).isEmpty();
        assertThat(engine.listener.of(3).numEnds()).isEqualTo(1);
        engine.loop.shutDown(); // finds leaks
    }

    @Test
    void saysWhichStopEndedTheAnswer() {
        Recorded byString = run(greedy(9).badWords(List.of(new int[] {A, A, A})).stop(List.of("BB", "AB", "ABA")));
        assertThat(byString.text()).isEqualTo("A");
        assertThat(byString.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(byString.matchedStop()).isEqualTo("AB");

        Recorded byToken = run(greedy(9).badWords(List.of(new int[] {A, A})).stopTokenIds(new int[] {B}));
        assertThat(byToken.text()).isEqualTo("A");
        assertThat(byToken.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(byToken.matchedStop()).isNull();
        assertThat(Collections.max(byToken.tokens())).isEqualTo(B);

        Recorded byLength = run(greedy(2).stop(List.of("AAA")));
        assertThat(byLength.matchedStop()).isNull();
        assertThat(byLength.text()).isEqualTo("AA");
    }

    @Test
    void noStopTrimLeavesTheStopInTheText() {
        List<int[]> badWords = List.of(new int[] {A, A, A});
        assertThat(run(greedy(9).badWords(badWords).stop(List.of("AB")).noStopTrim(true))
                        .text())
                .isEqualTo("AAB");
        assertThat(run(greedy(9).badWords(badWords).stopTokenIds(new int[] {B}).noStopTrim(true))
                        .text())
                .isEqualTo("AAB");
        assertThat(run(greedy(9).allowedTokenIds(new int[] {E}).noStopTrim(true))
                        .text())
                .isEqualTo("E");
        assertThat(run(greedy(9).allowedTokenIds(new int[] {E})).text()).isEmpty();
    }

    @Test
    void ignoreEosGoesOnPastIt() {
        Recorded got = run(greedy(3).allowedTokenIds(new int[] {E}).ignoreEos(true));
        assertThat(got.text()).isEqualTo("EEE");
        assertThat(got.finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void namesTheFieldThatIsWrong() {
        SamplingParamsBuilder builder = SamplingParams.builder();
        assertThatThrownBy(() -> builder.logitBias(new int[] {3}, new float[] {100.5f}))
                .hasMessage("logit_bias must be in [-100, 100], got 100.5 for token 3");
        assertThatThrownBy(() -> builder.logitBias(new int[] {3}, new float[] {Float.NaN}))
                .hasMessageStartingWith("logit_bias must be in");
        assertThatThrownBy(() -> builder.logitBias(new int[] {3, 4, 3}, new float[3]))
                .hasMessage("logit_bias must name a token once, got 3 twice");
        assertThatThrownBy(() -> builder.badWords(List.of(new int[] {1}, new int[0])))
                .hasMessage("bad_words must be sequences of 1 to 64 tokens, got one of 0");
        assertThatThrownBy(() -> builder.allowedTokenIds(new int[] {-2}))
                .hasMessage("allowed_token_ids must hold token ids, 0 or more, got -2");
        assertThatThrownBy(() -> builder.badWords(Collections.nCopies(1025, new int[] {1})))
                .hasMessage("bad_words must be at most 1024 sequences, got 1025");
    }

    private static SamplingParamsBuilder greedy(int maxTokens) {
        return SamplingParams.builder().temperature(0).maxTokens(maxTokens);
    }

    private Recorded run(SamplingParamsBuilder params) {
        return run(new int[] {D}, params);
    }

    private Recorded run(int[] prompt, SamplingParamsBuilder params) {
        long id = nextId++;
        engine.session.submit(new GenerationRequest(id, prompt, params.build()));
        engine.drain();
        return engine.listener.of(id);
    }
}
