package io.radixflow.loop;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Vocabulary;
import io.radixflow.text.ChatTemplate;
import io.radixflow.text.HfTokenizer;
import io.radixflow.text.ReasoningFormat;
import io.radixflow.text.TextModel;
import io.radixflow.text.Tokenizer;
import io.radixflow.text.VocabularySpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Loads the text side of a model: tokenizer, chat template, end ids, context length. */
final class TextLoader {

    private static final String TOKENIZER_FILE = "tokenizer.json";

    private TextLoader() {}

    static TextModel load(EngineConfig config, ModelFiles files) {
        Vocabulary vocabulary = files.vocabulary();
        return new TextModel(
                config.find(EngineOptions.SERVED_MODEL_NAME).orElse(name(config, files)),
                tokenizer(config, vocabulary),
                chatTemplate(config, files),
                config.find(EngineOptions.REASONING_PARSER)
                        .map(ReasoningFormat::of)
                        .orElse(null),
                textOf(vocabulary, vocabulary.bosId()),
                textOf(vocabulary, vocabulary.eosId()),
                vocabulary.endIds(),
                contextLen(config, files));
    }

    /** Answers of a simulated device say so by the model's name. */
    private static String name(EngineConfig config, ModelFiles files) {
        return SimulatedLoader.isAskedFor(config) ? SimulatedLoader.nameOf(files.name()) : files.name();
    }

    /** What the user asks for, at most what the model was trained for. */
    static int contextLen(EngineConfig config, ModelFiles files) {
        int trained = files.config().contextLen();
        int asked = config.find(EngineOptions.CONTEXT_LENGTH).orElse(trained);
        if (asked > trained) {
            throw invalid(
                    "--context-length " + asked + " is more than the " + trained + " tokens that " + files.name()
                            + " was trained for",
                    null);
        }
        return asked;
    }

    static Tokenizer tokenizer(EngineConfig config, Vocabulary vocabulary) {
        Optional<String> path = config.find(EngineOptions.TOKENIZER_PATH);
        if (path.isPresent()) {
            Path file = Path.of(path.get());
            return HfTokenizer.fromTokenizerJson(Files.isDirectory(file) ? file.resolve(TOKENIZER_FILE) : file);
        }
        return HfTokenizer.fromVocabulary(new VocabularySpec(
                vocabulary.kind(), vocabulary.pre(), vocabulary.tokens(), vocabulary.types(), vocabulary.merges()));
    }

    private static @Nullable ChatTemplate chatTemplate(EngineConfig config, ModelFiles files) {
        String source = files.chatTemplate();
        String origin = files.name();
        Optional<String> path = config.find(EngineOptions.CHAT_TEMPLATE);
        if (path.isPresent()) {
            origin = path.get();
            try {
                source = Files.readString(Path.of(origin));
            } catch (IOException e) {
                throw invalid("--chat-template: can't read " + origin + ": " + e, e);
            }
        }
        try {
            return source == null ? null : ChatTemplate.parse(source);
        } catch (IllegalArgumentException e) {
            throw invalid("the chat template of " + origin + " is not supported: " + e.getMessage(), e);
        }
    }

    private static String textOf(Vocabulary vocabulary, int id) {
        return id < 0 ? "" : vocabulary.tokens().get(id);
    }

    private static EngineException invalid(String message, @Nullable Throwable cause) {
        return new EngineException(EngineException.Category.CONFIGURATION, message, cause);
    }
}
