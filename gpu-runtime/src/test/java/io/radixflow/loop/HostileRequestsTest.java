package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import io.radixflow.grammar.HostileGrammars;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.RecordingListener;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests with hostile grammars beside others that mean well. */
@Timeout(240)
class HostileRequestsTest {

    /** A pattern takes what the regex in it takes. */
    private static final List<GrammarSpec> GRAMMARS = HostileGrammars.all().entrySet().stream()
            .filter(one -> !one.getKey().startsWith("pattern: "))
            .map(Map.Entry::getValue)
            .toList();

    private static final int ANSWER_LEN = 8;

    /** Of the others' requests, thousands are served meanwhile; that a few are shows that they don't wait. */
    private static final int FEW = 20;

    @Test
    void neitherStopTheEngineNorDelayTheirNeighbours() throws InterruptedException {
        try (Engine engine = Engines.start(FakeParts.of(FakeParts.wide()), System::nanoTime, "hostile")) {
            AtomicBoolean isOver = new AtomicBoolean();
            RecordingListener hostile = new RecordingListener();
            Thread enemy = new Thread(() -> {
                submitHostile(engine.open(hostile), hostile);
                isOver.set(true);
            });
            RecordingListener listener = new RecordingListener();
            EngineSession session = engine.open(listener);
            enemy.start();
            int id = 0;
            while (!isOver.get()) {
                submit(session, id, id % 2 == 0 ? null : GrammarSpec.of(GrammarSpec.Kind.REGEX, "(<[0-9]+> )*never"));
                listener.awaitEnded(++id);
            }
            enemy.join();
            assertThat(id).isGreaterThan(FEW);
            for (int i = 0; i < id; i++) {
                assertThat(listener.of(i).finishReason()).isEqualTo(FinishReason.LENGTH);
                assertThat(listener.of(i).tokens()).hasSize(ANSWER_LEN);
            }
            int numRefused = 0;
            int numAnswered = 0;
            for (int i = 0; i < GRAMMARS.size(); i++) {
                FinishReason reason = hostile.of(i).finishReason();
                numRefused += reason == FinishReason.INVALID_GRAMMAR ? 1 : 0;
                numAnswered += reason == FinishReason.LENGTH || reason == FinishReason.STOP ? 1 : 0;
            }
            assertThat(numRefused).isPositive();
            assertThat(numAnswered).isPositive();
            assertThat(engine.isRunning()).isTrue();
        }
    }

    private static void submitHostile(EngineSession session, RecordingListener listener) {
        for (int id = 0; id < GRAMMARS.size(); id++) {
            submit(session, id, GRAMMARS.get(id));
            listener.awaitEnded(id + 1);
        }
    }

    private static void submit(EngineSession session, int id, @Nullable GrammarSpec grammar) {
        SamplingParams params = SamplingParams.builder()
                .ignoreEos(true)
                .maxTokens(ANSWER_LEN)
                .grammar(grammar)
                .build();
        GenerationRequest request = new GenerationRequest(id, new int[] {1, 2, 3 + id % 50}, params);
        while (!session.submit(request)) {
            Thread.onSpinWait();
        }
    }
}
