package io.radixflow.cache;

import org.jspecify.annotations.Nullable;

/**
 * A node of a tree over token ids: its parent, and a hash table of its children by the tokens that their edges begin with. How many of these
 * tell children apart (the key) is the tree's choice and the same for all its nodes.
 *
 * @param <N> the tree's type of nodes
 */
abstract class TokenNode<N extends TokenNode<N>> {

    /** Null in a root. */
    @Nullable
    N parent;
    /** Hash of the key; the tree keeps it up to date. */
    int keyHash;

    /** Open addressing, linear probing, a power of two long; null without children. */
    private @Nullable Object @Nullable [] table;

    private int numChildren;

    TokenNode(@Nullable N parent, int keyHash) {
        this.parent = parent;
        this.keyHash = keyHash;
    }

    /** Whether the edge begins with {@code tokens[from, from + keyLen)}. */
    abstract boolean startsWith(int[] tokens, int from, int keyLen);

    static int hash(int[] tokens, int from, int keyLen) {
        int h = 0;
        for (int i = from; i < from + keyLen; i++) {
            h = (h + tokens[i]) * 0x9E3779B9;
            h ^= h >>> 15;
        }
        return h;
    }

    final int numChildren() {
        return numChildren;
    }

    /** Capacity of the table, whose places {@link #childAt} shows; for walks over all children. */
    final int tableLen() {
        return table == null ? 0 : table.length;
    }

    @SuppressWarnings("unchecked") // only N's are stored
    final @Nullable N childAt(int place) {
        return table == null ? null : (N) table[place];
    }

    /** Any child; there must be one. */
    final N anyChild() {
        for (int place = 0; place < tableLen(); place++) {
            N child = childAt(place);
            if (child != null) {
                return child;
            }
        }
        throw new IllegalStateException("a node without children was asked for one");
    }

    /** The child whose edge begins with {@code tokens[from, from + keyLen)}, or null. */
    final @Nullable N child(int[] tokens, int from, int keyLen) {
        if (table == null) {
            return null;
        }
        int hash = hash(tokens, from, keyLen);
        int mask = table.length - 1;
        int place = hash & mask;
        N found = childAt(place);
        while (found != null && !(found.keyHash == hash && found.startsWith(tokens, from, keyLen))) {
            place = (place + 1) & mask;
            found = childAt(place);
        }
        return found;
    }

    /** Adds a child whose key no child has yet. */
    final void addChild(N child) {
        @Nullable Object[] children = table;
        if (children == null) {
            children = new Object[2];
        } else if (4 * (numChildren + 1) > 3 * children.length) {
            children = grown(children.length);
        }
        table = children;
        put(children, child);
        numChildren++;
    }

    /** Puts {@code child} in the place of {@code old}, which has the same key. */
    final void replaceChild(N old, N child) {
        table()[find(old)] = child;
    }

    final void removeChild(N child) {
        @Nullable Object[] children = table();
        int mask = children.length - 1;
        int hole = find(child);
        children[hole] = null;
        numChildren--;
        int place = (hole + 1) & mask;
        for (N next = childAt(place); next != null; next = childAt(place)) { // close the hole in the probe sequence
            int home = next.keyHash & mask;
            if (((place - home) & mask) >= ((place - hole) & mask)) {
                children[hole] = next;
                children[place] = null;
                hole = place;
            }
            place = (place + 1) & mask;
        }
        if (numChildren == 0) {
            table = null;
        }
    }

    private @Nullable Object[] grown(int oldLen) {
        @Nullable Object[] children = new Object[2 * oldLen];
        for (int place = 0; place < oldLen; place++) {
            N child = childAt(place);
            if (child != null) {
                put(children, child);
            }
        }
        return children;
    }

    private void put(@Nullable Object[] children, N child) {
        int mask = children.length - 1;
        int place = child.keyHash & mask;
        while (children[place] != null) {
            place = (place + 1) & mask;
        }
        children[place] = child;
    }

    private int find(N child) {
        @Nullable Object[] children = table();
        int mask = children.length - 1;
        int place = child.keyHash & mask;
        while (children[place] != child) {
            if (children[place] == null) {
                throw new IllegalStateException("a node was looked for under a parent that is not its own");
            }
            place = (place + 1) & mask;
        }
        return place;
    }

    private @Nullable Object[] table() {
        if (table == null) {
            throw new IllegalStateException("a node without children was asked for one");
        }
        return table;
    }
}
