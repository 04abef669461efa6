package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.FakeParts;
import io.radixflow.testkit.ObservedModel;
import io.radixflow.testkit.RecordingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class EngineRegistryTest {

    private static final List<Integer> NO_GPUS = List.of();
    private static final int POISON = 666;

    @TempDir
    private Path folder;

    private final List<Engine> started = new ArrayList<>();
    private final List<Integer> gpus = new ArrayList<>();
    private final List<ClassLoader> contextClassLoaders = new ArrayList<>();
    private final EngineRegistry registry = new EngineRegistry(this::start);

    /** An engine of fakes; a prompt of {@link #POISON} kills it. */
    private Engine start(EngineConfig config) {
        EngineParts good = FakeParts.of(FakeParts.wide());
        ObservedModel model = new ObservedModel(good.model(), batch -> {
            if (batch.tokenId[0] == POISON && batch.position[0] == 0) { // drawn, it is a token like others
                throw new IllegalStateException("poison");
            }
        });
        EngineParts parts = new EngineParts(
                good.backend(),
                model,
                good.kvCache(),
                good.tokenBytes(),
                good.eosIds(),
                good.scheduling(),
                good.logIntervalSeconds());
        contextClassLoaders.add(Thread.currentThread().getContextClassLoader());
        gpus.add(config.get(EngineOptions.BASE_GPU_ID));
        Engine engine = Engines.start(parts, System::nanoTime, "leased");
        started.add(engine);
        return engine;
    }

    @AfterEach
    void closeAll() {
        registry.closeKept();
        assertThat(started).noneMatch(Engine::isRunning);
    }

    private static EngineConfig config(String... options) {
        Map<String, String> texts = new HashMap<>();
        for (int i = 0; i < options.length; i += 2) {
            texts.put(options[i], options[i + 1]);
        }
        return EngineConfig.of(texts);
    }

    private static EngineConfig kept(String... options) {
        Map<String, String> texts = new HashMap<>(config(options).asMap());
        texts.put("engine-keep-alive", "100");
        return EngineConfig.of(texts);
    }

    private static int cachedLen(Engine engine) {
        RecordingListener listener = new RecordingListener();
        try (EngineSession session = engine.open(listener)) {
            session.submit(new GenerationRequest(1, new int[] {1, 2, 3, 4, 5}, SamplingParams.greedy(2)));
            listener.awaitEnded(1);
        }
        return listener.of(1).cachedLen();
    }

    @Test
    void aKeptEngineComesBackWithItsPrefixCache() {
        for (int job = 0; job < 3; job++) {
            try (Engine engine = registry.lease(kept(), NO_GPUS)) {
                assertThat(engine.stats().numRequestsTotal()).isZero();
                assertThat(cachedLen(engine)).isEqualTo(job == 0 ? 0 : 4);
                assertThat(engine.stats().numRequestsTotal()).isEqualTo(1);
            }
        }
        assertThat(started).hasSize(1);
    }

    @Test
    void theEndOfALeaseAbortsItsRequests() {
        RecordingListener listener = new RecordingListener();
        Engine first = registry.lease(kept(), NO_GPUS);
        EngineSession session = first.open(listener);
        SamplingParams endless =
                SamplingParams.builder().ignoreEos(true).maxTokens(4000).build();
        session.submit(new GenerationRequest(1, new int[] {1}, endless));
        first.close();
        first.close();
        try (Engine second = registry.lease(kept(), NO_GPUS)) {
            cachedLen(second); // the engine takes commands in their order
            assertThat(second.stats().numRunningReqs()).isZero();
            assertThatThrownBy(() -> first.open(listener)).isInstanceOf(IllegalStateException.class);
        }
        assertThat(started).hasSize(1);
    }

    @Test
    void anEngineIsClosedAtOnceByDefault() {
        registry.lease(config(), NO_GPUS).close();
        assertThat(started.get(0).isRunning()).isFalse();
    }

    @Test
    void anEngineThatNobodyComesBackForIsClosed() throws InterruptedException {
        registry.lease(config("engine-keep-alive", "0.05"), NO_GPUS).close();
        while (started.get(0).isRunning()) {
            Thread.onSpinWait();
        }
        registry.lease(config(), NO_GPUS).close();
        assertThat(started).hasSize(2);
    }

    @Test
    void subtasksShareNoEngine() {
        try (Engine first = registry.lease(kept(), NO_GPUS);
                Engine second = registry.lease(kept(), NO_GPUS)) {
            assertThat(first.isRunning() && second.isRunning()).isTrue();
        }
        try (Engine first = registry.lease(kept(), NO_GPUS);
                Engine second = registry.lease(kept(), NO_GPUS)) {
            assertThat(first.isRunning() && second.isRunning()).isTrue();
        }
        assertThat(started).hasSize(2);
    }

    @Test
    void aFailedEngineIsNeverHandedOutAgain() {
        Engine failing = registry.lease(kept(), NO_GPUS);
        RecordingListener listener = new RecordingListener();
        failing.open(listener).submit(new GenerationRequest(1, new int[] {POISON}, SamplingParams.greedy(1)));
        listener.awaitEnded(1);
        assertThatThrownBy(failing::close).hasMessageContaining("poison");
        try (Engine next = registry.lease(kept(), NO_GPUS)) {
            assertThat(cachedLen(next)).isZero();
        }
        assertThat(started).hasSize(2);
    }

    @Test
    void aKeptEngineGivesWayToAnotherConfiguration() {
        registry.lease(kept(), NO_GPUS).close();
        Engine other = registry.lease(kept("max-running-requests", "3"), NO_GPUS);
        assertThat(started.get(0).isRunning()).isFalse();
        other.close();
        registry.lease(kept("max-running-requests", "3", "stream-interval", "9"), NO_GPUS)
                .close();
        assertThat(started)
                .as("what is not the engine's does not tell engines apart")
                .hasSize(2);
    }

    @Test
    void anotherModelUnderTheSamePathIsAnotherEngine() throws IOException {
        Path model = Files.writeString(folder.resolve("model.gguf"), "one");
        registry.lease(kept("model-path", model.toString()), NO_GPUS).close();
        registry.lease(kept("model-path", folder.toString()), NO_GPUS).close();
        Files.writeString(model, "another");
        registry.lease(kept("model-path", model.toString()), NO_GPUS).close();
        registry.lease(kept("model-path", folder.toString()), NO_GPUS).close();
        assertThat(started).hasSize(4);
    }

    @Test
    void eachSubtaskClaimsAGpuOfItsOwn() {
        EngineConfig cuda = kept("device", "cuda");
        Engine first = registry.lease(cuda, List.of(2, 3));
        Engine second = registry.lease(cuda, List.of(2, 3));
        assertThat(gpus).containsExactly(2, 3);
        assertThatThrownBy(() -> registry.lease(cuda, List.of(2, 3)))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("external-resource.gpu.amount");
        first.close();
        second.close();
        Engine again = registry.lease(cuda, List.of(3));
        Engine other = registry.lease(kept("device", "cuda", "page-size", "16"), List.of(3, 2));
        assertThat(started).hasSize(3);
        assertThat(gpus).as("of which one made room").containsExactly(2, 3, 2);
        assertThat(started.get(0).isRunning()).isFalse();
        again.close();
        other.close();
    }

    @Test
    void anEngineThatDoesNotStartLeavesItsGpuFree() {
        EngineRegistry failing = new EngineRegistry(config -> {
            throw new EngineException(EngineException.Category.CONFIGURATION, "no such device");
        });
        for (int attempt = 0; attempt < 2; attempt++) {
            assertThatThrownBy(() -> failing.lease(config("device", "cuda"), List.of(0)))
                    .hasMessageContaining("no such device");
        }
    }

    @Test
    void enginesDoNotHoldOnToAJobsClassLoader() {
        ClassLoader ofJob = new ClassLoader(getClass().getClassLoader()) {};
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        Thread.currentThread().setContextClassLoader(ofJob);
        try {
            registry.lease(config(), NO_GPUS).close();
            assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(ofJob);
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
        assertThat(contextClassLoaders).containsExactly(EngineRegistry.class.getClassLoader());
    }
}
