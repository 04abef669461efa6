package io.radixflow.schedule;

import org.jspecify.annotations.Nullable;

/** Doubly linked list through the sequences themselves, first in first out; a sequence is in at most one. Allocates nothing. */
final class SequenceList {

    private @Nullable Sequence head;
    private @Nullable Sequence tail;
    private int size;

    int size() {
        return size;
    }

    @Nullable
    Sequence head() {
        return head;
    }

    void append(Sequence sequence) {
        if (sequence.list != null) {
            throw new IllegalStateException("sequence " + sequence.arrival + " is queued already");
        }
        sequence.list = this;
        sequence.previous = tail;
        sequence.next = null;
        if (tail == null) {
            head = sequence;
        } else {
            tail.next = sequence;
        }
        tail = sequence;
        size++;
    }

    void remove(Sequence sequence) {
        if (sequence.list != this) {
            throw new IllegalStateException("sequence " + sequence.arrival + " is not in this queue");
        }
        Sequence before = sequence.previous;
        Sequence after = sequence.next;
        if (before == null) {
            head = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            tail = before;
        } else {
            after.previous = before;
        }
        sequence.list = null;
        sequence.previous = null;
        sequence.next = null;
        size--;
    }
}
