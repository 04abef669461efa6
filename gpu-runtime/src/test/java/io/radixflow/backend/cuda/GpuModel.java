package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.loop.Engines;
import io.radixflow.testkit.GgufWriter;
import io.radixflow.testkit.NamedValues;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small random models, and an engine on the GPU that answers the same requests with each. */
final class GpuModel {

    static final String LIBRARY = System.getProperty("radixflow.cuda.library", "");
    /** Few and small cases, for tools under which kernels run a hundred times slower. */
    static final boolean IS_TRIMMED = Boolean.getBoolean("radixflow.gpu.trimmed");

    static final int VOCAB_SIZE = 1000;
    static final int CONTEXT_LEN = 1024;

    private GpuModel() {}

    /** An engine's options for a model on the GPU, to be completed. */
    static Map<String, String> options(Path model) {
        Map<String, String> texts =
                new HashMap<>(Map.of("model-path", model.toString(), "device", "cuda", "mem-fraction-static", "0.3"));
        if (!LIBRARY.isEmpty()) {
            texts.put("cuda-library-path", LIBRARY);
        }
        return texts;
    }

    /** Tokens, log-probabilities and ends of 40 requests that share prefixes, a third of them sampled, a third with penalties. */
    static List<String> run(Path file, String options) {
        Map<String, String> texts = options(file);
        texts.put("max-total-tokens", "20000");
        texts.put(
                "shared-prefix-attention", "off"); // what pays is measured, so low bits may differ from start to start
        texts.putAll(NamedValues.of(options));
        RecordingListener listener = new RecordingListener();
        int numRequests = 40;
        int[] shared = ids(300, 5);
        try (Engine engine = Engines.start(EngineConfig.of(texts));
                EngineSession session = engine.open(listener)) {
            List<GenerationRequest> requests = new ArrayList<>();
            for (int id = 0; id < numRequests; id++) {
                int[] prompt = ids(320 + 3 * id, 100 + id);
                System.arraycopy(shared, 0, prompt, 0, 100 * (id % 4));
                requests.add(new GenerationRequest(id, prompt, params(id)));
            }
            // All at once: low bits depend on the batch, and whom a request meets would depend on the clock.
            assertThat(session.submitAll(requests)).isTrue();
            listener.awaitEnded(numRequests);
            System.out.printf("%d retractions with %s%n", engine.stats().numRetractedReqs(), options);
        }
        List<String> outputs = new ArrayList<>();
        for (long id = 0; id < numRequests; id++) {
            outputs.add(listener.of(id).tokens() + " " + listener.of(id).logprobs() + " "
                    + listener.of(id).finishReason());
        }
        return outputs;
    }

    private static SamplingParams params(int id) {
        var params = SamplingParams.builder()
                .temperature(id % 3 == 1 ? 1 : 0)
                .maxTokens(40)
                .seed(id);
        if (id % 3 == 1) {
            params.topP(0.9f).topK(100);
        } else if (id % 3 == 2) {
            params.frequencyPenalty(0.3f).repetitionPenalty(1.1f).logprobs(2);
        }
        return params.build();
    }

    static int[] ids(int length, long seed) {
        return new Random(seed).ints(length, 300, VOCAB_SIZE).toArray();
    }

    /** A llama of random bf16 weights. */
    static Path write(Path folder, int headDim, int numHeads, int numKvHeads, int numLayers) {
        return write(folder, "llama", headDim, numHeads, numKvHeads, numLayers);
    }

    /** @param architecture llama, qwen2 (biases of q, k and v) or qwen3 (norms of their heads) */
    static Path write(Path folder, String architecture, int headDim, int numHeads, int numKvHeads, int numLayers) {
        int hidden = 256;
        int ffn = 512;
        Random random = new Random(headDim + numHeads);
        GgufWriter writer = new GgufWriter()
                .put("general.architecture", architecture)
                .put(architecture + ".block_count", numLayers)
                .put(architecture + ".embedding_length", hidden)
                .put(architecture + ".feed_forward_length", ffn)
                .put(architecture + ".attention.head_count", numHeads)
                .put(architecture + ".attention.head_count_kv", numKvHeads)
                .put(architecture + ".attention.key_length", headDim)
                .put(architecture + ".attention.value_length", headDim)
                .put(architecture + ".rope.dimension_count", headDim)
                .put(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f)
                .put(architecture + ".context_length", CONTEXT_LEN)
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
            if (architecture.equals("qwen2")) {
                norm(writer, random, prefix + "attn_q.bias", numHeads * headDim);
                norm(writer, random, prefix + "attn_k.bias", numKvHeads * headDim);
                norm(writer, random, prefix + "attn_v.bias", numKvHeads * headDim);
            } else if (architecture.equals("qwen3")) {
                norm(writer, random, prefix + "attn_q_norm.weight", headDim);
                norm(writer, random, prefix + "attn_k_norm.weight", headDim);
            }
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
