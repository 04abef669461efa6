package io.radixflow.loop;

import io.radixflow.engine.EngineConfig;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.TextFiles;
import io.radixflow.text.TokenBytes;
import io.radixflow.text.Tokenizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an engine knows of text.
 *
 * @param tokenBytes what ids add to an answer
 * @param endIds ids that end an answer; nobody writes the array
 */
record Words(TokenBytes tokenBytes, int[] endIds) {

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
            return new Words(withoutText(files.config().vocabSize()).tokenBytes, text.endIds());
        }
        try (Tokenizer tokenizer = TextLoader.tokenizer(text)) {
            return new Words(tokenizer.tokenBytes(), TextLoader.endIds(text, tokenizer));
        }
    }

    /** Ids that stand for no text and end nothing. */
    static Words withoutText(int vocabSize) {
        return new Words(new TokenBytes(new byte[vocabSize][0], new boolean[vocabSize]), NO_IDS);
    }
}
