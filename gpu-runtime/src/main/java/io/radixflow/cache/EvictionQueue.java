package io.radixflow.cache;

import org.jspecify.annotations.Nullable;

/**
 * The unlocked nodes of a {@link RadixTree} in the order of their eviction: a list for each rank, in each the least recently used first.
 *
 * <p>Holds inner nodes too, so that nothing needs to be sorted in when a node becomes a leaf. A node is used whenever what is below it is
 * used, and nodes come in from the leaf to the root; so a child stands before its parent, and the first node is a leaf. Only a node that is
 * spent goes ahead of what is below it.
 *
 * <p>All operations are O(1). Allocates nothing after construction.
 */
final class EvictionQueue {

    private static final int MAX_COUNTED = 255;

    private final EvictionOrder order;
    private final NodeList[] lists;
    /** No list below it has nodes. */
    private int lowest;

    private int size;

    EvictionQueue(EvictionOrder order) {
        this.order = order;
        lists = new NodeList[numRanks(order)];
        for (int rank = 0; rank < lists.length; rank++) {
            lists[rank] = new NodeList();
        }
    }

    int size() {
        return size;
    }

    /** The node to evict first, or a spent one with what is below it; null if empty. */
    @Nullable
    RadixNode first() {
        while (lowest < lists.length - 1 && lists[lowest].head() == null) {
            lowest++;
        }
        return lists[lowest].head();
    }

    /** A node that has just been used, after those below it. */
    void add(RadixNode node) {
        int rank = rank(node);
        if (node.isSpent) {
            lists[rank].prepend(node);
        } else {
            lists[rank].append(node);
        }
        size++;
        lowest = Math.min(lowest, rank);
    }

    /** The upper half of a queued node that was split. */
    void addUpper(RadixNode upper, RadixNode lower) {
        listOf(lower).insertAfter(upper, lower);
        size++;
    }

    void remove(RadixNode node) {
        listOf(node).remove(node);
        size--;
    }

    /** Whether a queued node stands in the list that its counts ask for. */
    boolean isInPlace(RadixNode node) {
        return listOf(node) == lists[rank(node)];
    }

    private static int numRanks(EvictionOrder order) {
        return switch (order) {
            case LRU -> 1;
            case LFU, KNOWN_USES -> MAX_COUNTED + 1;
        };
    }

    private int rank(RadixNode node) {
        return switch (order) {
            case LRU -> 0;
            case LFU -> Math.min(node.hits, MAX_COUNTED);
            case KNOWN_USES -> Math.min(node.uses, MAX_COUNTED);
        };
    }

    private static NodeList listOf(RadixNode node) {
        NodeList list = node.list;
        if (list == null) {
            throw new IllegalStateException("a radix node is not queued for eviction");
        }
        return list;
    }

    /** @throws IllegalStateException if a node is in a wrong list, or before a node below it that it doesn't go ahead of */
    void checkIntegrity() {
        int counted = 0;
        for (int rank = 0; rank < lists.length; rank++) {
            for (RadixNode node = lists[rank].head(); node != null; node = node.after) {
                counted++;
                boolean isInOrder = node.after == null || node.after.before == node;
                if (node.list != lists[rank] || rank(node) != rank || rank < lowest || node.lockRef > 0 || !isInOrder) {
                    throw new IllegalStateException(
                            "eviction queue: a node in list " + rank + " does not belong there");
                }
            }
        }
        if (counted != size) {
            throw new IllegalStateException("eviction queue holds " + counted + " nodes, counted " + size);
        }
        RadixNode first = first();
        if (first != null && first.numChildren() > 0 && !first.isSpent) {
            throw new IllegalStateException("eviction queue: an inner node is first");
        }
    }
}
