package io.radixflow.schedule;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The sequences that get a token each step, sorted by their slots, so that those with a common prefix of slots are neighbours: a device runs
 * neighbours at about the same time, when the slots that both read are in its cache.
 *
 * <p>The order lasts while the sequences grow: two rows differ first where a slot belongs to one of them alone, and a slot once
 * written to the row of a decoding sequence stays. Allocates nothing after construction.
 */
final class DecodeSet {

    private final RowTable rows;
    private final @Nullable Sequence[] sequences;
    private int size;

    DecodeSet(RowTable rows, int capacity) {
        this.rows = rows;
        sequences = new Sequence[capacity];
    }

    int size() {
        return size;
    }

    @SuppressWarnings("NullAway") // places below size are never null
    Sequence get(int place) {
        return sequences[place];
    }

    void add(Sequence sequence) {
        int from = 0;
        int to = size;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (compareSlots(get(middle), sequence) <= 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        System.arraycopy(sequences, from, sequences, from + 1, size - from);
        sequences[from] = sequence;
        size++;
    }

    void remove(Sequence sequence) {
        for (int place = 0; place < size; place++) {
            if (sequences[place] == sequence) {
                size--;
                System.arraycopy(sequences, place + 1, sequences, place, size - place);
                sequences[size] = null;
                return;
            }
        }
        throw new IllegalStateException("sequence " + sequence.arrival + " does not decode");
    }

    private int compareSlots(Sequence a, Sequence b) {
        int fromA = rows.offset(a.row);
        int fromB = rows.offset(b.row);
        return Arrays.compare(rows.slots(), fromA, fromA + a.kvLen, rows.slots(), fromB, fromB + b.kvLen);
    }
}
