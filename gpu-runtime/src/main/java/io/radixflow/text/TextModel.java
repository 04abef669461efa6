package io.radixflow.text;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The text side of a model: enough to turn messages into token ids and ids into text, without weights.
 *
 * @param name of the model, as answers carry it
 * @param tokenizer shared; closed by {@link #close()}
 * @param chatTemplate null if the model has none; chat requests are refused then
 * @param reasoningFormat how reasoning is told from content; null if all text is content
 * @param bosToken text of the beginning-of-sequence token for templates, empty if none
 * @param eosToken text of the end-of-sequence token for templates, empty if none
 * @param eosIds ids that end an answer; nobody writes the array
 * @param contextLen most tokens of one sequence
 */
public record TextModel(
        String name,
        Tokenizer tokenizer,
        @Nullable ChatTemplate chatTemplate,
        @Nullable ReasoningFormat reasoningFormat,
        String bosToken,
        String eosToken,
        int[] eosIds,
        int contextLen)
        implements AutoCloseable {

    public TextModel {
        Objects.requireNonNull(tokenizer, "tokenizer");
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
