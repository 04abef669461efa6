package io.radixflow.loop;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Models;
import io.radixflow.model.TextFiles;
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

    private TextLoader() {}

    static TextModel load(EngineConfig config, ModelFiles files) {
        TextFiles text = files(config, files);
        Tokenizer tokenizer = tokenizer(text);
        return new TextModel(
                config.find(EngineOptions.SERVED_MODEL_NAME).orElse(name(config, files)),
                tokenizer,
                chatTemplate(config, text),
                config.find(EngineOptions.REASONING_PARSER)
                        .map(ReasoningFormat::of)
                        .orElse(null),
                text.bosToken(),
                text.eosToken(),
                endIds(text, tokenizer),
                contextLen(config, files));
    }

    /** Answers of a simulated device say so by the model's name. */
    private static String name(EngineConfig config, ModelFiles files) {
        return SimulatedLoader.isAskedFor(config) ? SimulatedLoader.nameOf(files.name()) : files.name();
    }

    /** What the user asks for, at most what the model allows. */
    static int contextLen(EngineConfig config, ModelFiles files) {
        int contextLen =
                config.find(EngineOptions.CONTEXT_LENGTH).orElse(files.config().contextLen());
        Models.checkContextLen(files, contextLen);
        return contextLen;
    }

    /** The model's text side, or that of {@code --tokenizer-path} where it has an opinion. */
    static TextFiles files(EngineConfig config, ModelFiles files) {
        TextFiles own = files.text();
        Optional<String> path = config.find(EngineOptions.TOKENIZER_PATH);
        return path.isPresent() ? TextFiles.open(Path.of(path.get())).over(own) : own;
    }

    static Tokenizer tokenizer(TextFiles text) {
        Vocabulary vocabulary = text.vocabulary();
        if (vocabulary != null) {
            return HfTokenizer.fromVocabulary(new VocabularySpec(
                    vocabulary.kind(), vocabulary.pre(), vocabulary.tokens(), vocabulary.types(), vocabulary.merges()));
        }
        Path json = text.tokenizerJson();
        if (json == null) {
            throw invalid(text.path() + " has no tokenizer; give one with --tokenizer-path", null);
        }
        return HfTokenizer.fromTokenizerJson(json);
    }

    /** Those that the files give as numbers, and the end token that they give as text. */
    static int[] endIds(TextFiles text, Tokenizer tokenizer) {
        int id = text.eosToken().isEmpty() ? -1 : tokenizer.idOf(text.eosToken());
        return id < 0 ? text.endIds() : TextFiles.union(text.endIds(), new int[] {id});
    }

    private static @Nullable ChatTemplate chatTemplate(EngineConfig config, TextFiles text) {
        String source = text.chatTemplate();
        String origin = text.path().toString();
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

    private static EngineException invalid(String message, @Nullable Throwable cause) {
        return new EngineException(EngineException.Category.CONFIGURATION, message, cause);
    }
}
