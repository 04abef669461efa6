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

    private static final String LLAMA = "llama";
    private static final String QWEN2 = "qwen2";
    private static final String QWEN3 = "qwen3";
    private static final Set<String> SUPPORTED = Set.of(LLAMA, QWEN2, QWEN3);

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final String architecture;
    private final ConfigJson overrides;

    private GgufConfig(GgufFile file, ConfigJson overrides) {
        this.file = file;
        this.metadata = file.metadata();
        this.architecture = metadata.string(ARCHITECTURE_KEY);
        this.overrides = overrides;
    }

    /** @throws EngineException of category CONFIGURATION that names the key */
    static ModelConfig read(GgufFile file, ModelOverrides overrides) {
        GgufConfig reader = new GgufConfig(file, overrides.forGguf());
        if (!SUPPORTED.contains(reader.architecture)) {
            throw reader.refusal("has the architecture '" + reader.architecture
                    + "', which isn't supported; take one of " + String.join(", ", new TreeSet<>(SUPPORTED)));
        }
        return reader.decoder();
    }

    private ModelConfig decoder() {
        int hidden = positive("embedding_length");
        int numHeads = positive("attention.head_count");
        int headDim = headDim(hidden, numHeads);
        int trainedLen = overrides.positive(RopeJson.TRAINED_LEN, positive("context_length"));
        refuseUnsupported(headDim, trainedLen);
        try {
            return new ModelConfig(
                    architecture,
                    positive("block_count"),
                    hidden,
                    positive("feed_forward_length"),
                    numHeads,
                    metadata.has(key("attention.head_count_kv")) ? positive("attention.head_count_kv") : numHeads,
                    headDim,
                    new GgufRope(file, overrides).read(architecture, pairing(), headDim, trainedLen),
                    (float) metadata.number(key("attention.layer_norm_rms_epsilon")),
                    trainedLen,
                    vocabSize(),
                    !has(TensorRole.OUTPUT),
                    architecture.equals(QWEN2) || has(TensorRole.Q_BIAS),
                    architecture.equals(QWEN3));
        } catch (IllegalArgumentException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    file.path() + " has impossible " + architecture + ".* metadata: " + e.getMessage()
                            + "; fetch or convert the model again",
                    e);
        }
    }

    /** Converters permute the rows of a llama's q and k so that pairs lie side by side, and leave the others' as they were. */
    private Rope.Pairing pairing() {
        return architecture.equals(LLAMA) ? Rope.Pairing.ADJACENT : Rope.Pairing.HALVES;
    }

    private boolean has(TensorRole role) {
        return file.find(role.name(TensorRole.Naming.GGUF, 0)) != null;
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
    private void refuseUnsupported(int headDim, int contextLen) {
        int ropeDim = metadata.integer(key("rope.dimension_count"), headDim);
        if (ropeDim != headDim) {
            throw refusal("has " + key("rope.dimension_count") + " " + ropeDim + " of heads of " + headDim
                    + "; only full rotation is supported");
        }
        int window = metadata.integer(key("attention.sliding_window"), contextLen);
        if (window > 0 && window < contextLen) {
            throw refusal("has " + key("attention.sliding_window") + " " + window + ", which isn't supported yet");
        }
        if (metadata.integer(key("expert_count"), 0) > 0) {
            throw refusal("has " + key("expert_count") + ": mixtures of experts aren't supported yet");
        }
    }

    private int vocabSize() {
        if (metadata.has(key("vocab_size"))) {
            return positive("vocab_size");
        }
        String name = TensorRole.EMBEDDING.name(TensorRole.Naming.GGUF, 0);
        GgufTensorInfo embedding = file.find(name);
        if (embedding == null || embedding.dims().size() != 2) {
            throw refusal("lacks " + key("vocab_size") + " and a matrix '" + name
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
