package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.SamplingParams;
import io.radixflow.model.Model;
import io.radixflow.testkit.FakeBackend;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.ObservedModel;
import io.radixflow.testkit.RecordingListener;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class RunningEngineTest {

    private static final SamplingParams ENDLESS =
            SamplingParams.builder().ignoreEos(true).maxTokens(4000).build();

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
        for (int id = 0; id < 50; id++) {
            assertThat(session.submit(new GenerationRequest(id, new int[] {1, 2, id}, ENDLESS)))
                    .isTrue();
        }
        engine.close();
        assertThat(listener.numEnded()).isEqualTo(50);
        assertThat(listener.of(49).finishReason()).isIn(FinishReason.ABORT, FinishReason.LENGTH);
        assertThatThrownBy(() -> session.submit(new GenerationRequest(99, new int[] {1}, ENDLESS)))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("closed");
        session.abort(3);
        session.close();
    }

    @Test
    void aFailingStepStopsTheEngineAndTellsTheClients() {
        EngineParts parts = withModel(model -> new ObservedModel(model, batch -> {
            throw new IllegalStateException("no arithmetic today");
        }));
        Engine engine = Engines.start(parts, System::nanoTime, "failing");
        RecordingListener listener = new RecordingListener();
        EngineSession session = engine.open(listener);
        session.submit(new GenerationRequest(1, new int[] {1}, SamplingParams.greedy(5)));
        listener.awaitEnded(1);
        EngineException failure = Objects.requireNonNull(listener.failure());
        assertThat(failure.category()).isEqualTo(EngineException.Category.INVARIANT);
        assertThat(failure).hasMessageContaining("no arithmetic today");
        assertThat(engine.isRunning()).isFalse();
        assertThatThrownBy(() -> session.submit(new GenerationRequest(2, new int[] {1}, SamplingParams.greedy(5))))
                .isInstanceOf(EngineException.class);
        RecordingListener late = new RecordingListener();
        engine.open(late);
        assertThat(late.failure()).isSameAs(failure);
        assertThatThrownBy(engine::close).isSameAs(failure);
        assertThat(((FakeBackend) parts.backend()).isClosed()).isTrue();
    }

    @Test
    void aClientHearsWhichOfItsRequestsWereInTheFailedStep() {
        CountDownLatch isFailureWanted = new CountDownLatch(1);
        EngineParts parts = withModel(model -> new ObservedModel(model, batch -> {
            if (isFailureWanted.getCount() == 0) {
                throw new IllegalStateException("no arithmetic any more");
            }
        }));
        Engine engine = Engines.start(parts, System::nanoTime, "accusing");
        RecordingListener first = new RecordingListener();
        RecordingListener second = new RecordingListener();
        EngineSession ofFirst = engine.open(first);
        ofFirst.submit(new GenerationRequest(7, new int[] {1}, ENDLESS));
        ofFirst.submit(new GenerationRequest(8, new int[] {2}, ENDLESS));
        ofFirst.submit(new GenerationRequest(9, new int[] {3}, SamplingParams.greedy(1)));
        EngineSession ofSecond = engine.open(second);
        ofSecond.submit(new GenerationRequest(7, new int[] {4}, ENDLESS));
        ofSecond.submit(new GenerationRequest(10, new int[] {5}, SamplingParams.greedy(1)));
        first.awaitEnded(1);
        second.awaitEnded(1); // so the endless ones run
        isFailureWanted.countDown();
        first.awaitEnded(2);
        second.awaitEnded(2);
        assertThat(first.failedStep()).containsExactlyInAnyOrder(7, 8);
        assertThat(second.failedStep()).containsExactly(7);
        assertThatThrownBy(engine::close).isInstanceOf(EngineException.class);
    }

    @Test
    void aHungStepCountsAsFailedAndItsMemoryIsFreedWhenItEnds() throws InterruptedException {
        CountDownLatch isReleased = new CountDownLatch(1);
        EngineParts parts = withModel(model -> new ObservedModel(model, batch -> awaitUninterrupted(isReleased)));
        FakeBackend backend = (FakeBackend) parts.backend();
        Engine engine = Engines.start(parts, System::nanoTime, "hung", 0.1);
        RecordingListener listener = new RecordingListener();
        EngineSession session = engine.open(listener);
        session.submit(new GenerationRequest(5, new int[] {1}, ENDLESS));
        listener.awaitEnded(1);
        assertThat(listener.failure()).hasMessageContaining("--watchdog-timeout");
        assertThat(listener.failedStep()).containsExactly(5);
        assertThat(engine.isRunning()).isFalse();

        engine.close(); // returns, though the thread does not
        assertThat(backend.isClosed()).isFalse();
        Thread left = thread("radixflow-engine-hung");
        isReleased.countDown();
        left.join();
        assertThat(backend.isClosed()).isTrue();
        assertThat(listener.has(5)).as("an output after the failure").isFalse();
    }

    @Test
    void tellsTheDevicesMemoryAndHowManyDecodeStepsItReplayed() {
        try (Engine engine = Engines.start(FakeParts.of(FakeParts.wide()), System::nanoTime, "counted")) {
            RecordingListener listener = new RecordingListener();
            SamplingParams five =
                    SamplingParams.builder().maxTokens(5).ignoreEos(true).build();
            engine.open(listener).submit(new GenerationRequest(1, new int[] {1, 2, 3}, five));
            listener.awaitEnded(1);
            assertThat(engine.stats().deviceUsedBytes()).isEqualTo(1 << 20);
            assertThat(engine.stats().numDecodeSteps()).isEqualTo(4);
            assertThat(engine.stats().numReplayedSteps()).isEqualTo(4);
            assertThat(engine.stats().cudaGraphHitRate()).isEqualTo(1);
        }
    }

    @Test
    void anIdleEngineIsNotHung() throws InterruptedException {
        try (Engine engine = Engines.start(FakeParts.of(FakeParts.wide()), System::nanoTime, "idle", 0.05)) {
            RecordingListener listener = new RecordingListener();
            EngineSession session = engine.open(listener);
            Thread watchdog = thread("radixflow-watchdog-idle");
            watchdog.join(500); // ten times its patience
            assertThat(watchdog.isAlive()).as("it gave no alarm").isTrue();
            session.submit(new GenerationRequest(1, new int[] {1}, SamplingParams.greedy(3)));
            listener.awaitEnded(1);
            assertThat(listener.failure()).isNull();
        }
    }

    /** That a grammar delays no neighbours is for {@link GrammarQueueTest}, where it takes as long as the test wants. */
    @Test
    void closingEndsTheThreadsThatCompileGrammars() throws InterruptedException {
        GrammarSpec slow = GrammarSpec.of(GrammarSpec.Kind.REGEX, "(<1> |<2> )*<1> (<1> |<2> ){13}");
        GrammarSpec quick = GrammarSpec.of(GrammarSpec.Kind.REGEX, "<7> <8> ");
        RecordingListener listener = new RecordingListener();
        Engine engine = Engines.start(FakeParts.of(FakeParts.wide()), System::nanoTime, "grammars");
        EngineSession session = engine.open(listener);
        SamplingParams params = SamplingParams.greedy(5);
        session.submit(new GenerationRequest(
                1, new int[] {1}, params.toBuilder().grammar(slow).build()));
        session.submit(new GenerationRequest(
                2, new int[] {2}, params.toBuilder().grammar(quick).build()));
        listener.awaitEnded(1);
        List<Thread> compilers = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("radixflow-grammar-grammars"))
                .toList();
        engine.close();
        listener.awaitEnded(2);
        for (Thread thread : compilers) {
            thread.join(60_000); // a compilation under way comes to its end first
            assertThat(thread.isAlive()).isFalse();
        }
    }

    private static Thread thread(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        while (latch.getCount() > 0) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                // a kernel would not notice either
            }
        }
    }

    private static EngineParts withModel(UnaryOperator<Model> wrapper) {
        EngineParts good = FakeParts.of(FakeParts.wide());
        return new EngineParts(
                good.backend(),
                wrapper.apply(good.model()),
                good.kvCache(),
                good.tokenBytes(),
                good.eosIds(),
                good.scheduling(),
                good.logIntervalSeconds());
    }
}
