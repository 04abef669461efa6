package io.radixflow.model;

import io.radixflow.engine.EngineException;
import io.radixflow.weights.GgufFile;
import io.radixflow.weights.GgufMetadata;
import io.radixflow.weights.GgufTensorInfo;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** A model in one GGUF file. */
final class GgufModel implements ModelSource {

    private static final String TOKENIZER = "tokenizer.ggml.";

    private final GgufFile file;
    private final ModelOverrides overrides;

    GgufModel(GgufFile file, ModelOverrides overrides) {
        this.file = file;
        this.overrides = overrides;
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public ModelConfig config() {
        return GgufConfig.read(file, overrides);
    }

    @Override
    public TextFiles text() {
        Vocabulary vocabulary = vocabulary();
        int numTokens = vocabulary.tokens().size();
        return new TextFiles(
                file.path(),
                vocabulary,
                null,
                file.metadata().findString("tokenizer.chat_template"),
                textOf(vocabulary, tokenId("bos_token_id", numTokens)),
                textOf(vocabulary, tokenId("eos_token_id", numTokens)),
                endIds(numTokens));
    }

    private Vocabulary vocabulary() {
        GgufMetadata metadata = file.metadata();
        List<String> tokens = metadata.strings(TOKENIZER + "tokens");
        String typesKey = TOKENIZER + "token_type";
        int[] types;
        if (metadata.has(typesKey)) {
            types = metadata.integers(typesKey);
        } else {
            types = new int[tokens.size()];
            Arrays.fill(types, Vocabulary.NORMAL);
        }
        if (types.length != tokens.size()) {
            throw refusal("has " + types.length + " elements in " + typesKey + " for " + tokens.size()
                    + " tokens; fetch or convert the model again");
        }
        String mergesKey = TOKENIZER + "merges";
        String pre = metadata.findString(TOKENIZER + "pre");
        return new Vocabulary(
                metadata.string(TOKENIZER + "model"),
                pre == null ? "" : pre,
                tokens,
                types,
                metadata.has(mergesKey) ? metadata.strings(mergesKey) : List.of());
    }

    private static String textOf(Vocabulary vocabulary, int id) {
        return id < 0 ? "" : vocabulary.tokens().get(id);
    }

    private int[] endIds(int numTokens) {
        List<Integer> ids = new ArrayList<>();
        for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
            int id = tokenId(key, numTokens);
            if (id >= 0 && !ids.contains(id)) {
                ids.add(id);
            }
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The id under that key, or -1 if the key is missing. */
    private int tokenId(String name, int numTokens) {
        String key = TOKENIZER + name;
        if (!file.metadata().has(key)) {
            return -1;
        }
        int id = file.metadata().integer(key);
        if (id < 0 || id >= numTokens) {
            throw refusal("has " + id + " in " + key + ", outside its " + numTokens
                    + " tokens; fetch or convert the model again");
        }
        return id;
    }

    @Override
    public TensorSource tensors() {
        return new Tensors();
    }

    @Override
    public List<StoredTensor> storedTensors() {
        List<StoredTensor> tensors = new ArrayList<>();
        for (GgufTensorInfo info : file.tensors()) {
            tensors.add(new StoredTensor(info.name(), info.typeName(), info.numElements(), info.numBytes()));
        }
        return tensors;
    }

    @Override
    public TensorType floatType() {
        return TensorType.BF16;
    }

    @Override
    public void close() {
        file.close();
    }

    private EngineException refusal(String what) {
        return new EngineException(EngineException.Category.CONFIGURATION, file.path() + " " + what);
    }

    private final class Tensors implements TensorSource {

        @Override
        public Path path() {
            return file.path();
        }

        @Override
        public TensorRole.Naming naming() {
            return TensorRole.Naming.GGUF;
        }

        /** The divisors of the rotation are left out: they are part of the configuration. */
        @Override
        public Collection<String> names() {
            List<String> names = new ArrayList<>();
            for (GgufTensorInfo info : file.tensors()) {
                if (!info.name().equals(GgufRope.DIVISORS)) {
                    names.add(info.name());
                }
            }
            return names;
        }

        @Override
        public TensorData tensor(String name, int rows, int cols) {
            return file.tensor(name);
        }

        @Override
        public void close() {
            // the file is the model's
        }
    }
}
