package io.radixflow.text.template;

/**
 * What one rendering may use at most, so that no template hangs or fills memory.
 *
 * @param outputChars characters of the result, and of any one string on the way
 * @param work units: one per character, {@link Work#ITEM} per list item touched, {@link Work#NODE} per node run; memory in use is bounded by
 *     it too, since whatever is made is paid for
 * @param depth nested nodes, macro calls included, and nested lists or maps
 */
record Limits(int outputChars, long work, int depth) {

    /** Enough for conversations of millions of tokens; the depth keeps within a thread's stack of 512 KiB. */
    static final Limits DEFAULT = new Limits(32 << 20, 100_000_000L, 500);

    /** Longest template accepted. */
    static final int SOURCE_CHARS = 1 << 20;

    /** Deepest nesting of brackets and blocks accepted by the parser. */
    static final int NESTING = 100;

    /** Longest range(), as in jinja2's sandbox. */
    static final int RANGE_ITEMS = 100_000;
}
