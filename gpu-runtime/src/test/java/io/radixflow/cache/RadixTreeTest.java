package io.radixflow.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.CacheNamespace;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.BitSet;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class RadixTreeTest {

    private static final CacheNamespace COMMON = CacheNamespace.COMMON;

    private final SlotAllocator allocator = new SlotAllocator(1000, 1);
    private final RadixTree tree = new RadixTree(allocator, EvictionOrder.LRU);
    private final PrefixMatch match = new PrefixMatch();

    @Test
    void matchesToTheExactTokenAndGivesTheSlotsBack() {
        int[] slots = insert(COMMON, 1, 2, 3, 4, 5, 6);
        tree.matchPrefix(COMMON, new int[] {1, 2, 3, 4, 9, 9}, 6, match);
        assertThat(match.len).isEqualTo(4);
        int[] found = new int[6];
        tree.copySlots(node(), 4, found, 1);
        assertThat(found).containsExactly(0, slots[0], slots[1], slots[2], slots[3], 0);
        assertThat(tree.peekPrefix(COMMON, new int[] {1, 2, 3, 4, 5, 6, 7}, 7)).isEqualTo(6);
        assertThat(tree.peekPrefix(COMMON, new int[] {2}, 1)).isZero();
        check();
    }

    @Test
    void aSplitKeepsTheLocksOfBothHalves() {
        insert(COMMON, 1, 2, 3, 4);
        tree.matchPrefix(COMMON, new int[] {1, 2, 3, 4}, 4, match);
        RadixNode whole = node();
        tree.lock(whole);
        tree.matchPrefix(COMMON, new int[] {1, 2, 7}, 3, match);
        assertThat(match.len).isEqualTo(2);
        assertThat(tree.protectedTokens()).isEqualTo(4);
        assertThat(tree.evict(4)).isZero();
        tree.unlock(whole);
        assertThat(tree.evictableTokens()).isEqualTo(4);
        check();
        assertThat(tree.evict(4)).isEqualTo(4);
        assertThat(allocator.numFree()).isEqualTo(1000);
    }

    @Test
    void evictsLeastRecentlyUsedLeafFirst() {
        insert(COMMON, 1, 1, 1);
        insert(COMMON, 2, 2, 2);
        insert(COMMON, 3, 3, 3);
        use(1, 1, 1);
        assertThat(tree.evict(1)).isEqualTo(3);
        assertThat(cachedLen(2, 2, 2)).isZero();
        assertThat(tree.evict(1)).isEqualTo(3);
        assertThat(cachedLen(3, 3, 3)).isZero();
        assertThat(cachedLen(1, 1, 1)).isEqualTo(3);
        check();
    }

    @Test
    void evictsALeafBeforeItsParent() {
        insert(COMMON, 1, 2, 3);
        insert(COMMON, 1, 2, 4);
        assertThat(tree.evict(1)).isEqualTo(1);
        assertThat(cachedLen(1, 2, 3)).isEqualTo(2);
        assertThat(cachedLen(1, 2, 4)).isEqualTo(3);
        assertThat(tree.evict(3)).isEqualTo(3);
        check();
    }

    @Test
    void freesTheLaterOfTwoEqualPrefixesAndRepointsItsRow() {
        int[] first = insert(COMMON, 5, 6, 7);
        int[] second = insert(COMMON, 5, 6, 8);
        assertThat(second[0]).isEqualTo(first[0]);
        assertThat(second[1]).isEqualTo(first[1]);
        assertThat(second[2]).isNotEqualTo(first[2]);
        assertThat(allocator.numFree()).isEqualTo(996);
        check();
    }

    @Test
    void namespacesShareNothingAndEmptyOnesAreDropped() {
        insert(COMMON, 1, 2);
        insert(CacheNamespace.ofSalt("a"), 1, 2);
        assertThat(tree.numNamespaces()).isEqualTo(2);
        assertThat(tree.peekPrefix(CacheNamespace.ofSalt("b"), new int[] {1, 2}, 2))
                .isZero();
        tree.matchPrefix(CacheNamespace.ofSalt("b"), new int[] {1, 2}, 2, match);
        assertThat(match.len).isZero();
        tree.matchPrefix(COMMON, new int[] {1, 2}, 2, match);
        assertThat(tree.numNamespaces()).isEqualTo(2);
        tree.evict(4);
        assertThat(tree.numNamespaces()).isZero();
        check();
    }

    @Test
    void refusesToUnlockWhatIsNotLocked() {
        insert(COMMON, 1);
        tree.matchPrefix(COMMON, new int[] {1}, 1, match);
        assertThatThrownBy(() -> tree.unlock(node())).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void holdsManyChildrenOfOneNode() {
        SlotAllocator many = new SlotAllocator(5000, 1);
        RadixTree wide = new RadixTree(many, EvictionOrder.LRU);
        int[] slot = new int[1];
        for (int token = 0; token < 5000; token++) {
            wide.matchPrefix(COMMON, new int[] {token * 64}, 1, match);
            many.allocate(1, slot, 0);
            wide.insert(match, new int[] {token * 64}, 1, slot, 0);
        }
        assertThat(wide.peekPrefix(COMMON, new int[] {64 * 4321}, 1)).isEqualTo(1);
        assertThat(wide.evict(4999)).isEqualTo(4999);
        assertThat(wide.peekPrefix(COMMON, new int[] {64 * 4999}, 1)).isEqualTo(1);
        wide.checkIntegrity(new BitSet());
    }

    @Test
    void evictsTenThousandOfAMillionNodes() {
        int numNodes = 1_000_000;
        SlotAllocator many = new SlotAllocator(numNodes, 1);
        RadixTree big = new RadixTree(many, EvictionOrder.LRU);
        int[] slot = new int[2];
        for (int i = 0; i < numNodes / 2; i++) {
            int[] tokens = {i & 0xFFF, 4096 + i};
            big.matchPrefix(COMMON, tokens, 2, match);
            many.allocate(2 - match.len, slot, match.len);
            big.insert(match, tokens, 2, slot, 0);
        }
        ThreadMXBean threads =
                ManagementFactory.getThreadMXBean(); // CPU time: other work on the machine does not count
        long start = threads.getCurrentThreadCpuTime();
        int freed = big.evict(10_000);
        double millis = (threads.getCurrentThreadCpuTime() - start) / 1e6;
        System.out.printf("evicting %d of %d cached tokens took %.1f CPU ms%n", freed, numNodes, millis);
        assertThat(millis).isLessThan(20);
        assertThat(freed).isBetween(10_000, 10_001);
    }

    private int[] insert(CacheNamespace namespace, int... tokens) {
        tree.matchPrefix(namespace, tokens, tokens.length, match);
        int[] slots = new int[tokens.length];
        // computes everything again, as a sequence does that started before the other was cached
        match.set(rootOf(node()), 0);
        allocator.allocate(tokens.length, slots, 0);
        tree.insert(match, tokens, tokens.length, slots, 0);
        return slots;
    }

    private void use(int... tokens) {
        tree.matchPrefix(COMMON, tokens, tokens.length, match);
        tree.lock(node());
        tree.countHit(node());
        tree.unlock(node());
    }

    private static RadixNode rootOf(RadixNode node) {
        RadixNode root = node;
        while (root.parent != null) {
            root = root.parent;
        }
        return root;
    }

    private int cachedLen(int... tokens) {
        return tree.peekPrefix(COMMON, tokens, tokens.length);
    }

    private RadixNode node() {
        return Objects.requireNonNull(match.node);
    }

    private void check() {
        BitSet owned = new BitSet();
        tree.checkIntegrity(owned);
        assertThat(owned.cardinality() + allocator.numFree()).isEqualTo(allocator.numSlots());
    }
}
