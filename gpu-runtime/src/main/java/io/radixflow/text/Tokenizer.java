package io.radixflow.text;

/** Text to token ids and back. Thread-safe: encoding may run on several threads at once. */
public interface Tokenizer extends AutoCloseable {

    /** Encodes without adding tokens of its own (no BOS); special tokens written in the text become their ids, as chat templates need. */
    int[] encode(String text);

    /** Ids are in {@code [0, vocabSize)}. */
    int vocabSize();

    /** The id of a token written exactly so, or -1. */
    int idOf(String token);

    /** What each id adds to the text. */
    TokenBytes tokenBytes();

    @Override
    void close();
}
