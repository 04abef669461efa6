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
 * row of a running sequence:  [0, cached.len)  [cached.len, kvLen)  [kvLen, kvLen + chunk)  [kvLen + chunk, end of the page)
 *                             in the tree,      computed,            taken for this step,    free for the next ones,
 *                             locked            held                 held                    held
 * </pre>
 *
 * <p>All in whole pages but for kvLen and the chunk. Rows change only between the enqueuing of steps. A step under way may still read slots that
 * are freed meanwhile: only later steps write them, which the device runs after it.
 */
final class SequenceKv {

    private final KvPool pool;
    private final RadixTree tree;
    private final RowTable rows;
    private final boolean hasTree;
    private final int pageSize;

    SequenceKv(KvPool pool, RowTable rows, boolean hasTree) {
        this.pool = pool;
        this.rows = rows;
        this.hasTree = hasTree;
        pageSize = pool.pageSize();
        tree = pool.tree();
    }

    int numAvailable() {
        return pool.numAvailable();
    }

    /** Slots of the pages that hold so many tokens. */
    int slotsOf(int numTokens) {
        return (numTokens + pageSize - 1) & -pageSize;
    }

    /** Of so many leading tokens of a sequence those that others can have from the tree. */
    int sharedLen(int numTokens) {
        return hasTree ? tree.wholePages(numTokens) : 0;
    }

    /** Slots that a running sequence lacks for its next {@code num} tokens. */
    int missingSlots(Sequence sequence, int num) {
        return slotsOf(sequence.kvLen + num) - slotsOf(sequence.kvLen);
    }

    /** Most next tokens that a running sequence can have slots for. */
    int mostTokens(Sequence sequence) {
        return slotsOf(sequence.kvLen) - sequence.kvLen + pool.numAvailable();
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
        rows.touch(sequence.row);
        sequence.kvLen = sequence.cached.len;
        if (hasTree) {
            RadixNode node = nodeOf(sequence.cached);
            tree.countHit(node);
            tree.copySlots(node, sequence.kvLen, rows.slots(), rows.offset(sequence.row));
        }
    }

    /** Takes slots for the next {@code num} tokens; false if too few are available. */
    boolean allocate(Sequence sequence, int num) {
        int offset = rows.offset(sequence.row) + slotsOf(sequence.kvLen);
        return pool.allocate(missingSlots(sequence, num), rows.slots(), offset) != SlotAllocator.NO_SLOTS;
    }

    /** Hands what is computed to the tree, in whole pages, so that others can share it; keeps it locked. */
    void share(Sequence sequence) {
        if (hasTree) {
            PrefixMatch cached = sequence.cached;
            RadixNode before = nodeOf(cached);
            rows.touch(sequence.row); // slots may be exchanged for the tree's
            int len = sharedLen(sequence.kvLen);
            tree.insert(cached, sequence.tokens, len, rows.slots(), rows.offset(sequence.row));
            tree.lock(nodeOf(cached));
            tree.unlock(before);
        }
    }

    /** Gives row and slots back; what is computed stays in the tree until it is evicted. */
    void release(Sequence sequence) {
        int offset = rows.offset(sequence.row);
        int heldFrom = 0;
        if (hasTree) {
            share(sequence);
            heldFrom = sequence.cached.len;
            if (sequence.isAnnounced) {
                tree.markSpent(nodeOf(sequence.cached));
            }
            unlock(sequence);
        }
        pool.free(rows.slots(), offset + heldFrom, offset + slotsOf(sequence.kvLen));
        rows.free(sequence.row);
        sequence.row = Sequence.NO_ROW;
        sequence.kvLen = 0;
    }

    /** Marks the slots that a sequence holds outside the tree. */
    void markHeld(Sequence sequence, BitSet held) {
        int offset = rows.offset(sequence.row);
        for (int i = sequence.cached.len; i < slotsOf(sequence.kvLen); i++) {
            int slot = rows.slots()[offset + i];
            if (held.get(slot)) {
                throw new IllegalStateException("slot " + slot + " is held twice");
            }
            if (slot % pageSize != i % pageSize) {
                throw new IllegalStateException("slot " + slot + " is token " + i + "'s, but pages have " + pageSize);
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
