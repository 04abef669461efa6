package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Tensor;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.model.Model;
import io.radixflow.testkit.FakeBackend;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.RecordingListener;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class RunningEngineTest {

    @Test
    void servesSeveralSessionsAndLeavesNoThread() throws InterruptedException {
        EngineParts parts = FakeParts.of(FakeParts.wide());
        Engine engine = Engines.start(parts, System::nanoTime, "served");
        RecordingListener[] listeners = new RecordingListener[4];
        Thread[] clients = new Thread[4];
        for (int client = 0; client < 4; client++) {
            RecordingListener listener = new RecordingListener();
            listeners[client] = listener;
            EngineSession session = engine.open(listener);
            int topic = client;
            clients[client] = new Thread(() -> {
                for (int id = 0; id < 100; id++) {
                    GenerationRequest request =
                            new GenerationRequest(id, new int[] {1 + topic, 2, 3 + id}, SamplingParams.greedy(20));
                    while (!session.submit(request)) {
                        Thread.onSpinWait();
                    }
                }
            });
            clients[client].start();
        }
        for (int client = 0; client < 4; client++) {
            clients[client].join();
            listeners[client].awaitEnded(100);
            assertThat(listeners[client].of(99).numEnds()).isEqualTo(1);
        }
        assertThat(engine.stats().numRequestsTotal()).isEqualTo(400);
        assertThat(engine.stats().generationTokensTotal()).isPositive();
        engine.close();
        engine.close();
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().equals("radixflow-engine-served"));
        assertThat(((FakeBackend) parts.backend()).isClosed()).isTrue();
    }

    @Test
    void closingAbortsWhatRunsAndRefusesMore() {
        Engine engine = Engines.start(FakeParts.of(FakeParts.wide()), System::nanoTime, "closed");
        RecordingListener listener = new RecordingListener();
        EngineSession session = engine.open(listener);
        SamplingParams endless =
                SamplingParams.builder().ignoreEos(true).maxTokens(4000).build();
        for (int id = 0; id < 50; id++) {
            assertThat(session.submit(new GenerationRequest(id, new int[] {1, 2, id}, endless)))
                    .isTrue();
        }
        engine.close();
        assertThat(listener.numEnded()).isEqualTo(50);
        assertThat(listener.of(49).finishReason()).isIn(FinishReason.ABORT, FinishReason.LENGTH);
        assertThatThrownBy(() -> session.submit(new GenerationRequest(99, new int[] {1}, endless)))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("closed");
        session.abort(3);
        session.close();
    }

    @Test
    void aFailingStepStopsTheEngineAndTellsTheClients() {
        EngineParts good = FakeParts.of(FakeParts.wide());
        EngineParts bad = new EngineParts(
                good.backend(),
                new FailingModel(good.model()),
                good.kvCache(),
                good.tokenBytes(),
                good.eosIds(),
                good.scheduling(),
                good.logIntervalSeconds());
        Engine engine = Engines.start(bad, System::nanoTime, "failing");
        RecordingListener listener = new RecordingListener();
        EngineSession session = engine.open(listener);
        session.submit(new GenerationRequest(1, new int[] {1}, SamplingParams.greedy(5)));
        listener.awaitEnded(1);
        EngineException failure = Objects.requireNonNull(listener.failure());
        assertThat(failure.category()).isEqualTo(EngineException.Category.INVARIANT);
        assertThat(failure).hasMessageContaining("no arithmetic today");
        assertThatThrownBy(() -> session.submit(new GenerationRequest(2, new int[] {1}, SamplingParams.greedy(5))))
                .isInstanceOf(EngineException.class);
        assertThatThrownBy(engine::close).isSameAs(failure);
        assertThat(((FakeBackend) good.backend()).isClosed()).isTrue();
    }

    /** A model whose steps fail. */
    private static final class FailingModel implements Model {
        private final Model model;

        FailingModel(Model model) {
            this.model = model;
        }

        @Override
        public KvLayout kvLayout(int numSlots, KvLayout.ElementType type) {
            return model.kvLayout(numSlots, type);
        }

        @Override
        public int vocabSize() {
            return model.vocabSize();
        }

        @Override
        public int maxLogitRows() {
            return model.maxLogitRows();
        }

        @Override
        public void forward(ForwardBatch batch, KvCache cache) {
            throw new IllegalStateException("no arithmetic today");
        }

        @Override
        public Tensor logits(int firstRow, int rows) {
            return model.logits(firstRow, rows);
        }
    }
}
