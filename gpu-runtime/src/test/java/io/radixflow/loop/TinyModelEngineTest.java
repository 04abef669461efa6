package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.NamedValues;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.testkit.TinyModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tiny llama on the CPU backend: real arithmetic gives the same outputs whatever the batch, the chunks and the cache do. */
@Timeout(120)
class TinyModelEngineTest {

    private static final int NUM_REQUESTS = 24;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "chunked-prefill-size=5",
                "disable-radix-cache=true",
                "schedule-policy=fcfs cpu-threads=1",
                "max-total-tokens=150 schedule-conservativeness=0.02"
            })
    void outputsDependOnNothingButTheRequest(String options) {
        List<String> alone = run("max-running-requests=1 disable-radix-cache=true");
        assertThat(run(options)).isEqualTo(alone);
    }

    @Test
    void sharedPrefixesAreRead() {
        Map<String, String> texts = texts("");
        try (Engine engine = Engines.start(EngineConfig.of(texts))) {
            runOn(engine);
            assertThat(engine.stats().cacheHitRate()).isGreaterThan(0.3);
        }
    }

    private List<String> run(String options) {
        try (Engine engine = Engines.start(EngineConfig.of(texts(options)))) {
            return runOn(engine);
        }
    }

    private Map<String, String> texts(String options) {
        Map<String, String> texts = new HashMap<>();
        texts.put("model-path", TinyModel.gguf(TinyModel.F32, folder).toString());
        texts.put("max-total-tokens", "4000");
        texts.putAll(NamedValues.of(options));
        return texts;
    }

    private static List<String> runOn(Engine engine) {
        RecordingListener listener = new RecordingListener();
        Random random = new Random(3);
        int[] shared = random.ints(60, 0, TinyModel.VOCAB_SIZE).toArray();
        try (EngineSession session = engine.open(listener)) {
            for (long id = 0; id < NUM_REQUESTS; id++) {
                int[] prompt = random.ints(64, 0, TinyModel.VOCAB_SIZE).toArray();
                System.arraycopy(shared, 0, prompt, 0, 20 * (int) (id % 4));
                SamplingParams params = SamplingParams.builder()
                        .temperature((float) (id % 2))
                        .topP(0.9f)
                        .repetitionPenalty(1.1f)
                        .seed(id)
                        .maxTokens(20)
                        .build();
                assertThat(session.submit(new GenerationRequest(id, prompt, params)))
                        .isTrue();
            }
            listener.awaitEnded(NUM_REQUESTS);
        }
        List<String> outputs = new ArrayList<>();
        for (long id = 0; id < NUM_REQUESTS; id++) {
            outputs.add(listener.of(id).tokens() + " " + listener.of(id).finishReason());
        }
        return outputs;
    }
}
