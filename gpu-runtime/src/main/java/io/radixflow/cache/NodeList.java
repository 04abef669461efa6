package io.radixflow.cache;

import org.jspecify.annotations.Nullable;

/** Doubly linked list through the nodes themselves; a node is in at most one. Allocates nothing. */
final class NodeList {

    private @Nullable RadixNode head;
    private @Nullable RadixNode tail;

    @Nullable
    RadixNode head() {
        return head;
    }

    void append(RadixNode node) {
        link(node, tail, null);
    }

    void prepend(RadixNode node) {
        link(node, null, head);
    }

    void insertAfter(RadixNode node, RadixNode place) {
        link(node, place, place.after);
    }

    void remove(RadixNode node) {
        if (node.list != this) {
            throw new IllegalStateException("a radix node is not in the list that it is removed from");
        }
        join(node.before, node.after);
        node.list = null;
        node.before = null;
        node.after = null;
    }

    private void link(RadixNode node, @Nullable RadixNode before, @Nullable RadixNode after) {
        if (node.list != null) {
            throw new IllegalStateException("a radix node is queued for eviction already");
        }
        node.list = this;
        join(before, node);
        join(node, after);
    }

    private void join(@Nullable RadixNode first, @Nullable RadixNode second) {
        if (first == null) {
            head = second;
        } else {
            first.after = second;
        }
        if (second == null) {
            tail = first;
        } else {
            second.before = first;
        }
    }
}
