package io.radixflow.text;

/** Where the reasoning of one answer begins. The names are written into state: never renamed or reordered. */
public enum ReasoningStart {
    /** There is none: all text is content, tags included. */
    NEVER,
    /** At the {@code <think>} that the text begins with; without it all text is content. */
    IF_TAGGED,
    /** With the text; a {@code <think>} that it begins with is left out. */
    AT_ONCE
}
