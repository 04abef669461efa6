package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.NamedValues;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.testkit.RecordingListener.Recorded;
import io.radixflow.testkit.TinyModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Log-probabilities of tiny llamas on the CPU: transformers' values, and the same bits whatever batch, chunks and cache do. */
@Timeout(120)
class TinyModelLogprobsTest {

    private static final int NUM_REQUESTS = 24;
    private static final int MAX_TOKENS = 15;
    /** What FEATURES asks for; the logits themselves agree within 1e-4. */
    private static final float MAX_DIFFERENCE = 1e-3f;

    @TempDir
    Path folder;

    static List<String> variants() {
        return TinyModel.VARIANTS;
    }

    @ParameterizedTest
    @MethodSource("variants")
    void equalTransformers(String variant) {
        float[][] goldens = TinyModel.logits(variant);
        try (Engine engine = Engines.start(EngineConfig.of(texts(variant, "dtype=float32 chunked-prefill-size=7")))) {
            int first = 0;
            for (int[] ids : TinyModel.sequences()) {
                RecordingListener listener = new RecordingListener();
                try (EngineSession session = engine.open(listener)) {
                    session.submit(GenerationRequest.builder(1, ids, greedy(1, 20))
                            .promptLogprobs(20, 0)
                            .build());
                    listener.awaitEnded(1);
                }
                Recorded got = listener.of(1);
                PromptLogprobs prompt = Objects.requireNonNull(got.promptLogprobs());
                for (int position = 1; position < ids.length; position++) {
                    double[] golden = logSoftmax(goldens[first + position - 1]);
                    assertThat((double) prompt.logprob(position)).isCloseTo(golden[ids[position]], within(1e-3));
                    double above = Double.POSITIVE_INFINITY;
                    for (int rank = 0; rank < 20; rank++) {
                        double value = prompt.alternativeLogprob(position, rank);
                        assertThat(value).isCloseTo(golden[prompt.alternativeId(position, rank)], within(1e-3));
                        assertThat(value).isLessThanOrEqualTo(above);
                        above = value;
                    }
                    assertThat(above).isCloseTo(sorted(golden)[golden.length - 20], within(1e-3));
                }
                double[] last = logSoftmax(goldens[first + ids.length - 1]);
                assertThat(got.logprobs().get(0))
                        .isCloseTo((float) last[got.tokens().get(0)], within(MAX_DIFFERENCE));
                first += ids.length;
            }
            assertThat(first).isEqualTo(goldens.length);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "chunked-prefill-size=5",
                "disable-radix-cache=true",
                "schedule-policy=fcfs cpu-threads=1",
                "max-running-requests=3 chunked-prefill-size=1",
                "max-total-tokens=150 schedule-conservativeness=0.02"
            })
    void haveTheSameBitsInEveryBatch(String options) {
        List<String> alone = runCold("max-running-requests=1 disable-radix-cache=true");
        assertThat(runCold(options)).isEqualTo(alone);
    }

    @Test
    void haveTheSameBitsOnAWarmCache() {
        try (Engine engine = Engines.start(EngineConfig.of(texts(TinyModel.F32, "")))) {
            List<String> cold = run(engine);
            long computed = engine.stats().promptTokensTotal() - engine.stats().cachedTokensTotal();
            assertThat(run(engine)).isEqualTo(cold);
            long computedWarm =
                    engine.stats().promptTokensTotal() - engine.stats().cachedTokensTotal() - computed;
            // Only what scores the prompts is computed again: a third of the requests does not ask for it.
            assertThat(computedWarm).isLessThan(computed);
            assertThat(computedWarm).isGreaterThan(NUM_REQUESTS / 3 * 60L);
        }
    }

    private List<String> runCold(String options) {
        try (Engine engine = Engines.start(EngineConfig.of(texts(TinyModel.F32, options)))) {
            return run(engine);
        }
    }

    private Map<String, String> texts(String variant, String options) {
        Map<String, String> texts = new HashMap<>();
        texts.put("model-path", TinyModel.gguf(variant, folder).toString());
        texts.put("max-total-tokens", "4000");
        texts.putAll(NamedValues.of(options));
        return texts;
    }

    /** Prompts of 80 tokens in families; scored from the start, from the middle, or not at all. Returns all that came out. */
    private static List<String> run(Engine engine) {
        RecordingListener listener = new RecordingListener();
        Random random = new Random(3);
        int[] shared = random.ints(60, 0, TinyModel.VOCAB_SIZE).toArray();
        try (EngineSession session = engine.open(listener)) {
            for (long id = 0; id < NUM_REQUESTS; id++) {
                int[] prompt = random.ints(80, 0, TinyModel.VOCAB_SIZE).toArray();
                System.arraycopy(shared, 0, prompt, 0, 20 * (int) (id % 4));
                SamplingParams params = SamplingParams.builder()
                        .temperature((float) (id % 2))
                        .repetitionPenalty(1.2f)
                        .ignoreEos(true)
                        .seed(id)
                        .logprobs((int) (id % 5))
                        .maxTokens(MAX_TOKENS)
                        .build();
                int start = id % 3 == 0 ? 0 : 45;
                session.submit(GenerationRequest.builder(id, prompt, params)
                        .promptLogprobs(id % 3 == 2 ? -1 : (int) (id % 7), start)
                        .build());
            }
            listener.awaitEnded(NUM_REQUESTS);
        }
        List<String> outputs = new ArrayList<>();
        for (long id = 0; id < NUM_REQUESTS; id++) {
            Recorded got = listener.of(id);
            outputs.add(
                    got.tokens() + " " + got.logprobs() + " " + got.alternatives() + " " + text(got.promptLogprobs()));
        }
        return outputs;
    }

    private static String text(@Nullable PromptLogprobs scored) {
        if (scored == null) {
            return "not scored";
        }
        StringBuilder text = new StringBuilder();
        for (int position = scored.start(); position < scored.start() + scored.len(); position++) {
            text.append(scored.logprob(position));
            for (int rank = 0; rank < scored.numAlternatives(); rank++) {
                text.append(' ')
                        .append(scored.alternativeId(position, rank))
                        .append(':')
                        .append(scored.alternativeLogprob(position, rank));
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static SamplingParams greedy(int maxTokens, int logprobs) {
        return SamplingParams.builder()
                .temperature(0)
                .maxTokens(maxTokens)
                .logprobs(logprobs)
                .build();
    }

    private static double[] logSoftmax(float[] logits) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        double[] result = new double[logits.length];
        for (int id = 0; id < logits.length; id++) {
            result[id] = logits[id] - Math.log(sum);
        }
        return result;
    }

    private static double[] sorted(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted;
    }
}
