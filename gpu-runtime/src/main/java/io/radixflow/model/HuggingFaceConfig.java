package io.radixflow.model;

import io.radixflow.backend.Rope;
import io.radixflow.engine.EngineException;
import io.radixflow.weights.TensorType;
import java.util.Set;
import java.util.TreeSet;

/** Reads a {@link ModelConfig} from a config.json; refuses by name what would change the network and isn't built. */
final class HuggingFaceConfig {

    private static final String LLAMA = "llama";
    private static final String QWEN2 = "qwen2";
    private static final String QWEN3 = "qwen3";
    private static final Set<String> SUPPORTED = Set.of(LLAMA, QWEN2, QWEN3);

    // what transformers takes where the file is silent
    private static final float DEFAULT_ROPE_BASE = 10_000f;
    private static final double DEFAULT_RMS_EPS = 1e-6;
    private static final int DEFAULT_QWEN3_HEAD_DIM = 128;

    private final ConfigJson json;
    private final String architecture;

    private HuggingFaceConfig(ConfigJson json, String architecture) {
        this.json = json;
        this.architecture = architecture;
    }

    /** @throws EngineException of category CONFIGURATION that names the field */
    static ModelConfig read(ConfigJson json) {
        String architecture = json.string("model_type");
        if (!SUPPORTED.contains(architecture)) {
            throw json.refusal("has the model_type '" + architecture + "', which isn't supported; take one of "
                    + String.join(", ", new TreeSet<>(SUPPORTED)));
        }
        HuggingFaceConfig reader = new HuggingFaceConfig(json, architecture);
        reader.refuseUnsupported();
        try {
            return reader.decoder();
        } catch (IllegalArgumentException e) {
            throw json.refusal("has an impossible configuration: " + e.getMessage() + "; fetch the model again");
        }
    }

    /** The type of the model's floats as config.json says, bf16 if it doesn't. */
    static TensorType floatType(ConfigJson json) {
        String newName = json.findString("dtype");
        String oldName = json.findString("torch_dtype");
        String name = newName != null ? newName : oldName != null ? oldName : "bfloat16";
        return switch (name) {
            case "bfloat16" -> TensorType.BF16;
            case "float16" -> TensorType.F16;
            case "float32" -> TensorType.F32;
            default -> throw json.wrong(newName != null ? "dtype" : "torch_dtype", "bfloat16, float16 or float32");
        };
    }

    private ModelConfig decoder() {
        int hidden = json.positive("hidden_size");
        int numHeads = json.positive("num_attention_heads");
        int trainedLen = json.positive(RopeJson.TRAINED_LEN);
        boolean isLlama = architecture.equals(LLAMA);
        return new ModelConfig(
                architecture,
                json.positive("num_hidden_layers"),
                hidden,
                json.positive("intermediate_size"),
                numHeads,
                isLlama ? json.positive("num_key_value_heads", numHeads) : json.positive("num_key_value_heads"),
                headDim(hidden, numHeads),
                new RopeConfig(
                        RopeJson.base(json, DEFAULT_ROPE_BASE),
                        Rope.Pairing.HALVES,
                        RopeJson.scaling(json, trainedLen)),
                (float) json.number("rms_norm_eps", DEFAULT_RMS_EPS),
                trainedLen,
                json.positive("vocab_size"),
                json.bool("tie_word_embeddings", false),
                architecture.equals(QWEN2),
                architecture.equals(QWEN3));
    }

    private int headDim(int hidden, int numHeads) {
        if (json.has("head_dim")) {
            return json.positive("head_dim");
        }
        if (architecture.equals(QWEN3)) {
            return DEFAULT_QWEN3_HEAD_DIM;
        }
        if (hidden % numHeads != 0) {
            throw json.refusal("has hidden_size " + hidden + ", no multiple of num_attention_heads " + numHeads
                    + ", and lacks head_dim; fetch the model again");
        }
        return hidden / numHeads;
    }

    /** Each of these changes the network's output, so ignoring it would give wrong answers in silence. */
    private void refuseUnsupported() {
        String activation = json.findString("hidden_act");
        if (activation != null && !activation.equals("silu")) {
            throw json.wrong("hidden_act", "\"silu\", the one that is supported,");
        }
        for (String field : new String[] {"attention_bias", "mlp_bias"}) {
            if (json.bool(field, false)) {
                throw json.wrong(field, "false, the one that is supported,");
            }
        }
        // the layers from max_window_layers on attend to a window
        if (json.bool("use_sliding_window", false)
                && json.positive("max_window_layers", 1) < json.positive("num_hidden_layers")) {
            throw json.refusal("has use_sliding_window, which isn't supported yet");
        }
        if (json.has("quantization_config")) {
            throw json.refusal(
                    "has a quantization_config, which isn't supported yet; take the model in BF16, F16 or F32, or as GGUF");
        }
    }
}
