package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.backend.simulated.SimulatedModel;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.RecordingListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SimulatedEngineTest {

    private static final String TIMES = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("bench/time-models/h100-qwen3-0.6b.json")
            .toString();
    private static final int VOCAB_SIZE = 151_936;

    private static Engine start(String... options) {
        Map<String, String> texts = new HashMap<>(Map.of("device", "simulated", "time-model", TIMES));
        for (int i = 0; i < options.length; i += 2) {
            texts.put(options[i], options[i + 1]);
        }
        return Engines.start(EngineConfig.of(texts));
    }

    private static List<GenerationRequest> requests(int num, int promptLen, int maxTokens) {
        List<GenerationRequest> requests = new ArrayList<>();
        for (int id = 0; id < num; id++) {
            int[] prompt = new int[promptLen];
            Arrays.fill(prompt, 5000);
            prompt[promptLen - 3] = id;
            requests.add(new GenerationRequest(id, prompt, SamplingParams.greedy(maxTokens)));
        }
        return requests;
    }

    /** Runs the requests together on a new engine; returns the time that passed on its clock. */
    private static long run(List<GenerationRequest> requests, RecordingListener listener, String... options) {
        try (Engine engine = start(options);
                EngineSession session = engine.open(listener)) {
            long before = engine.nanoTime();
            assertThat(session.submitAll(requests)).isTrue();
            listener.awaitEnded(requests.size());
            return engine.nanoTime() - before;
        }
    }

    @Test
    void tokensFollowFromTheSequenceThroughSharedPrefixesAndRetractions() {
        List<GenerationRequest> requests = requests(40, 100, 60);
        RecordingListener listener = new RecordingListener();
        run(requests, listener, "simulated-clock", "virtual", "max-total-tokens", "700");
        for (GenerationRequest request : requests) {
            int[] tokens = Arrays.copyOf(request.promptIds(), 160);
            List<Integer> expected = new ArrayList<>();
            for (int len = 100; len < 160; len++) {
                tokens[len] = SimulatedModel.nextToken(tokens, len, VOCAB_SIZE);
                expected.add(tokens[len]);
            }
            RecordingListener.Recorded result = listener.of(request.requestId());
            assertThat(result.tokens()).isEqualTo(expected);
            assertThat(result.finishReason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void theVirtualClockShowsTheSameTimesInEveryRun() {
        List<GenerationRequest> requests = requests(300, 200, 30);
        long first = run(requests, new RecordingListener(), "simulated-clock", "virtual");
        long second = run(requests, new RecordingListener(), "simulated-clock", "virtual");
        assertThat(first).isEqualTo(second).isGreaterThan(30 * 2_000_000L);
    }

    @Test
    void theRealClockWaitsAsLongAsTheStepsLast() {
        List<GenerationRequest> requests = requests(1, 200, 30);
        long modelled = run(requests, new RecordingListener(), "simulated-clock", "virtual");
        long before = System.nanoTime();
        long shown = run(requests, new RecordingListener());
        assertThat(shown).isGreaterThanOrEqualTo(modelled);
        assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(shown);
    }

    @Test
    void seedsMatterOnlyWhenTokensAreSampled() {
        List<GenerationRequest> requests = new ArrayList<>();
        for (int id = 0; id < 4; id++) {
            SamplingParams sampling = SamplingParams.builder()
                    .temperature(id < 2 ? 0 : 1)
                    .seed(id)
                    .maxTokens(20)
                    .build();
            requests.add(new GenerationRequest(id, new int[] {1, 2, 3}, sampling));
        }
        RecordingListener listener = new RecordingListener();
        run(requests, listener, "simulated-clock", "virtual");
        assertThat(listener.of(0).tokens()).isEqualTo(listener.of(1).tokens());
        assertThat(listener.of(2).tokens()).isNotEqualTo(listener.of(3).tokens());
    }

    @Test
    void saysThatItIsSimulated() {
        try (Engine engine = start("simulated-clock", "virtual")) {
            assertThat(engine.device().isSimulated()).isTrue();
            assertThat(engine.device().description())
                    .startsWith("simulated: qwen3-0.6b")
                    .contains("virtual clock");
            assertThat(engine.limits().maxTotalTokens()).isEqualTo(600_000);
            assertThat(engine.limits().vocabSize()).isEqualTo(VOCAB_SIZE);
        }
    }

    @Test
    void refusesAContextBeyondTheModelsAndAMissingTimeModel() {
        assertThatThrownBy(() -> start("context-length", "50000"))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("--context-length 50000 is more than the 40960 tokens");
        assertThatThrownBy(() -> Engines.start(EngineConfig.of(Map.of("device", "simulated"))))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("--time-model is required");
    }

    @Test
    void aFlushEmptiesTheCacheWhenNothingRuns() {
        RecordingListener listener = new RecordingListener();
        try (Engine engine = start("simulated-clock", "virtual");
                EngineSession session = engine.open(listener)) {
            GenerationRequest first = requests(1, 100, 5).get(0);
            session.submit(first);
            listener.awaitEnded(1);
            session.submit(new GenerationRequest(1, first.promptIds(), first.sampling()));
            listener.awaitEnded(2);
            assertThat(engine.stats().cachedTokensTotal()).isEqualTo(99);
            assertThat(engine.flushCache()).isTrue();
            session.submit(new GenerationRequest(2, first.promptIds(), first.sampling()));
            listener.awaitEnded(3);
            assertThat(engine.stats().cachedTokensTotal()).isEqualTo(99);
            assertThat(engine.stats().prefillTokensTotal()).isEqualTo(100 + 1 + 100);
        }
    }

    @Test
    void aFlushIsRefusedWhileRequestsRunAndAfterTheEnd() {
        RecordingListener listener = new RecordingListener();
        Engine engine = start();
        try (EngineSession session = engine.open(listener)) {
            session.submit(requests(1, 100, 30_000).get(0));
            assertThat(engine.flushCache()).isFalse();
        }
        engine.close();
        assertThatThrownBy(engine::flushCache)
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void ofManyRequestsHandedOverTogetherNoneIsTakenIfOneIsWrong() {
        RecordingListener listener = new RecordingListener();
        try (Engine engine = start("simulated-clock", "virtual");
                EngineSession session = engine.open(listener)) {
            List<GenerationRequest> requests = requests(3, 100, 5);
            requests.set(2, requests.get(1));
            assertThatThrownBy(() -> session.submitAll(requests)).isInstanceOf(IllegalArgumentException.class);
            List<GenerationRequest> tooLong = requests(2, 100, 5);
            tooLong.set(1, new GenerationRequest(1, new int[50_000], SamplingParams.greedy(1)));
            assertThatThrownBy(() -> session.submitAll(tooLong)).isInstanceOf(EngineException.class);
            assertThat(session.submitAll(requests(3, 100, 5))).isTrue();
            listener.awaitEnded(3);
            assertThat(engine.stats().numRequestsTotal()).isEqualTo(3);
        }
    }
}
