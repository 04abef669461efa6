package io.radixflow.backend.simulated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TimeModelTest {

    private static final Path SHIPPED = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("bench")
            .resolve("time-models");

    private static final String TEXT = """
            {"name": "toy", "about": ["for tests"],
             "model": {"name": "m", "vocab_size": 100, "context_length": 64, "kv_cache_tokens": 256},
             "step": {"fixed_us": 10, "body": {"weights_us": 30, "row_us": 20}, "head": {"weights_us": 3, "row_us": 4},
                      "corner_exponent": 2, "elementwise_token_us": 1, "kv_read_token_us": 2, "attention_pair_us": 0.5,
                      "reads_shared_prefix_once": true}}
            """;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private TimeModel model(String text) throws IOException {
        return TimeModelFile.read(Files.writeString(folder.resolve("times.json"), text));
    }

    /** Sequences of {@code cachedLen} tokens that compute {@code extendLen} each and want their logits. */
    private static ForwardBatch batch(int numSequences, int cachedLen, int extendLen) {
        ForwardBatch batch = new ForwardBatch(numSequences * extendLen, numSequences, new int[0], 0);
        batch.numSequences = numSequences;
        batch.numTokens = numSequences * extendLen;
        batch.numLogits = numSequences;
        for (int s = 0; s < numSequences; s++) {
            batch.cachedLen[s] = cachedLen;
            batch.extendLen[s] = extendLen;
        }
        return batch;
    }

    @Test
    void addsUpTheParts() throws IOException {
        // 2 tokens: body sqrt(30^2 + 40^2) = 50, head of 1 row sqrt(3^2 + 4^2) = 5, attention max(2 * 7, 0.5 * (5 + 6 +
        // ... )) below.
        double attention = Math.max(2 * 7, 0.5 * (6 + 7));
        assertThat(model(TEXT).stepMicros(batch(1, 5, 2))).isEqualTo(10 + 50 + 5 + 2 + attention, within(1e-9));
    }

    @Test
    void withoutLogitsThereIsNoHead() throws IOException {
        ForwardBatch batch = batch(1, 0, 2);
        batch.numLogits = 0;
        assertThat(model(TEXT).stepMicros(batch)).isEqualTo(10 + 50 + 2 + Math.max(2 * 2, 0.5 * 3), within(1e-9));
    }

    @Test
    void readsASharedSegmentOnceAndComputesItForEachSequence() throws IOException {
        ForwardBatch batch = batch(4, 21, 1);
        double alone = model(TEXT).stepMicros(batch);
        batch.numSegments = 2;
        batch.segmentTo[0] = 12;
        batch.segmentFirst[0] = 1;
        batch.segmentEnd[0] = 4;
        batch.segmentFrom[1] = 12;
        batch.segmentTo[1] = 20;
        batch.segmentFirst[1] = 2;
        batch.segmentEnd[1] = 4;
        batch.segmentLevel[1] = 1;
        batch.sharedLen[1] = 12;
        batch.sharedLen[2] = 20;
        batch.sharedLen[3] = 20;
        double shared = model(TEXT).stepMicros(batch);
        double each = 2 * 22;
        double segments = Math.max(2 * 12, 0.5 * 12 * 3) + Math.max(2 * 8, 0.5 * 8 * 2);
        double tails = Math.max(2 * 10, 0.5 * 10) + 2 * Math.max(2 * 2, 0.5 * 2);
        assertThat(alone - shared).isEqualTo(4 * each - (each + segments + tails), within(1e-9));
    }

    @Test
    void aDeviceWhoseRowsReadForThemselvesIsGivenNoSegments() throws IOException {
        String alone = TEXT.replace("\"reads_shared_prefix_once\": true", "\"reads_shared_prefix_once\": false");
        KvLayout layout = new KvLayout(1, 1, 1, 1, 2, KvLayout.ElementType.FLOAT16);
        for (String text : new String[] {TEXT, alone}) {
            SimulatedBackend backend = new SimulatedBackend(model(text), new SimulatedClock.Virtual());
            SegmentCosts costs = backend.segmentCosts(backend.allocateKvCache(layout));
            assertThat(costs.equals(SegmentCosts.NEVER)).isEqualTo(text.equals(alone));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"fixed_us\": 10, | | needs a number from 0.0 to 1.0E7 in 'step.fixed_us'",
                "\"fixed_us\": 10 | \"fixed_us\": -1 | needs a number from 0.0 to 1.0E7 in 'step.fixed_us'",
                "\"fixed_us\": 10 | \"fixed_us\": NaN | is no JSON text",
                "\"weights_us\": 30 | \"weights\": 30 | has the unknown field 'step.body.weights'",
                "\"vocab_size\": 100 | \"vocab_size\": 0 | needs a whole number of at least 1 in 'model.vocab_size'",
                "\"about\": [\"for tests\"] | \"about\": 3 | needs a list of texts in 'about'",
                "\"name\": \"toy\" | \"name\": \" \" | needs a text in 'name'",
                "\"corner_exponent\": 2 | \"corner_exponent\": 0.5 | needs a number from 1.0 to 64.0 in 'step.corner_exponent'",
                "true | 1 | needs true or false in 'step.reads_shared_prefix_once'",
            })
    void aWrongFileIsRefusedByFieldName(String from, String to, String message) {
        assertThatThrownBy(() -> model(TEXT.replace(from, to == null ? "" : to)))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("times.json")
                .hasMessageContaining(message);
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> TimeModelFile.read(folder.resolve("none.json")))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("none.json can't be read");
    }

    /** Decode steps at 1,088 tokens of context, in ms: W1 of vLLM 0.26.0 and SGLang 0.5.16 on one H100, bench/peers. */
    @ParameterizedTest
    @CsvSource({
        "qwen3-8b, 1, 6.89, 6.67, 0.06",
        "qwen3-8b, 8, 7.54, 7.24, 0.06",
        "qwen3-8b, 64, 10.69, 10.66, 0.06",
        "qwen3-8b, 256, 22.74, 23.22, 0.06",
        "qwen3-0.6b, 1, 2.29, 2.03, 0.11",
        "qwen3-0.6b, 8, 2.64, 2.19, 0.11",
        "qwen3-0.6b, 64, 4.65, 4.59, 0.11",
        "qwen3-0.6b, 256, 13.04, 13.57, 0.11",
    })
    void shippedModelsMeetThePeersDecodeSteps(
            String model, int batchSize, double vllmMillis, double sglangMillis, double tolerance) {
        double millis =
                TimeModelFile.read(SHIPPED.resolve("h100-" + model + ".json")).stepMicros(batch(batchSize, 1087, 1))
                        / 1e3;
        assertThat(millis / vllmMillis).isBetween(1 - tolerance, 1 + tolerance);
        assertThat(millis / sglangMillis).isBetween(1 - tolerance, 1 + tolerance);
    }

    /** One prefill step of 8,192 tokens, in ms: W2 1 x 8192. */
    @ParameterizedTest
    @CsvSource({"qwen3-8b, 220, 226, 0.03", "qwen3-0.6b, 42, 37, 0.1"})
    void shippedModelsMeetThePeersPrefill(String model, double vllmMillis, double sglangMillis, double tolerance) {
        double millis =
                TimeModelFile.read(SHIPPED.resolve("h100-" + model + ".json")).stepMicros(batch(1, 0, 8192)) / 1e3;
        assertThat(millis / vllmMillis).isBetween(1 - tolerance, 1 + tolerance);
        assertThat(millis / sglangMillis).isBetween(1 - tolerance, 1 + tolerance);
    }
}
