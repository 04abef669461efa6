package io.radixflow.text;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.util.List;

/**
 * A byte-level BPE vocabulary as GGUF files carry it, under their keys {@code tokenizer.ggml.*}.
 *
 * @param model kind of tokenizer; only {@code gpt2} (byte-level BPE) is supported
 * @param pre how text is split before merging: {@code smollm} or {@code qwen2}
 * @param tokens text of each id in the byte-level alphabet; control and user-defined tokens literally
 * @param tokenTypes type of each id, see the constants; nobody writes the array
 * @param merges pairs joined by one space, first ones first
 */
public record VocabularySpec(String model, String pre, List<String> tokens, int[] tokenTypes, List<String> merges) {

    static final int TYPE_CONTROL = 3;
    static final int TYPE_USER_DEFINED = 4;
    static final int TYPE_UNUSED = 5;

    /** @throws EngineException of category CONFIGURATION, if the kinds aren't supported or the lengths differ */
    public VocabularySpec {
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
        if (!model.equals("gpt2")) {
            throw new EngineException(
                    Category.CONFIGURATION, "tokenizer model \"" + model + "\" is not supported; supported: gpt2");
        }
        if (!TokenizerJson.isKnownPre(pre)) {
            throw new EngineException(
                    Category.CONFIGURATION, "pre-tokenizer \"" + pre + "\" is not supported; supported: smollm, qwen2");
        }
        if (tokenTypes.length != tokens.size()) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "the vocabulary has " + tokens.size() + " tokens but " + tokenTypes.length + " token types");
        }
    }
}
