package io.radixflow.model;

import io.radixflow.engine.EngineException;
import io.radixflow.weights.GgufFile;
import io.radixflow.weights.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The files of one model, opened and checked: a GGUF file, or a folder that holds exactly one.
 *
 * <p>Opening reads the header only; tensors are mapped when {@link Models} loads them. Thread-safe. Every method throws
 * {@link EngineException} of category CONFIGURATION, one line that names the file, for what the files lack.
 */
public final class ModelFiles implements AutoCloseable {

    private static final String SUFFIX = ".gguf";
    private static final String TOKENIZER = "tokenizer.ggml.";

    private final String name;
    private final GgufFile gguf;

    private ModelFiles(String name, GgufFile gguf) {
        this.name = name;
        this.gguf = gguf;
    }

    /** @param path a .gguf file, or a folder with exactly one */
    public static ModelFiles open(Path path) {
        GgufFile gguf = GgufFile.open(Files.isDirectory(path) ? onlyGgufIn(path) : path);
        return new ModelFiles(nameOf(path), gguf);
    }

    /** The path's last part as the user gave it, without {@code .gguf}. */
    public String name() {
        return name;
    }

    public GgufFile gguf() {
        return gguf;
    }

    /** Shape and constants; refuses architectures that aren't built, naming those that are. */
    public ModelConfig config() {
        return GgufConfig.read(gguf);
    }

    public Vocabulary vocabulary() {
        GgufMetadata metadata = gguf.metadata();
        List<String> tokens = metadata.strings(GgufConfig.TOKENS_KEY);
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
                metadata.has(mergesKey) ? metadata.strings(mergesKey) : List.of(),
                tokenId("bos_token_id", tokens.size()),
                tokenId("eos_token_id", tokens.size()),
                endIds(tokens.size()));
    }

    /** Source of the chat template, or null if the files have none. */
    public @Nullable String chatTemplate() {
        return gguf.metadata().findString("tokenizer.chat_template");
    }

    @Override
    public void close() {
        gguf.close();
    }

    private int[] endIds(int numTokens) {
        int[] ids = new int[3];
        int numIds = 0;
        for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
            int id = tokenId(key, numTokens);
            boolean isKnown = false;
            for (int i = 0; i < numIds; i++) {
                isKnown |= ids[i] == id;
            }
            if (id >= 0 && !isKnown) {
                ids[numIds++] = id;
            }
        }
        return Arrays.copyOf(ids, numIds);
    }

    /** The id under that key, or -1 if the key is missing. */
    private int tokenId(String name, int numTokens) {
        String key = TOKENIZER + name;
        if (!gguf.metadata().has(key)) {
            return -1;
        }
        int id = gguf.metadata().integer(key);
        if (id < 0 || id >= numTokens) {
            throw refusal("has " + id + " in " + key + ", outside its " + numTokens
                    + " tokens; fetch or convert the model again");
        }
        return id;
    }

    private EngineException refusal(String what) {
        return new EngineException(EngineException.Category.CONFIGURATION, gguf.path() + " " + what);
    }

    private static Path onlyGgufIn(Path folder) {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            entries.filter(entry -> entry.toString().endsWith(SUFFIX)).sorted().forEach(found::add);
        } catch (IOException e) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    folder + " can't be read (" + e.getMessage() + "); check its permissions",
                    e);
        }
        if (found.isEmpty()) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    folder + " holds no .gguf file; fetch the model or give another --model-path");
        }
        if (found.size() > 1) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    folder + " holds " + found.size() + " .gguf files ("
                            + found.get(0).getFileName() + ", "
                            + found.get(1).getFileName() + (found.size() > 2 ? ", ..." : "")
                            + "); give one of them as --model-path");
        }
        return found.get(0);
    }

    private static String nameOf(Path path) {
        Path last = path.toAbsolutePath().normalize().getFileName();
        String text = last == null ? path.toString() : last.toString();
        return text.endsWith(SUFFIX) ? text.substring(0, text.length() - SUFFIX.length()) : text;
    }
}
