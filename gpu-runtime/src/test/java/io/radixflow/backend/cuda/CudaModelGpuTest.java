package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Models;
import io.radixflow.testkit.SequenceRunner;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Small random models with bf16 weights on the GPU, against the CPU backend's fp32 arithmetic on the same weights. */
@Tag("gpu")
final class CudaModelGpuTest {

    private static final int CONTEXT_LEN = GpuModel.CONTEXT_LEN;
    private static final String LIBRARY = GpuModel.LIBRARY;

    @TempDir
    Path folder;

    /** bf16 keeps 8 bits: an activation is off by up to 2^-8 of itself each time it is stored, a dozen times a layer. */
    @ParameterizedTest
    @CsvSource({
        "llama,64,8,2,1",
        "qwen2,64,14,2,7",
        "llama,64,4,4,64",
        "qwen3,128,4,1,33",
        "qwen2,128,8,2,128",
        "qwen3,128,16,8,700"
    })
    void logitsAreTheCpusWithinBf16(String architecture, int headDim, int numHeads, int numKvHeads, int chunkLen) {
        Path file = GpuModel.write(folder, architecture, headDim, numHeads, numKvHeads, 2);
        int[] ids = GpuModel.ids(700, 11);
        float[][] expected = logits(file, new CpuBackend(4, 2L << 30), ElementType.FLOAT32, ids, 512);
        float[][] actual = logits(file, cuda(0), ElementType.BFLOAT16, ids, chunkLen);
        double errors = 0;
        double squares = 0;
        int sameTop = 0;
        double widest = 0; // margin by which another token was the largest
        for (int i = 0; i < ids.length; i++) {
            for (int c = 0; c < GpuModel.VOCAB_SIZE; c++) {
                errors += Math.pow(actual[i][c] - expected[i][c], 2);
                squares += Math.pow(expected[i][c], 2);
            }
            int top = top(expected[i]);
            sameTop += top(actual[i]) == top ? 1 : 0;
            widest = Math.max(widest, expected[i][top] - expected[i][top(actual[i])]);
        }
        double deviation = Math.sqrt(errors / ids.length / GpuModel.VOCAB_SIZE);
        double relative = Math.sqrt(errors / squares);
        System.out.printf(
                "%s, heads %d x %d / %d, chunks of %d: relative error %.2e, same top token %d of %d%n",
                architecture, numHeads, headDim, numKvHeads, chunkLen, relative, sameTop, ids.length);
        assertThat(relative).isLessThan(0.02);
        assertThat(widest)
                .as("margin of the CPU's largest logit where the GPU's is another")
                .isLessThan(6 * deviation);
        assertThat((double) sameTop / ids.length).isGreaterThan(0.95);
    }

    /** Bits of a decode step don't depend on whether it is replayed. */
    @Test
    void graphsGiveTheEagerTokens() {
        Path file = GpuModel.write(folder, 128, 8, 2, 3);
        List<String> eager = GpuModel.run(file, "disable-cuda-graph=true");
        assertThat(GpuModel.run(file, "")).isEqualTo(eager);
    }

    /**
     * Low bits depend on the batch: products of a few rows have a kernel of their own, and attention splits sequences by the batch too. Logits of
     * random models lie so close that about one token in a hundred is another then, and all tokens after it.
     */
    @ParameterizedTest
    @ValueSource(strings = {"chunked-prefill-size=100", "page-size=16", "disable-radix-cache=true"})
    void mostTokensAreThoseOfSingleRequests(String options) {
        Path file = GpuModel.write(folder, 64, 8, 2, 2);
        List<String> alone = GpuModel.run(file, "max-running-requests=1 disable-radix-cache=true");
        List<String> together = GpuModel.run(file, options);
        int numTokens = 0;
        int numSame = 0;
        for (int i = 0; i < alone.size(); i++) {
            String[] expected = tokens(alone.get(i));
            String[] actual = tokens(together.get(i));
            int same = Arrays.mismatch(expected, actual);
            numTokens += expected.length;
            numSame += same < 0 ? expected.length : same;
        }
        System.out.printf("%d of %d tokens before the first other one, with %s%n", numSame, numTokens, options);
        assertThat((double) numSame / numTokens).isGreaterThan(0.5);
    }

    private static String[] tokens(String output) {
        return output.substring(1, output.indexOf(']')).split(", ", -1);
    }

    @Test
    void givesItsMemoryBack() {
        Path file = GpuModel.write(folder, 64, 4, 2, 2);
        GpuModel.run(file, "");
        try (CudaBackend backend = cuda(0)) {
            double before = backend.availableBytes();
            GpuModel.run(file, "");
            assertThat((double) backend.availableBytes()).isCloseTo(before, within(32e6));
        }
    }

    private static int top(float[] row) {
        int top = 0;
        for (int i = 1; i < row.length; i++) {
            top = row[i] > row[top] ? i : top;
        }
        return top;
    }

    private static CudaBackend cuda(int maxGraphBatch) {
        return new CudaBackend(
                new CudaBackend.Settings(0, 0.5, LIBRARY, CONTEXT_LEN, CONTEXT_LEN, maxGraphBatch, true, false));
    }

    private static float[][] logits(Path file, Backend backend, ElementType type, int[] ids, int chunkLen) {
        try (backend;
                ModelFiles files = ModelFiles.open(file)) {
            var model = Models.load(files, backend, CONTEXT_LEN, CONTEXT_LEN);
            return new SequenceRunner(model, backend, CONTEXT_LEN, CONTEXT_LEN, type).append(ids, chunkLen);
        }
    }
}
