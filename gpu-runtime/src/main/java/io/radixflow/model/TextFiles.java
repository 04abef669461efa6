package io.radixflow.model;

import io.radixflow.weights.GgufFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The text side of a model as its files give it: plain values to build tokenizer and chat template from.
 *
 * @param path the file or folder that messages name
 * @param vocabulary of a GGUF file, else null
 * @param tokenizerJson a file for Hugging Face's tokenizers, else null; without both there is no tokenizer
 * @param chatTemplate source of the template, or null if the files have none
 * @param bosToken text of the token that begins a sequence, empty if none
 * @param eosToken text of the token that ends one, empty if none
 * @param endIds ids that end an answer, as numbers in the files say; nobody writes the array
 */
public record TextFiles(
        Path path,
        @Nullable Vocabulary vocabulary,
        @Nullable Path tokenizerJson,
        @Nullable String chatTemplate,
        String bosToken,
        String eosToken,
        int[] endIds) {

    /**
     * Opens the text side alone.
     *
     * @param path a tokenizer.json, a folder with one, a GGUF file, or a folder with one
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION, one line that names the file, for what is missing or odd
     */
    public static TextFiles open(Path path) {
        if (!Files.isDirectory(path) && !ModelFiles.isGguf(path)) {
            return new TextFiles(path, null, path, null, "", "", new int[0]);
        }
        if (Files.exists(path.resolve(HuggingFaceText.TOKENIZER))) {
            return HuggingFaceText.read(path);
        }
        Path gguf = Files.isDirectory(path) ? ModelFiles.onlyGgufIn(path, HuggingFaceText.TOKENIZER) : path;
        try (GgufFile file = GgufFile.open(gguf)) {
            return new GgufModel(file, ModelOverrides.parse(null)).text();
        }
    }

    /** These files' tokenizer, with what they lack taken from {@code base}; the ids that end an answer are both's. */
    public TextFiles over(TextFiles base) {
        return new TextFiles(
                path,
                vocabulary,
                tokenizerJson,
                chatTemplate == null ? base.chatTemplate : chatTemplate,
                bosToken.isEmpty() ? base.bosToken : bosToken,
                eosToken.isEmpty() ? base.eosToken : eosToken,
                union(base.endIds, endIds));
    }

    public boolean hasTokenizer() {
        return vocabulary != null || tokenizerJson != null;
    }

    /** Each id once, in order; a new array. */
    public static int[] union(int[] first, int[] second) {
        int[] ids = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, ids, first.length, second.length);
        return Arrays.stream(ids).distinct().toArray();
    }
}
