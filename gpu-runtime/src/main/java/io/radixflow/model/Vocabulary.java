package io.radixflow.model;

import java.util.List;

/**
 * A vocabulary as a GGUF file gives it: plain values to build a tokenizer from.
 *
 * @param kind the file's name of the algorithm, such as {@code gpt2} (byte-level BPE)
 * @param pre the file's name of how text is split before BPE, such as {@code smollm}; empty if not named
 * @param tokens text of each id
 * @param types of each id, GGUF's numbers: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; nobody writes the array
 * @param merges BPE merges by rank, left and right part with a blank between
 */
public record Vocabulary(String kind, String pre, List<String> tokens, int[] types, List<String> merges) {

    public static final int NORMAL = 1;
    public static final int UNKNOWN = 2;
    public static final int CONTROL = 3;
    public static final int USER_DEFINED = 4;
    public static final int UNUSED = 5;
    public static final int BYTE = 6;

    public Vocabulary {
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
        if (types.length != tokens.size()) {
            throw new IllegalArgumentException(types.length + " token types for " + tokens.size() + " tokens");
        }
    }
}
