package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.loop.Engines;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Models;
import io.radixflow.testkit.GgufWriter;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Small random models with bf16 weights on the GPU, against the CPU backend's fp32 arithmetic on the same weights. */
@Tag("gpu")
final class CudaModelGpuTest {

    private static final int VOCAB_SIZE = 1000;
    private static final int CONTEXT_LEN = 1024;
    private static final String LIBRARY = System.getProperty("radixflow.cuda.library", "");

    @TempDir
    Path folder;

    /** bf16 keeps 8 bits: an activation is off by 2^-9 of itself each time it is stored, a dozen times a layer. */
    @ParameterizedTest
    @CsvSource({"64,8,2,1", "64,14,2,7", "64,4,4,64", "128,4,1,33", "128,8,2,128", "128,16,8,700"})
    void logitsAreTheCpusWithinBf16(int headDim, int numHeads, int numKvHeads, int chunkLen) {
        Path file = model(headDim, numHeads, numKvHeads, 2);
        int[] ids = ids(700, 11);
        float[][] expected = logits(file, new CpuBackend(4, 2L << 30), ElementType.FLOAT32, ids, 512);
        float[][] actual = logits(file, cuda(0), ElementType.BFLOAT16, ids, chunkLen);
        double errors = 0;
        double squares = 0;
        int sameTop = 0;
        for (int i = 0; i < ids.length; i++) {
            for (int c = 0; c < VOCAB_SIZE; c++) {
                errors += Math.pow(actual[i][c] - expected[i][c], 2);
                squares += Math.pow(expected[i][c], 2);
            }
            sameTop += top(actual[i]) == top(expected[i]) ? 1 : 0;
        }
        double relative = Math.sqrt(errors / squares);
        System.out.printf(
                "heads %d x %d / %d, chunks of %d: relative error %.2e, same top token %d of %d%n",
                numHeads, headDim, numKvHeads, chunkLen, relative, sameTop, ids.length);
        assertThat(relative).isLessThan(0.02);
        assertThat((double) sameTop / ids.length).isGreaterThan(0.95);
    }

    /** Bits of a decode step don't depend on whether it is replayed. */
    @Test
    void graphsGiveTheEagerTokens() {
        Path file = model(128, 8, 2, 3);
        List<String> eager = run(file, "disable-cuda-graph=true");
        assertThat(run(file, "")).isEqualTo(eager);
    }

    /** Low bits depend on the batch, and logits of random models lie close. */
    @ParameterizedTest
    @ValueSource(strings = {"chunked-prefill-size=100", "page-size=16", "disable-radix-cache=true"})
    void mostTokensAreThoseOfSingleRequests(String options) {
        Path file = model(64, 8, 2, 2);
        List<String> alone = run(file, "max-running-requests=1 disable-radix-cache=true");
        List<String> together = run(file, options);
        long same = IntStream.range(0, alone.size())
                .filter(i -> alone.get(i).equals(together.get(i)))
                .count();
        System.out.printf("%d of %d outputs are the same alone and with %s%n", same, alone.size(), options);
        assertThat((double) same / alone.size()).isGreaterThan(0.8);
    }

    @Test
    void givesItsMemoryBack() {
        Path file = model(64, 4, 2, 2);
        run(file, "");
        try (CudaBackend backend = cuda(0)) {
            double before = backend.availableBytes();
            run(file, "");
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
        return new CudaBackend(new CudaBackend.Settings(0, 0.5, LIBRARY, CONTEXT_LEN, CONTEXT_LEN, maxGraphBatch));
    }

    private static float[][] logits(Path file, Backend backend, ElementType type, int[] ids, int chunkLen) {
        try (backend;
                ModelFiles files = ModelFiles.open(file)) {
            var model = Models.load(files, backend, CONTEXT_LEN, CONTEXT_LEN);
            return new SequenceRunner(model, backend, CONTEXT_LEN, CONTEXT_LEN, type).append(ids, chunkLen);
        }
    }

    private static List<String> run(Path file, String options) {
        Map<String, String> texts = new HashMap<>(Map.of(
                "model-path",
                file.toString(),
                "device",
                "cuda",
                "mem-fraction-static",
                "0.3",
                "max-total-tokens",
                "20000"));
        if (!LIBRARY.isEmpty()) {
            texts.put("cuda-library-path", LIBRARY);
        }
        for (String option : options.split(" ", -1)) {
            if (!option.isEmpty()) {
                texts.put(option.split("=", 2)[0], option.split("=", 2)[1]);
            }
        }
        RecordingListener listener = new RecordingListener();
        int numRequests = 40;
        int[] shared = ids(300, 5);
        try (Engine engine = Engines.start(EngineConfig.of(texts));
                EngineSession session = engine.open(listener)) {
            for (int id = 0; id < numRequests; id++) {
                int[] prompt = ids(320 + 3 * id, 100 + id);
                System.arraycopy(shared, 0, prompt, 0, 100 * (id % 4));
                assertThat(session.submit(new GenerationRequest(id, prompt, SamplingParams.greedy(40))))
                        .isTrue();
            }
            listener.awaitEnded(numRequests);
        }
        List<String> outputs = new ArrayList<>();
        for (long id = 0; id < numRequests; id++) {
            outputs.add(listener.of(id).tokens() + " " + listener.of(id).finishReason());
        }
        return outputs;
    }

    private static int[] ids(int length, long seed) {
        return new Random(seed).ints(length, 300, VOCAB_SIZE).toArray();
    }

    private Path model(int headDim, int numHeads, int numKvHeads, int numLayers) {
        int hidden = 256;
        int ffn = 512;
        Random random = new Random(headDim + numHeads);
        GgufWriter writer = new GgufWriter()
                .put("general.architecture", "llama")
                .put("llama.block_count", numLayers)
                .put("llama.embedding_length", hidden)
                .put("llama.feed_forward_length", ffn)
                .put("llama.attention.head_count", numHeads)
                .put("llama.attention.head_count_kv", numKvHeads)
                .put("llama.attention.key_length", headDim)
                .put("llama.attention.value_length", headDim)
                .put("llama.rope.dimension_count", headDim)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("llama.context_length", CONTEXT_LEN)
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.pre", "smollm")
                .put("tokenizer.ggml.tokens", words());
        matrix(writer, random, "token_embd.weight", VOCAB_SIZE, hidden);
        matrix(writer, random, "output.weight", VOCAB_SIZE, hidden);
        norm(writer, random, "output_norm.weight", hidden);
        for (int layer = 0; layer < numLayers; layer++) {
            String prefix = "blk." + layer + ".";
            norm(writer, random, prefix + "attn_norm.weight", hidden);
            matrix(writer, random, prefix + "attn_q.weight", numHeads * headDim, hidden);
            matrix(writer, random, prefix + "attn_k.weight", numKvHeads * headDim, hidden);
            matrix(writer, random, prefix + "attn_v.weight", numKvHeads * headDim, hidden);
            matrix(writer, random, prefix + "attn_output.weight", hidden, numHeads * headDim);
            norm(writer, random, prefix + "ffn_norm.weight", hidden);
            matrix(writer, random, prefix + "ffn_gate.weight", ffn, hidden);
            matrix(writer, random, prefix + "ffn_up.weight", ffn, hidden);
            matrix(writer, random, prefix + "ffn_down.weight", hidden, ffn);
        }
        return writer.write(folder.resolve("model-" + headDim + "-" + numHeads + "-" + numKvHeads + ".gguf"));
    }

    private static List<String> words() {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < VOCAB_SIZE; i++) {
            // GPT-2's byte alphabet first, so that the tokenizer is complete
            words.add(
                    i < 256
                            ? String.valueOf((char) (i < 33 || (i > 126 && i < 161) || i == 173 ? 0x100 + i : i))
                            : "w" + i);
        }
        return words;
    }

    private static void matrix(GgufWriter writer, Random random, String name, int rows, int cols) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * rows * cols).order(ByteOrder.LITTLE_ENDIAN);
        double scale = 1.5 / Math.sqrt(cols);
        for (int i = 0; i < rows * cols; i++) {
            bytes.putShort(WeightUploader.bf16((float) (random.nextGaussian() * scale)));
        }
        writer.tensor(name, new long[] {cols, rows}, TensorType.BF16.ggmlId(), bytes.array());
    }

    private static void norm(GgufWriter writer, Random random, String name, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (1 + 0.1 * random.nextGaussian());
        }
        writer.tensor(name, 0, length, values);
    }
}
