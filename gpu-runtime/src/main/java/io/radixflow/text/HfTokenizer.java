package io.radixflow.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Hugging Face's tokenizers library, from a {@code tokenizer.json} or from the vocabulary in a GGUF file.
 *
 * <p>Padding and truncation that the file may ask for are off. Lone surrogates in a text are encoded as U+FFFD. Bytes that the
 * vocabulary has no token for are left out, as the library does for every caller (SmolLM2 lacks six control characters, and the lead bytes
 * of planes that Unicode hasn't assigned). The tokenizer may know fewer ids than the model has logits for; the rest stands for no text.
 *
 * <p>Thread-safe: encodings run side by side, {@link #close()} waits for them.
 */
public final class HfTokenizer implements Tokenizer {

    private static final long CLOSED = -1;

    private final TokenizersLibrary library;
    private final TokenBytes tokenBytes;
    private final Map<String, Integer> ids;
    private final List<String> separators;
    private final ReadWriteLock lock = new ReentrantReadWriteLock(); // read: uses the native object, write: frees it
    private long handle;

    private HfTokenizer(String tokenizerJson, TokenizerJson.Vocabulary vocabulary) {
        library = NativeTokenizers.library();
        tokenBytes = vocabulary.tokenBytes();
        ids = vocabulary.ids();
        try {
            handle = library.createTokenizerFromString(Utf8.wellFormed(tokenizerJson));
        } catch (RuntimeException e) {
            throw TokenizerJsonReader.refusal(String.valueOf(e.getMessage()), e);
        }
        library.disablePadding(handle);
        library.disableTruncation(handle);
        try {
            vocabulary.addedTokens().forEach(this::checkId);
            boolean areWhole = vocabulary.separators().stream().allMatch(this::isOneToken);
            separators = areWhole ? List.copyOf(vocabulary.separators()) : List.of();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** The library numbers added tokens by their order. If the file's ids have gaps, it encodes to others than we decode. */
    private void checkId(String addedToken) {
        int[] encoded = encode(addedToken);
        if (encoded.length == 1 && encoded[0] != idOf(addedToken)) {
            throw TokenizerJsonReader.refusal(
                    "added token \"" + addedToken + "\" has id " + idOf(addedToken)
                            + ", but the tokenizer library counts it as " + encoded[0],
                    null);
        }
    }

    private boolean isOneToken(String addedToken) {
        int[] encoded = encode(addedToken);
        return encoded.length == 1 && encoded[0] == idOf(addedToken);
    }

    @Override
    public List<String> separators() {
        return separators;
    }

    /** @throws EngineException of category CONFIGURATION, if the file can't be read or isn't supported */
    public static HfTokenizer fromTokenizerJson(Path file) {
        try {
            return fromTokenizerJson(Files.readString(file));
        } catch (IOException e) {
            throw new EngineException(Category.CONFIGURATION, "can't read " + file + ": " + e, e);
        }
    }

    /** @throws EngineException of category CONFIGURATION, if it isn't supported */
    public static HfTokenizer fromTokenizerJson(String json) {
        return new HfTokenizer(json, TokenizerJsonReader.read(json));
    }

    /** @throws EngineException of category CONFIGURATION, if the vocabulary contradicts itself */
    public static HfTokenizer fromVocabulary(VocabularySpec spec) {
        return new HfTokenizer(TokenizerJson.write(spec), TokenizerJson.vocabularyOf(spec));
    }

    @Override
    public int[] encode(String text) {
        lock.readLock().lock();
        try {
            if (handle == CLOSED) {
                throw new IllegalStateException("the tokenizer is closed");
            }
            long encoding = library.encode(handle, Utf8.wellFormed(text), false);
            try {
                return narrow(library.getTokenIds(encoding));
            } finally {
                library.deleteEncoding(encoding);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    private static int[] narrow(long[] values) {
        int[] narrow = new int[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (int) values[i];
        }
        return narrow;
    }

    @Override
    public int vocabSize() {
        return tokenBytes.vocabSize();
    }

    @Override
    public int idOf(String token) {
        return ids.getOrDefault(token, -1);
    }

    @Override
    public TokenBytes tokenBytes() {
        return tokenBytes;
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (handle != CLOSED) {
                library.deleteTokenizer(handle);
                handle = CLOSED;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
