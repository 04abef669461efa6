package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.testkit.SequenceRunner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Qwen2.5-Coder-0.5B-Instruct (qwen2 architecture; Q5_0, Q8_0, Q6_K and Q4_K matrices) on the CPU backend against transformers in fp32 on
 * the same dequantised weights. Skipped where the model is not fetched.
 */
@Tag("qwen")
class QwenCoderTest {

    private static final String FILE = "qwen2.5-coder-0.5b-instruct/Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf";
    private static final int MAX_TOKENS = 64;
    private static final int CONTEXT_LEN = 512;
    private static final int NUM_THREADS = 2;
    private static final long HEAP_BUDGET_BYTES = 2L << 30;

    private static @Nullable ModelFiles files;
    private static @Nullable Backend backend;
    private static @Nullable Model model;

    @BeforeAll
    static void load() {
        Path path = Path.of(Objects.requireNonNull(System.getProperty("radixflow.models")), FILE);
        if (!Files.exists(path)) {
            System.out.println("QwenCoderTest is skipped: " + path + " isn't there; run scripts/radixflow model fetch"
                    + " qwen2.5-coder-0.5b-instruct");
        }
        assumeTrue(Files.exists(path), "the model is not fetched");
        files = ModelFiles.open(path);
        backend = new CpuBackend(NUM_THREADS, HEAP_BUDGET_BYTES);
        model = Models.load(files, backend, MAX_TOKENS, MAX_TOKENS, CONTEXT_LEN);
    }

    @AfterAll
    static void close() {
        if (backend != null) {
            backend.close();
        }
        if (files != null) {
            files.close();
        }
    }

    @Test
    void teacherForcedTopTokensAgreeWithFloatKv() {
        Agreement agreement = teacherForced(KvLayout.ElementType.FLOAT32);
        System.out.println("Qwen2.5-Coder-0.5B, KV float32: " + agreement);
        assertThat(agreement.numPositions()).isGreaterThanOrEqualTo(2000);
        assertThat(agreement.rate()).isGreaterThanOrEqualTo(0.995);
        assertThat(agreement.meanDivergence()).isLessThan(1e-4);
    }

    @Test
    void teacherForcedTopTokensAgreeWithHalfKv() {
        Agreement agreement = teacherForced(KvLayout.ElementType.FLOAT16);
        System.out.println("Qwen2.5-Coder-0.5B, KV float16: " + agreement);
        assertThat(agreement.rate()).isGreaterThanOrEqualTo(0.99);
        assertThat(agreement.meanDivergence()).isLessThan(1e-3);
    }

    private static Agreement teacherForced(KvLayout.ElementType kvType) {
        SequenceRunner runner = new SequenceRunner(
                Objects.requireNonNull(model), Objects.requireNonNull(backend), MAX_TOKENS, CONTEXT_LEN, kvType);
        return TeacherGolden.read("qwen-coder").compare(runner, MAX_TOKENS);
    }
}
