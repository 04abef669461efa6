package io.radixflow.schedule;

import io.radixflow.cache.KvPool;
import io.radixflow.cache.PrefixMatch;
import io.radixflow.cache.RadixNode;
import io.radixflow.cache.RadixTree;
import io.radixflow.cache.SlotAllocator;
import java.util.BitSet;

/**
 * Rows and slots of the running sequences: takes them from the pool, shares them through the radix tree, gives them back.
 *
 * <pre>
 * row of a running sequence:  [0, cached.len)  [cached.len, kvLen)  [kvLen, kvLen + chunk)
 *                             in the tree,      computed,            taken for this step
 *                             locked            held                 held
 * </pre>
 *
 * <p>Rows change only between steps, when no step reads them; with steps in flight, freed duplicates would have to wait for theirs.
 */
final class SequenceKv {

    private final KvPool pool;
    private final RadixTree tree;
    private final RowTable rows;
    private final boolean hasTree;

    SequenceKv(KvPool pool, RowTable rows, boolean hasTree) {
        this.pool = pool;
        this.rows = rows;
        this.hasTree = hasTree;
        tree = pool.tree();
    }

    int numAvailable() {
        return pool.numAvailable();
    }

    /** Matches a waiting sequence and locks what is found, so that admission can count what is left. Undone by {@link #unlock}. */
    void matchAndLock(Sequence sequence) {
        if (hasTree) {
            PrefixMatch cached = sequence.cached;
            tree.matchPrefix(sequence.namespace, sequence.tokens, sequence.maxCachedLen(), cached);
            tree.lock(nodeOf(cached));
        }
    }

    void unlock(Sequence sequence) {
        if (hasTree) {
            RadixNode node = nodeOf(sequence.cached);
            sequence.cached.clear();
            tree.unlock(node);
        }
    }

    /** Gives a matched sequence its row. */
    void start(Sequence sequence) {
        sequence.row = rows.take();
        sequence.kvLen = sequence.cached.len;
        if (hasTree) {
            tree.copySlots(nodeOf(sequence.cached), sequence.kvLen, rows.slots(), rows.offset(sequence.row));
        }
    }

    /** Takes slots for the next {@code num} tokens; false if too few are available. */
    boolean allocate(Sequence sequence, int num) {
        return pool.allocate(num, rows.slots(), rows.offset(sequence.row) + sequence.kvLen) != SlotAllocator.NO_SLOTS;
    }

    /** Hands what is computed to the tree, so that others can share it; keeps it locked. */
    void share(Sequence sequence) {
        if (hasTree) {
            PrefixMatch cached = sequence.cached;
            RadixNode before = nodeOf(cached);
            tree.insert(cached, sequence.tokens, sequence.kvLen, rows.slots(), rows.offset(sequence.row));
            tree.lock(nodeOf(cached));
            tree.unlock(before);
        }
    }

    /** Gives row and slots back; what is computed stays in the tree until it is evicted. */
    void release(Sequence sequence) {
        if (hasTree) {
            share(sequence);
            unlock(sequence);
        } else {
            int offset = rows.offset(sequence.row);
            pool.free(rows.slots(), offset, offset + sequence.kvLen);
        }
        rows.free(sequence.row);
        sequence.row = Sequence.NO_ROW;
        sequence.kvLen = 0;
    }

    /** Marks the slots that a sequence holds outside the tree. */
    void markHeld(Sequence sequence, BitSet held) {
        int offset = rows.offset(sequence.row);
        for (int i = sequence.cached.len; i < sequence.kvLen; i++) {
            int slot = rows.slots()[offset + i];
            if (held.get(slot)) {
                throw new IllegalStateException("slot " + slot + " is held twice");
            }
            held.set(slot);
        }
    }

    void checkIntegrity(BitSet held) {
        pool.checkIntegrity(held);
    }

    private static RadixNode nodeOf(PrefixMatch match) {
        RadixNode node = match.node;
        if (node == null) {
            throw new IllegalStateException("the sequence holds no radix node");
        }
        return node;
    }
}
