package io.radixflow.cache;

import org.jspecify.annotations.Nullable;

/** Where a walk through the {@link RadixTree} ended: the node and how many tokens lead to its end. Reused by its owner. */
public final class PrefixMatch {

    /** Null before the first match. */
    public @Nullable RadixNode node;
    /** Tokens from the root to the end of {@link #node}. */
    public int len;

    void set(RadixNode node, int len) {
        this.node = node;
        this.len = len;
    }

    /** Forgets the node, so that it can be collected. */
    public void clear() {
        node = null;
        len = 0;
    }
}
