package io.radixflow.cache;

import java.util.BitSet;

/**
 * The pool of KV slots: what is free, and what the radix tree could give back. Every slot is free, evictable, protected, or held by a
 * running sequence.
 *
 * <p>Owned by the engine thread.
 */
public final class KvPool {

    private final SlotAllocator allocator;
    private final RadixTree tree;

    public KvPool(int numSlots, int pageSize, EvictionOrder order) {
        allocator = new SlotAllocator(numSlots, pageSize);
        tree = new RadixTree(allocator, order);
    }

    public RadixTree tree() {
        return tree;
    }

    public int numSlots() {
        return allocator.numSlots();
    }

    public int pageSize() {
        return allocator.pageSize();
    }

    public int numFree() {
        return allocator.numFree();
    }

    /** Slots that {@link #allocate} can hand out, evicting if it must. */
    public int numAvailable() {
        return allocator.numFree() + tree.evictableTokens();
    }

    /**
     * Takes {@code num} slots, in whole pages, into {@code into[offset, offset + num)}, evicting cached tokens if too few are free.
     *
     * @return num, or {@link SlotAllocator#NO_SLOTS} if fewer are available; nothing is evicted then
     */
    public int allocate(int num, int[] into, int offset) {
        if (num > numAvailable()) {
            return SlotAllocator.NO_SLOTS;
        }
        if (num > allocator.numFree()) {
            tree.evict(num - allocator.numFree());
        }
        return allocator.allocate(num, into, offset);
    }

    /** Frees slots {@code [from, to)} of {@code slots}, whole pages that the tree does not own. */
    public void free(int[] slots, int from, int to) {
        allocator.free(slots, from, to);
    }

    /** Empties the tree as far as nothing is locked. */
    public void flush() {
        tree.evict(Integer.MAX_VALUE);
    }

    /**
     * Deep check: each slot has exactly one owner.
     *
     * @param held a bit for each slot held by a running sequence outside the tree; gets the tree's too
     * @throws IllegalStateException if free + evictable + protected + held is not the pool, or anything inside is inconsistent
     */
    public void checkIntegrity(BitSet held) {
        int numHeld = held.cardinality();
        allocator.checkIntegrity();
        tree.checkIntegrity(held);
        int sum = allocator.numFree() + tree.evictableTokens() + tree.protectedTokens() + numHeld;
        if (sum != numSlots()) {
            throw new IllegalStateException("free " + allocator.numFree() + " + evictable " + tree.evictableTokens()
                    + " + protected " + tree.protectedTokens() + " + held " + numHeld + " slots are not the pool's "
                    + numSlots());
        }
    }
}
