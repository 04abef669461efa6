package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.engine.StepOutput;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests whose grammars take their time, compiled when the test says so. The model prefers A, then B, C, D; E ends an answer. */
class GrammarQueueTest {

    private static final int A = 0;
    private static final int B = 1;
    private static final int D = 3;
    private static final int E = 4;
    private static final long LATE = 1_000;

    private final Queue<Runnable> toCompile = new ArrayDeque<>();
    private final LoopFixture engine = new LoopFixture(
            FixedLogits.parts(
                    new float[] {5, 4, 3, 2, 1},
                    new int[] {E},
                    new SchedulerConfig(1000, 200, 8, 64, 512, Policy.FCFS, 1.0, true, 0)),
            toCompile::add);

    @AfterEach
    void close() {
        engine.loop.shutDown(); // finds leaks
        engine.parts.backend().close();
    }

    private static SamplingParamsBuilder greedy() {
        return SamplingParams.builder().temperature(0).maxTokens(6);
    }

    private static GenerationRequest constrained(long id, String regex, int... outputIds) {
        GrammarSpec grammar = GrammarSpec.of(GrammarSpec.Kind.REGEX, regex);
        return GenerationRequest.builder(
                        id, new int[] {D}, greedy().grammar(grammar).build())
                .outputIds(outputIds)
                .build();
    }

    private void compileNext() {
        toCompile.remove().run();
    }

    @Test
    void neighboursAreAnsweredWhileAGrammarIsCompiled() {
        engine.session.submit(constrained(1, "AB"));
        engine.session.submit(new GenerationRequest(2, new int[] {D}, greedy().build()));
        engine.session.submit(constrained(3, "BA"));
        engine.drain();
        assertThat(engine.listener.of(2).text()).isEqualTo("AAAAAA");
        assertThat(engine.loop.stats().read().numGrammarQueueReqs()).isEqualTo(2);
        assertThat(engine.loop.stats().read().numQueueReqs()).isZero();
        assertThat(engine.loop.scheduler().numWaiting()).isZero();

        Runnable first = toCompile.remove();
        compileNext();
        engine.drain();
        assertThat(engine.listener.of(3).text()).isEqualTo("BA");
        assertThat(engine.loop.stats().read().numGrammarQueueReqs()).isEqualTo(1);
        first.run();
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("AB");
        assertThat(engine.loop.stats().read().numGrammarQueueReqs()).isZero();
    }

    @Test
    void aRestoredRequestGoesOnWhereItWas() {
        engine.session.submit(constrained(1, "AB{3}C", A, B));
        engine.drain();
        compileNext();
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("BBC");
    }

    @Test
    void aGrammarIsCompiledOnceForAllWhoAskForIt() {
        List<Long> compileTimes = new ArrayList<>();
        Session session = engine.open(new GenerationListener() {
            @Override
            public void onStep(StepOutput output) {
                engine.listener.onStep(output);
            }

            @Override
            public void onFailure(EngineException cause, long[] inStep) {
                throw cause;
            }

            @Override
            public void onGrammarCompiled(long nanos) {
                compileTimes.add(nanos);
            }
        });
        session.submitAll(List.of(constrained(1, "AB"), constrained(2, "AB"), constrained(3, "(")));
        assertThat(toCompile).hasSize(2);
        compileNext();
        compileNext();
        engine.drain();
        session.submitAll(List.of(constrained(4, "AB"), constrained(5, "(")));
        assertThat(toCompile).isEmpty();
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEqualTo("AB");
        assertThat(engine.listener.of(2).text()).isEqualTo("AB");
        assertThat(engine.listener.of(4).text()).isEqualTo("AB");
        assertThat(engine.listener.of(3).finishReason()).isEqualTo(FinishReason.INVALID_GRAMMAR);
        assertThat(engine.listener.of(5).error()).contains("regex: missing )");
        assertThat(compileTimes).hasSize(2).allMatch(nanos -> nanos >= 0);
    }

    @Test
    void whoWaitsForAGrammarCanBeAbortedAndTimesOut() {
        engine.session.submit(constrained(1, "AB"));
        GenerationRequest late = constrained(2, "AB");
        engine.session.submit(GenerationRequest.builder(2, late.promptIds(), late.sampling())
                .deadlineNanos(LATE)
                .build());
        engine.drain();
        engine.session.abort(1);
        engine.clock.set(LATE);
        engine.drain();
        assertThat(engine.listener.of(1).finishReason()).isEqualTo(FinishReason.ABORT);
        assertThat(engine.listener.of(2).finishReason()).isEqualTo(FinishReason.TIMEOUT);
        assertThat(engine.loop.stats().read().numGrammarQueueReqs()).isZero();
        compileNext();
        engine.drain();
        assertThat(engine.listener.of(1).text()).isEmpty();
    }

    @Test
    void aClosedSessionAndAClosedEngineWaitForNoGrammar() {
        Session other = engine.open(engine.listener);
        other.submit(constrained(1, "AB"));
        engine.session.submit(constrained(2, "AB"));
        engine.drain();
        other.close();
        engine.drain();
        assertThat(engine.loop.stats().read().numGrammarQueueReqs()).isEqualTo(1);
        engine.loop.shutDown();
        assertThat(engine.listener.of(2).finishReason()).isEqualTo(FinishReason.ABORT);
        compileNext();
    }
}
