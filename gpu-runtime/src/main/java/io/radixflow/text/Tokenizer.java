package io.radixflow.text;

import java.util.List;

/** Text to token ids and back. Thread-safe: encoding may run on several threads at once. */
public interface Tokenizer extends AutoCloseable {

    /** Encodes without adding tokens of its own (no BOS); special tokens written in the text become their ids, as chat templates need. */
    int[] encode(String text);

    /**
     * Tokens at which {@link #encode} cuts a text before anything else: what stands between two of them is encoded by itself, whatever
     * is around it. Where two begin at the same place it is the longer. Empty if that can't be promised.
     */
    default List<String> separators() {
        return List.of();
    }

    /** Ids are in {@code [0, vocabSize)}. */
    int vocabSize();

    /** The id of a token written exactly so, or -1. */
    int idOf(String token);

    /** What each id adds to the text. */
    TokenBytes tokenBytes();

    @Override
    void close();
}
