package io.radixflow.model;

import io.radixflow.backend.Rope;
import io.radixflow.engine.EngineException;
import io.radixflow.weights.GgufFile;
import io.radixflow.weights.GgufMetadata;
import io.radixflow.weights.GgufTensorInfo;
import java.util.Set;
import java.util.TreeSet;

/** Reads a {@link ModelConfig} from a GGUF file's metadata; refuses by name what would change the network and isn't built. */
final class GgufConfig {

    static final String ARCHITECTURE_KEY = "general.architecture";
    static final String TOKENS_KEY = "tokenizer.ggml.tokens";
    static final String EMBEDDING = "token_embd.weight";
    static final String OUTPUT = "output.weight";
    static final String LLAMA = "llama";

    private static final Set<String> SUPPORTED = Set.of(LLAMA);
    private static final float DEFAULT_ROPE_BASE = 10_000f;

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final String architecture;

    private GgufConfig(GgufFile file) {
        this.file = file;
        this.metadata = file.metadata();
        this.architecture = metadata.string(ARCHITECTURE_KEY);
    }

    /** @throws EngineException of category CONFIGURATION that names the key */
    static ModelConfig read(GgufFile file) {
        GgufConfig reader = new GgufConfig(file);
        if (!SUPPORTED.contains(reader.architecture)) {
            throw reader.refusal("has the architecture '" + reader.architecture
                    + "', which isn't supported; take one of " + String.join(", ", new TreeSet<>(SUPPORTED)));
        }
        return reader.llama();
    }

    private ModelConfig llama() {
        int hidden = positive("embedding_length");
        int numHeads = positive("attention.head_count");
        int headDim = headDim(hidden, numHeads);
        refuseUnsupported(headDim);
        try {
            return new ModelConfig(
                    architecture,
                    positive("block_count"),
                    hidden,
                    positive("feed_forward_length"),
                    numHeads,
                    metadata.has(key("attention.head_count_kv")) ? positive("attention.head_count_kv") : numHeads,
                    headDim,
                    (float) metadata.number(key("rope.freq_base"), DEFAULT_ROPE_BASE),
                    Rope.Pairing.ADJACENT,
                    (float) metadata.number(key("attention.layer_norm_rms_epsilon")),
                    positive("context_length"),
                    vocabSize(),
                    file.find(OUTPUT) == null);
        } catch (IllegalArgumentException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    file.path() + " has impossible " + architecture + ".* metadata: " + e.getMessage()
                            + "; fetch or convert the model again",
                    e);
        }
    }

    private int headDim(int hidden, int numHeads) {
        String keyLength = key("attention.key_length");
        if (metadata.has(keyLength)) {
            int headDim = positive("attention.key_length");
            int valueDim = metadata.integer(key("attention.value_length"), headDim);
            if (valueDim != headDim) {
                throw refusal("has " + keyLength + " " + headDim + " and " + key("attention.value_length") + " "
                        + valueDim + "; only equal lengths are supported");
            }
            return headDim;
        }
        if (hidden % numHeads != 0) {
            throw refusal("has " + key("embedding_length") + " " + hidden + ", no multiple of "
                    + key("attention.head_count") + " " + numHeads + "; fetch or convert the model again");
        }
        return hidden / numHeads;
    }

    /** Each of these changes the network's output, so ignoring it would give wrong answers in silence. */
    private void refuseUnsupported(int headDim) {
        int ropeDim = metadata.integer(key("rope.dimension_count"), headDim);
        if (ropeDim != headDim) {
            throw refusal("has " + key("rope.dimension_count") + " " + ropeDim + " of heads of " + headDim
                    + "; only full rotation is supported");
        }
        String scaling = metadata.findString(key("rope.scaling.type"));
        if (scaling != null && !scaling.equals("none")) {
            throw refusal("has " + key("rope.scaling.type") + " '" + scaling + "', which isn't supported yet");
        }
        if (metadata.integer(key("expert_count"), 0) > 0) {
            throw refusal("has " + key("expert_count") + ": mixtures of experts aren't supported yet");
        }
    }

    private int vocabSize() {
        if (metadata.has(key("vocab_size"))) {
            return positive("vocab_size");
        }
        GgufTensorInfo embedding = file.find(EMBEDDING);
        if (embedding == null || embedding.dims().size() != 2) {
            throw refusal("lacks " + key("vocab_size") + " and a matrix '" + EMBEDDING
                    + "' to count tokens in; fetch or convert the model again");
        }
        return (int) Math.min(embedding.dims().get(1), Integer.MAX_VALUE);
    }

    private int positive(String name) {
        int value = metadata.integer(key(name));
        if (value < 1) {
            throw refusal(
                    "has " + key(name) + " " + value + ", which must be positive; fetch or convert the model again");
        }
        return value;
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private EngineException refusal(String what) {
        return new EngineException(EngineException.Category.CONFIGURATION, file.path() + " " + what);
    }
}
