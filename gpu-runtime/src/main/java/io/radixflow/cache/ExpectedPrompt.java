package io.radixflow.cache;

import io.radixflow.engine.CacheNamespace;
import org.jspecify.annotations.Nullable;

/** Tokens that requests to come begin with, and how many of these there are. In at most one {@link PromptTrie}, which writes it. */
public class ExpectedPrompt {

    final CacheNamespace namespace;
    /** Never written while it is in a trie. */
    final int[] tokens;

    final int len;
    final long order;
    /** Null while it is in no trie. */
    @Nullable
    PromptNode node;

    /**
     * @param tokens in {@code [0, len)}; not copied and not to be written while it is in a trie
     * @param order of equally many requests the lower comes first
     */
    public ExpectedPrompt(CacheNamespace namespace, int[] tokens, int len, long order) {
        this.namespace = namespace;
        this.tokens = tokens;
        this.len = len;
        this.order = order;
    }

    /** Requests that are still to come. */
    public final int numUses() {
        return node == null ? 0 : node.count;
    }
}
