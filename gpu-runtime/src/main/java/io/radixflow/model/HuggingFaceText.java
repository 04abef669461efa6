package io.radixflow.model;

import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the text side of a folder as transformers writes it; all of its files may be missing. */
final class HuggingFaceText {

    static final String TOKENIZER = "tokenizer.json";

    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final String TEMPLATE = "chat_template.jinja";
    private static final String GENERATION = "generation_config.json";
    private static final String EOS = "eos_token_id";

    private HuggingFaceText() {}

    /** @param config the folder's config.json, whose end tokens count too */
    static TextFiles read(Path folder, ConfigJson config) {
        Path tokenizer = folder.resolve(TOKENIZER);
        ConfigJson tokenizerConfig = read(folder, TOKENIZER_CONFIG);
        int vocabSize = config.positive("vocab_size", Integer.MAX_VALUE);
        return new TextFiles(
                folder,
                null,
                Files.exists(tokenizer) ? tokenizer : null,
                chatTemplate(folder, tokenizerConfig),
                token(tokenizerConfig, "bos_token"),
                token(tokenizerConfig, "eos_token"),
                TextFiles.union(
                        config.ids(EOS, vocabSize), read(folder, GENERATION).ids(EOS, vocabSize)));
    }

    /** The text side alone, of a folder that need not hold a model. */
    static TextFiles read(Path folder) {
        return read(folder, read(folder, HuggingFaceFolder.CONFIG));
    }

    private static ConfigJson read(Path folder, String name) {
        Path file = folder.resolve(name);
        return Files.exists(file) ? ConfigJson.read(file) : ConfigJson.empty(file.toString());
    }

    /** A text, or an object that holds one; empty if there is none. */
    private static String token(ConfigJson tokenizerConfig, String field) {
        if (tokenizerConfig.has(field) && tokenizerConfig.node().get(field).isObject()) {
            ConfigJson token = tokenizerConfig.findObject(field);
            return token == null ? "" : token.string("content");
        }
        String text = tokenizerConfig.findString(field);
        return text == null ? "" : text;
    }

    /** A file of its own counts before the field, which holds one template or several with names. */
    private static @Nullable String chatTemplate(Path folder, ConfigJson tokenizerConfig) {
        Path file = folder.resolve(TEMPLATE);
        if (Files.exists(file)) {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                throw new EngineException(
                        EngineException.Category.CONFIGURATION, file + " can't be read (" + e + "); fetch it again", e);
            }
        }
        List<ConfigJson> named = tokenizerConfig.findObjects("chat_template");
        if (named == null) {
            return tokenizerConfig.findString("chat_template");
        }
        for (ConfigJson template : named) {
            if (template.string("name").equals("default")) {
                return template.string("template");
            }
        }
        return null;
    }
}
