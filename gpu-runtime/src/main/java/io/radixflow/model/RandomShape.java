package io.radixflow.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.weights.TensorType;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Named shapes that random models can have: Qwen3's published ones, and a tiny one for each architecture. */
public enum RandomShape {
    QWEN3_0_6B("qwen3-0.6b", new Size("qwen3", 28, 1024, 3072, 16, 8, 128, true)),
    QWEN3_8B("qwen3-8b", new Size("qwen3", 36, 4096, 12_288, 32, 8, 128, false)),
    QWEN3_32B("qwen3-32b", new Size("qwen3", 64, 5120, 25_600, 64, 8, 128, false)),
    TINY_LLAMA("tiny-llama", new Size("llama", 2, 64, 128, 4, 2, 16, false)),
    TINY_QWEN2("tiny-qwen2", new Size("qwen2", 2, 64, 128, 4, 2, 16, true)),
    TINY_QWEN3("tiny-qwen3", new Size("qwen3", 2, 64, 128, 4, 2, 32, true));

    private record Size(
            String architecture, int layers, int hidden, int ffn, int heads, int kvHeads, int headDim, boolean isTied) {

        boolean isTiny() {
            return layers == 2;
        }
    }

    private static final int QWEN3_VOCAB_SIZE = 151_936;
    private static final int QWEN3_CONTEXT_LEN = 40_960;
    private static final int QWEN3_BOS = 151_643;
    private static final int QWEN3_EOS = 151_645;
    private static final int TINY_VOCAB_SIZE = 512;
    private static final int TINY_CONTEXT_LEN = 512;

    private final String shapeName;

    @SuppressWarnings("ImmutableEnumChecker") // a record of numbers and a string
    private final Size size;

    RandomShape(String shapeName, Size size) {
        this.shapeName = shapeName;
        this.size = size;
    }

    /** The shape of that name, or null. */
    public static @Nullable RandomShape find(String name) {
        return Arrays.stream(values())
                .filter(shape -> shape.shapeName.equals(name))
                .findFirst()
                .orElse(null);
    }

    public static List<String> names() {
        return Arrays.stream(values()).map(shape -> shape.shapeName).toList();
    }

    /** Text of the config.json. */
    String config(TensorType type) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.putArray("architectures")
                .add(
                        switch (size.architecture) {
                            case "llama" -> "LlamaForCausalLM";
                            case "qwen2" -> "Qwen2ForCausalLM";
                            default -> "Qwen3ForCausalLM";
                        });
        json.put("model_type", size.architecture);
        json.put("num_hidden_layers", size.layers);
        json.put("hidden_size", size.hidden);
        json.put("intermediate_size", size.ffn);
        json.put("num_attention_heads", size.heads);
        json.put("num_key_value_heads", size.kvHeads);
        json.put("head_dim", size.headDim);
        json.put("hidden_act", "silu");
        json.put("attention_bias", false);
        json.put("use_sliding_window", false);
        json.put("rms_norm_eps", 1e-6);
        json.put("rope_theta", size.isTiny() ? 10_000 : 1_000_000);
        json.put("max_position_embeddings", size.isTiny() ? TINY_CONTEXT_LEN : QWEN3_CONTEXT_LEN);
        json.put("vocab_size", size.isTiny() ? TINY_VOCAB_SIZE : QWEN3_VOCAB_SIZE);
        json.put("tie_word_embeddings", size.isTied);
        if (!size.isTiny()) {
            json.put("bos_token_id", QWEN3_BOS);
            json.put("eos_token_id", QWEN3_EOS);
        }
        json.put(
                "torch_dtype",
                switch (type) {
                    case F32 -> "float32";
                    case F16 -> "float16";
                    default -> "bfloat16";
                });
        return json.toPrettyString() + "\n";
    }
}
