package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.RecordingListener.Recorded;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Grammars through the loop. The model always prefers A, then B, C, D; E ends an answer. */
class GrammarTest {

    private static final int A = 0;
    private static final int B = 1;
    private static final int C = 2;
    private static final int D = 3;
    private static final int E = 4;

    private final LoopFixture engine = new LoopFixture(FixedLogits.parts(
            new float[] {5, 4, 3, 2, 1},
            new int[] {E},
            new SchedulerConfig(1000, 200, 8, 64, 512, Policy.FCFS, 1.0, true, 0)));

    @AfterEach
    void close() {
        engine.parts.backend().close();
    }

    private static SamplingParamsBuilder greedy(String regex) {
        return SamplingParams.builder()
                .temperature(0)
                .maxTokens(20)
                .grammar(GrammarSpec.of(GrammarSpec.Kind.REGEX, regex));
    }

    private void submit(long id, SamplingParamsBuilder params, int... outputIds) {
        engine.session.submit(GenerationRequest.builder(id, new int[] {D}, params.build())
                .outputIds(outputIds)
                .build());
    }

    @Test
    void rowsWithAndWithoutAGrammarRunTogether() {
        submit(1, greedy("(AB|BA){2}C?"));
        submit(2, SamplingParams.builder().temperature(0).maxTokens(5));
        submit(3, greedy("D+"));
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("ABABC");
        assertThat(engine.listener.of(1).finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(engine.listener.of(1).tokens()).containsExactly(A, B, A, B, C);
        assertThat(engine.listener.of(2).text()).isEqualTo("AAAAA");
        assertThat(engine.listener.of(3).text()).isEqualTo("D".repeat(20));
        assertThat(engine.listener.of(3).finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void endTokensAreDrawnOnlyWhereTheTextIsComplete() {
        SamplingParamsBuilder wantsToEnd = greedy("DD(BB)*").logitBias(new int[] {E}, new float[] {50});
        submit(1, wantsToEnd);
        submit(2, greedy("DD(BB)*").logitBias(new int[] {E}, new float[] {50}).minTokens(3));
        submit(3, greedy("DD(BB)*").stopTokenIds(new int[] {B}));
        submit(4, greedy("DC").ignoreEos(true));
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("DD");
        assertThat(engine.listener.of(2).text()).isEqualTo("DDBB");
        assertThat(engine.listener.of(3).text()).isEqualTo("DD");
        assertThat(engine.listener.of(4).text()).isEqualTo("DC");
        assertThat(engine.listener.of(4).finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void aRestoredRequestGoesOnInItsGrammar() {
        submit(1, greedy("AB{3}C"), A, B);
        submit(2, greedy("AB{3}C"), C);
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("BBC");
        assertThat(engine.listener.of(2).finishReason()).isEqualTo(FinishReason.ERROR);
        assertThat(engine.listener.of(2).error()).contains("the grammar");
        engine.loop.shutDown(); // finds leaks
    }

    @Test
    void aTextThatTheVocabularyCannotWriteEndsAlone() {
        submit(1, greedy("AZ"));
        submit(2, greedy("AB"));
        engine.drain();
        assertThat(engine.listener.of(1).finishReason()).isEqualTo(FinishReason.ERROR);
        assertThat(engine.listener.of(2).text()).isEqualTo("AB");
    }

    @Test
    void aGrammarThatCannotBeCompiledEndsItsRequestAlone() {
        submit(1, greedy("("));
        submit(2, greedy("AB"));
        engine.drain();
        assertThat(engine.listener.of(1).finishReason()).isEqualTo(FinishReason.INVALID_GRAMMAR);
        assertThat(engine.listener.of(1).error()).contains("regex: missing )");
        assertThat(engine.listener.of(2).text()).isEqualTo("AB");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void stepsPlannedAheadWaitForTheTokensOfGrammars(int maxStepsInFlight) {
        LoopFixture ahead = new LoopFixture(FakeParts.of(FakeParts.wide(), maxStepsInFlight));
        for (int id = 0; id < 6; id++) {
            SamplingParamsBuilder params =
                    SamplingParams.builder().temperature(1).seed(id).maxTokens(30);
            if (id % 2 == 0) {
                params.grammar(GrammarSpec.of(GrammarSpec.Kind.REGEX, "(<1[0-9]*> <[2-9]> )+<777> "));
            }
            ahead.session.submit(new GenerationRequest(id, new int[] {5, 6, 7 + id}, params.build()));
        }
        ahead.drain();
        for (int id = 0; id < 6; id += 2) {
            Recorded answer = ahead.listener.of(id);
            assertThat(answer.text()).matches("(<1[0-9]*> <[2-9]> )*(<1[0-9]*> )?(<777> )?");
            if (answer.finishReason() == FinishReason.STOP) {
                assertThat(answer.text()).endsWith("<777> ");
            }
        }
        ahead.loop.shutDown();
    }
}
