package io.radixflow.cache;

import org.jspecify.annotations.Nullable;

/**
 * An edge of a {@link RadixTree}: a run of token ids and the KV slots that it owns. A root has no tokens. Only its tree writes it; others
 * hold it as a handle.
 */
public sealed class RadixNode permits RadixRoot {

    static final int[] NOTHING = {};

    /** Null in a root. */
    @Nullable
    RadixNode parent;
    /** [len] never written after creation; a split replaces it. */
    int[] tokens;
    /** [len] alike. */
    int[] slots;
    /** Sequences that use this node or one below it. */
    int lockRef;
    /** Tick of the tree at the last match or insert through this node. */
    long lastAccess;
    /** Place in the tree's heap of evictable leaves, or {@link IndexedHeap#ABSENT}. */
    int heapPlace = IndexedHeap.ABSENT;

    /** Open addressing on the children's first tokens, linear probing, a power of two long; null without children. */
    private @Nullable RadixNode @Nullable [] table;

    private int numChildren;

    RadixNode(@Nullable RadixNode parent, int[] tokens, int[] slots) {
        this.parent = parent;
        this.tokens = tokens;
        this.slots = slots;
    }

    int len() {
        return tokens.length;
    }

    int numChildren() {
        return numChildren;
    }

    boolean isEvictable() {
        return lockRef == 0 && numChildren == 0 && parent != null;
    }

    /** Capacity of the table, whose places {@link #childAt} shows; for walks over all children. */
    int tableLen() {
        return table == null ? 0 : table.length;
    }

    @Nullable
    RadixNode childAt(int place) {
        return table == null ? null : table[place];
    }

    @Nullable
    RadixNode child(int firstToken) {
        @Nullable RadixNode[] children = table;
        if (children == null) {
            return null;
        }
        int mask = children.length - 1;
        int place = hash(firstToken) & mask;
        RadixNode found = children[place];
        while (found != null && found.tokens[0] != firstToken) {
            place = (place + 1) & mask;
            found = children[place];
        }
        return found;
    }

    /** Adds a child whose first token no child has yet. */
    void addChild(RadixNode child) {
        @Nullable RadixNode[] children = table;
        if (children == null) {
            children = new RadixNode[2];
        } else if (4 * (numChildren + 1) > 3 * children.length) {
            children = grown(children);
        }
        table = children;
        put(children, child);
        numChildren++;
    }

    /** Puts {@code child} in the place of the child with the same first token. */
    void replaceChild(RadixNode child) {
        table()[find(child.tokens[0])] = child;
    }

    void removeChild(RadixNode child) {
        @Nullable RadixNode[] children = table();
        int mask = children.length - 1;
        int hole = find(child.tokens[0]);
        children[hole] = null;
        numChildren--;
        for (int place = (hole + 1) & mask; ; place = (place + 1) & mask) { // close the hole in the probe sequence
            RadixNode next = children[place];
            if (next == null) {
                break;
            }
            int home = hash(next.tokens[0]) & mask;
            if (((place - home) & mask) >= ((place - hole) & mask)) {
                children[hole] = next;
                children[place] = null;
                hole = place;
            }
        }
        if (numChildren == 0) {
            table = null;
        }
    }

    private static @Nullable RadixNode[] grown(@Nullable RadixNode[] old) {
        @Nullable RadixNode[] children = new RadixNode[2 * old.length];
        for (RadixNode child : old) {
            if (child != null) {
                put(children, child);
            }
        }
        return children;
    }

    private static void put(@Nullable RadixNode[] children, RadixNode child) {
        int mask = children.length - 1;
        int place = hash(child.tokens[0]) & mask;
        while (children[place] != null) {
            place = (place + 1) & mask;
        }
        children[place] = child;
    }

    private int find(int firstToken) {
        @Nullable RadixNode[] children = table();
        int mask = children.length - 1;
        int place = hash(firstToken) & mask;
        for (RadixNode found = children[place]; found != null; found = children[place]) {
            if (found.tokens[0] == firstToken) {
                return place;
            }
            place = (place + 1) & mask;
        }
        throw new IllegalStateException("no child starts with token " + firstToken);
    }

    private @Nullable RadixNode[] table() {
        if (table == null) {
            throw new IllegalStateException("a radix node without children was asked for one");
        }
        return table;
    }

    private static int hash(int token) {
        int h = token * 0x9E3779B9;
        return h ^ h >>> 15;
    }
}
