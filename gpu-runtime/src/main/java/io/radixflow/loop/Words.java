package io.radixflow.loop;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.TextFiles;
import io.radixflow.text.TokenBytes;
import io.radixflow.text.Tokenizer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an engine knows of text.
 *
 * @param tokenBytes what ids add to an answer
 * @param endIds ids that end an answer; nobody writes the array
 * @param jumpTokenizer open, for text that a grammar forces; null with {@code --disable-jump-forward}
 */
record Words(TokenBytes tokenBytes, int[] endIds, @Nullable Tokenizer jumpTokenizer) {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    private static final int[] NO_IDS = {};

    /** Those of a model's files; of a model without a tokenizer, ids without text, which is said once. */
    static Words of(EngineConfig config, ModelFiles files) {
        TextFiles text = TextLoader.files(config, files);
        if (!text.hasTokenizer()) {
            LOG.warn(
                    "{} has no tokenizer: the engine takes and gives token ids, answers have no text; --tokenizer-path"
                            + " gives it one",
                    text.path());
            return new Words(withoutText(files.config().vocabSize()).tokenBytes, text.endIds(), null);
        }
        Tokenizer tokenizer = TextLoader.tokenizer(text);
        boolean isKept = !config.get(EngineOptions.DISABLE_JUMP_FORWARD);
        if (!isKept) {
            tokenizer.close(); // what is asked of it below is Java's
        }
        return new Words(tokenizer.tokenBytes(), TextLoader.endIds(text, tokenizer), isKept ? tokenizer : null);
    }

    /** Ids that stand for no text and end nothing. */
    static Words withoutText(int vocabSize) {
        return new Words(new TokenBytes(new byte[vocabSize][0], new boolean[vocabSize]), NO_IDS, null);
    }
}
