package io.radixflow.model;

import io.radixflow.engine.EngineException;
import io.radixflow.weights.SafetensorsFolder;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** A model in a folder as transformers writes it: config.json, safetensors, tokenizer files. Weights are opened when they are asked for. */
final class HuggingFaceFolder implements ModelSource {

    static final String CONFIG = "config.json";

    private final Path folder;
    private final ConfigJson json;

    private HuggingFaceFolder(Path folder, ConfigJson json) {
        this.folder = folder;
        this.json = json;
    }

    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(CONFIG));
    }

    /** Reads config.json. */
    static HuggingFaceFolder open(Path folder, ModelOverrides overrides) {
        ConfigJson json = ConfigJson.read(folder.resolve(CONFIG));
        overrides.mergeInto(json);
        return new HuggingFaceFolder(folder, json);
    }

    @Override
    public Path path() {
        return folder;
    }

    @Override
    public ModelConfig config() {
        return HuggingFaceConfig.read(json);
    }

    @Override
    public TextFiles text() {
        return HuggingFaceText.read(folder, json);
    }

    @Override
    public TensorSource tensors() {
        if (!SafetensorsFolder.isIn(folder)) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    folder + " has a config.json but no weights; fetch its safetensors, or give --load-format dummy"
                            + " for random ones");
        }
        return new Tensors(SafetensorsFolder.open(folder), config());
    }

    @Override
    public List<StoredTensor> storedTensors() {
        List<StoredTensor> stored = new ArrayList<>();
        if (SafetensorsFolder.isIn(folder)) {
            try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
                for (String name : tensors.names()) {
                    TensorData tensor = tensors.tensor(name);
                    stored.add(new StoredTensor(
                            name,
                            tensor.type().toString(),
                            (long) tensor.rows() * tensor.cols(),
                            tensor.data().remaining()));
                }
            }
        }
        return stored;
    }

    @Override
    public TensorType floatType() {
        return HuggingFaceConfig.floatType(json);
    }

    @Override
    public void close() {
        // config.json was read whole
    }

    private static final class Tensors implements TensorSource {
        private final SafetensorsFolder files;
        private final ModelConfig config;

        Tensors(SafetensorsFolder files, ModelConfig config) {
            this.files = files;
            this.config = config;
        }

        @Override
        public Path path() {
            return files.path();
        }

        @Override
        public TensorRole.Naming naming() {
            return TensorRole.Naming.HUGGING_FACE;
        }

        /** What old llamas store of the rotation, and the output matrix beside an embedding that is used as such, are left out. */
        @Override
        public Collection<String> names() {
            List<String> names = new ArrayList<>();
            for (String name : files.names()) {
                boolean isCopy = config.hasTiedEmbedding() && name.equals(TensorRole.OUTPUT.name(naming(), 0));
                if (!isCopy && !name.endsWith(".rotary_emb.inv_freq")) {
                    names.add(name);
                }
            }
            return names;
        }

        @Override
        public TensorData tensor(String name, int rows, int cols) {
            return files.tensor(name);
        }

        @Override
        public void close() {
            files.close();
        }
    }
}
