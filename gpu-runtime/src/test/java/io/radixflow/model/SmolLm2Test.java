package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.testkit.SequenceRunner;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** SmolLM2-135M-Instruct on the CPU backend against transformers in fp32 on the same dequantised weights. */
@Tag("model")
class SmolLm2Test {

    private static final String FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";
    private static final int MAX_TOKENS = 64;
    private static final int CONTEXT_LEN = 512;
    private static final int NUM_THREADS = 2;
    private static final long HEAP_BUDGET_BYTES = 300L << 20;

    private static ModelFiles files;
    private static Backend backend;
    private static Model model;

    @BeforeAll
    static void load() throws IOException {
        files = ModelFiles.open(find());
        backend = new CpuBackend(NUM_THREADS, HEAP_BUDGET_BYTES);
        model = Models.load(files, backend, MAX_TOKENS, MAX_TOKENS, CONTEXT_LEN);
    }

    @AfterAll
    static void close() {
        backend.close();
        files.close();
    }

    @Test
    void teacherForcedTopTokensAgreeWithFloatKv() {
        Agreement agreement = teacherForced(KvLayout.ElementType.FLOAT32);
        System.out.println("SmolLM2, KV float32: " + agreement);
        assertThat(agreement.numPositions()).isGreaterThanOrEqualTo(2000);
        assertThat(agreement.rate()).isGreaterThanOrEqualTo(0.995);
        assertThat(agreement.meanDivergence()).isLessThan(1e-4);
    }

    @Test
    void teacherForcedTopTokensAgreeWithHalfKv() {
        Agreement agreement = teacherForced(KvLayout.ElementType.FLOAT16);
        System.out.println("SmolLM2, KV float16: " + agreement);
        assertThat(agreement.rate()).isGreaterThanOrEqualTo(0.99);
        assertThat(agreement.meanDivergence()).isLessThan(1e-3);
    }

    @Test
    void greedyDialoguesEqualWithFloatKv() throws IOException {
        SequenceRunner runner =
                new SequenceRunner(model, backend, MAX_TOKENS, CONTEXT_LEN, KvLayout.ElementType.FLOAT32);
        List<String> differing = new ArrayList<>();
        JsonNode dialogues = dialogues();
        for (JsonNode dialogue : dialogues) {
            int[] expected = ids(dialogue.get("outputIds"));
            boolean isEnded = dialogue.get("endedByEos").asBoolean();
            int[] output = greedy(runner, ids(dialogue.get("promptIds")), expected.length + (isEnded ? 1 : 0));
            int[] answer = isEnded && output[output.length - 1] == files.text().endIds()[0]
                    ? Arrays.copyOf(output, output.length - 1)
                    : output;
            if (!Arrays.equals(answer, expected)) {
                differing.add("from output token " + Arrays.mismatch(answer, expected) + ", smallest golden gap "
                        + dialogue.get("smallestLogitGap") + ": " + dialogue.get("output"));
            }
        }
        System.out.println("SmolLM2, greedy dialogues equal: " + (dialogues.size() - differing.size()) + " of "
                + dialogues.size());
        assertThat(dialogues.size()).isGreaterThanOrEqualTo(20);
        assertThat(differing).isEmpty();
    }

    private static Agreement teacherForced(KvLayout.ElementType kvType) {
        SequenceRunner runner = new SequenceRunner(model, backend, MAX_TOKENS, CONTEXT_LEN, kvType);
        return TeacherGolden.read("smollm2").compare(runner, MAX_TOKENS);
    }

    private static int[] greedy(SequenceRunner runner, int[] prompt, int maxNewTokens) {
        float[] logits = new float[model.vocabSize()];
        int[] output = new int[maxNewTokens];
        runner.restart();
        runner.appendForLast(prompt, logits);
        for (int i = 0; i < maxNewTokens; i++) {
            output[i] = Agreement.argmax(logits);
            if (i + 1 < maxNewTokens) {
                runner.appendForLast(new int[] {output[i]}, logits);
            }
        }
        return output;
    }

    private static JsonNode dialogues() throws IOException {
        String name = "/golden/smollm2/dialogues.json";
        try (InputStream in = Objects.requireNonNull(SmolLm2Test.class.getResourceAsStream(name), name)) {
            return new ObjectMapper().readTree(in);
        }
    }

    private static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).asInt();
        }
        return ids;
    }

    private static Path find() throws IOException {
        Path models = Path.of(Objects.requireNonNull(System.getProperty("radixflow.models"), "radixflow.models"));
        try (Stream<Path> entries = Files.walk(models, 3)) {
            return entries.filter(path -> path.endsWith(FILE))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException(FILE + " isn't in " + models + "; fetch it first"));
        }
    }
}
