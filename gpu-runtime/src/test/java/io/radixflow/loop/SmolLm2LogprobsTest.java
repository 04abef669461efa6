package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.SamplingParams;
import io.radixflow.model.TeacherGolden;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.testkit.RecordingListener.Recorded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Log-probabilities of SmolLM2 in fp32, through the engine, against transformers on the same dequantised weights. */
@Tag("model")
class SmolLm2LogprobsTest {

    private static final double MAX_DIFFERENCE = 1e-3;
    private static final int NUM_ALTERNATIVES = 20;

    @Test
    void equalTransformersForPromptAndOutput() throws IOException {
        EngineConfig config = EngineConfig.of(Map.of(
                "model-path", weights().toString(),
                "dtype", "float32",
                "chunked-prefill-size", "100",
                "max-total-tokens", "4096"));
        List<TeacherGolden.Document> documents = TeacherGolden.read("smollm2").documents();
        float[][] next = TeacherGolden.nextLogprobs();
        double worst = 0;
        int numCompared = 0;
        try (Engine engine = Engines.start(config)) {
            for (int d = 0; d < documents.size(); d++) {
                TeacherGolden.Document document = documents.get(d);
                Recorded cold = run(engine, document.ids(), 0);
                PromptLogprobs scored = Objects.requireNonNull(cold.promptLogprobs());
                for (int position = 1; position < document.ids().length; position++) {
                    worst = Math.max(worst, Math.abs(scored.logprob(position) - next[d][position - 1]));
                    Map<Integer, Float> golden = top(document, position - 1);
                    for (int rank = 0; rank < NUM_ALTERNATIVES; rank++) {
                        float expected = Objects.requireNonNull(golden.get(scored.alternativeId(position, rank)));
                        worst = Math.max(worst, Math.abs(scored.alternativeLogprob(position, rank) - expected));
                        numCompared++;
                    }
                }
                int last = document.ids().length - 1;
                float expected = Objects.requireNonNull(
                        top(document, last).get(cold.tokens().get(0)));
                worst = Math.max(worst, Math.abs(cold.logprobs().get(0) - expected));
                assertWarmIsEqual(engine, document.ids(), cold);
            }
        }
        System.out.printf(
                "SmolLM2, logprobs of prompts and outputs: max difference %.3g over %d%n", worst, numCompared);
        assertThat(numCompared).isEqualTo(8 * 255 * NUM_ALTERNATIVES);
        assertThat(worst).isLessThan(MAX_DIFFERENCE);
    }

    /** Once with all of the prompt's values computed again, once with the first half from the cache. */
    private static void assertWarmIsEqual(Engine engine, int[] ids, Recorded cold) {
        PromptLogprobs all = Objects.requireNonNull(cold.promptLogprobs());
        for (int start : new int[] {0, 128}) {
            Recorded warm = run(engine, ids, start);
            assertThat(warm.cachedLen()).isEqualTo(Math.max(0, start - 1));
            assertThat(warm.logprobs()).isEqualTo(cold.logprobs());
            assertThat(warm.alternatives()).isEqualTo(cold.alternatives());
            PromptLogprobs scored = Objects.requireNonNull(warm.promptLogprobs());
            for (int position = Math.max(1, start); position < ids.length; position++) {
                assertThat(scored.logprob(position)).isEqualTo(all.logprob(position));
            }
        }
    }

    private static Recorded run(Engine engine, int[] ids, int start) {
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(4)
                .logprobs(NUM_ALTERNATIVES)
                .build();
        RecordingListener listener = new RecordingListener();
        try (EngineSession session = engine.open(listener)) {
            session.submit(GenerationRequest.builder(1, ids, params)
                    .promptLogprobs(NUM_ALTERNATIVES, start)
                    .build());
            listener.awaitEnded(1);
        }
        return listener.of(1);
    }

    private static Map<Integer, Float> top(TeacherGolden.Document document, int position) {
        Map<Integer, Float> top = new HashMap<>();
        for (int rank = 0; rank < document.topIds()[position].length; rank++) {
            top.put(document.topIds()[position][rank], document.topLogprobs()[position][rank]);
        }
        return top;
    }

    private static Path weights() throws IOException {
        Path models = Path.of(System.getProperty("radixflow.models", "models")).toRealPath();
        try (Stream<Path> files = Files.walk(models)) {
            return files.filter(file -> file.endsWith("SmolLM2-135M-Instruct.Q4_1.gguf"))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no SmolLM2 weights under " + models + "; fetch the model"));
        }
    }
}
