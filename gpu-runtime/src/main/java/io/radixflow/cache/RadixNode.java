package io.radixflow.cache;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An edge of a {@link RadixTree}: a run of token ids and the KV slots that it owns, in whole pages. A root has no tokens. Only its tree
 * writes it; others hold it as a handle.
 */
public sealed class RadixNode extends TokenNode<RadixNode> permits RadixRoot {

    static final int[] NOTHING = {};

    /** [len] never written after creation; a split replaces it. */
    int[] tokens;
    /** [len] alike. */
    int[] slots;
    /** Sequences that use this node or one below it. */
    int lockRef;
    /** Sequences that ran on this node. */
    int hits;
    /** Requests known to come that need all of this node; counted for {@link EvictionOrder#KNOWN_USES} only. */
    int uses;
    /** Whether the last of its announced users is done. */
    boolean isSpent;

    // Neighbours in the eviction queue's list that holds it; not queued while locked.
    @Nullable
    NodeList list;

    @Nullable
    RadixNode before;

    @Nullable
    RadixNode after;

    RadixNode(@Nullable RadixNode parent, int[] tokens, int[] slots, int keyHash) {
        super(parent, keyHash);
        this.tokens = tokens;
        this.slots = slots;
    }

    final int len() {
        return tokens.length;
    }

    @Override
    final boolean startsWith(int[] key, int from, int keyLen) {
        return Arrays.equals(tokens, 0, keyLen, key, from, from + keyLen);
    }
}
