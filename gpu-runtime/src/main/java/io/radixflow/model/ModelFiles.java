package io.radixflow.model;

import io.radixflow.engine.EngineException;
import io.radixflow.weights.GgufFile;
import io.radixflow.weights.SafetensorsFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files of one model, opened and checked: a GGUF file, a folder that holds exactly one, or a folder as transformers writes it.
 *
 * <p>Opening reads headers only; tensors are mapped when {@link Models} loads them. Thread-safe. Every method throws
 * {@link EngineException} of category CONFIGURATION, one line that names the file, for what the files lack.
 */
public final class ModelFiles implements AutoCloseable {

    private static final String SUFFIX = ".gguf";
    private static final long DUMMY_SEED = 0;

    private final String name;
    private final ModelSource source;
    private final boolean isDummy;

    private ModelFiles(String name, ModelSource source, boolean isDummy) {
        this.name = name;
        this.source = source;
        this.isDummy = isDummy;
    }

    /** @param path a .gguf file, a folder with exactly one, or a folder with a config.json */
    public static ModelFiles open(Path path) {
        return open(path, LoadFormat.AUTO, null);
    }

    /**
     * @param path a .gguf file, a folder with exactly one, or a folder with a config.json
     * @param overrides a JSON object merged over the model's configuration, or null
     */
    public static ModelFiles open(Path path, LoadFormat format, @Nullable String overrides) {
        ModelOverrides parsed = ModelOverrides.parse(overrides);
        ModelSource source = isHuggingFace(path, format)
                ? HuggingFaceFolder.open(path, parsed)
                : new GgufModel(
                        GgufFile.open(Files.isDirectory(path) ? onlyGgufIn(path, "config.json") : path), parsed);
        return new ModelFiles(nameOf(path), source, format == LoadFormat.DUMMY);
    }

    private static boolean isHuggingFace(Path path, LoadFormat format) {
        boolean isFolder = Files.isDirectory(path) && HuggingFaceFolder.isIn(path);
        return switch (format) {
            case GGUF -> false;
            case DUMMY -> isFolder;
            case AUTO ->
                isFolder && (SafetensorsFolder.isIn(path) || ggufsIn(path).isEmpty());
            case SAFETENSORS -> {
                if (!isFolder) {
                    throw new EngineException(
                            EngineException.Category.CONFIGURATION,
                            path + " is no folder with a config.json, which --load-format safetensors needs");
                }
                yield true;
            }
        };
    }

    /** The path's last part as the user gave it, without {@code .gguf}. */
    public String name() {
        return name;
    }

    /** The file or folder. */
    public Path path() {
        return source.path();
    }

    /** Shape and constants; refuses architectures that aren't built, naming those that are. */
    public ModelConfig config() {
        return source.config();
    }

    /** What tokenizer and chat template are made from. */
    public TextFiles text() {
        return source.text();
    }

    /** What the files say about each tensor; empty if there are no weights. */
    public List<StoredTensor> storedTensors() {
        return source.storedTensors();
    }

    /** The weights to load; whoever asks closes them. */
    TensorSource tensors() {
        return isDummy
                ? new DummyTensors(source.path(), new RandomWeights(DUMMY_SEED, source.floatType()))
                : source.tensors();
    }

    @Override
    public void close() {
        source.close();
    }

    static boolean isGguf(Path path) {
        return path.toString().endsWith(SUFFIX);
    }

    /** @param alternative the file that would have done as well, for messages */
    static Path onlyGgufIn(Path folder, String alternative) {
        List<Path> found = ggufsIn(folder);
        if (found.isEmpty()) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    folder + " holds no .gguf file and no " + alternative + "; fetch the model or give another path");
        }
        if (found.size() > 1) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    folder + " holds " + found.size() + " .gguf files ("
                            + found.get(0).getFileName() + ", "
                            + found.get(1).getFileName() + (found.size() > 2 ? ", ..." : "")
                            + "); give one of them as the path");
        }
        return found.get(0);
    }

    private static List<Path> ggufsIn(Path folder) {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            entries.filter(ModelFiles::isGguf).sorted().forEach(found::add);
        } catch (IOException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    folder + " can't be read (" + e.getMessage() + "); check its permissions",
                    e);
        }
        return found;
    }

    private static String nameOf(Path path) {
        Path last = path.toAbsolutePath().normalize().getFileName();
        String text = last == null ? path.toString() : last.toString();
        return text.endsWith(SUFFIX) ? text.substring(0, text.length() - SUFFIX.length()) : text;
    }
}
