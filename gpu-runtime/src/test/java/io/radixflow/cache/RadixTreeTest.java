package io.radixflow.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RadixTreeTest {

    private final SlotAllocator allocator = new SlotAllocator(1000);
    private final RadixTree tree = new RadixTree(allocator);
    private final PrefixMatch match = new PrefixMatch();

    @Test
    void matchesToTheExactTokenAndGivesTheSlotsBack() {
        int[] slots = insert(null, 1, 2, 3, 4, 5, 6);
        tree.matchPrefix(null, new int[] {1, 2, 3, 4, 9, 9}, 6, match);
        assertThat(match.len).isEqualTo(4);
        int[] found = new int[6];
        tree.copySlots(node(), 4, found, 1);
        assertThat(found).containsExactly(0, slots[0], slots[1], slots[2], slots[3], 0);
        assertThat(tree.peekPrefix(null, new int[] {1, 2, 3, 4, 5, 6, 7}, 7)).isEqualTo(6);
        assertThat(tree.peekPrefix(null, new int[] {2}, 1)).isZero();
        check();
    }

    @Test
    void aSplitKeepsTheLocksOfBothHalves() {
        insert(null, 1, 2, 3, 4);
        tree.matchPrefix(null, new int[] {1, 2, 3, 4}, 4, match);
        RadixNode whole = node();
        tree.lock(whole);
        tree.matchPrefix(null, new int[] {1, 2, 7}, 3, match);
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
        insert(null, 1, 1, 1);
        insert(null, 2, 2, 2);
        insert(null, 3, 3, 3);
        tree.matchPrefix(null, new int[] {1, 1, 1}, 3, match);
        assertThat(tree.evict(1)).isEqualTo(3);
        assertThat(cachedLen(2, 2, 2)).isZero();
        assertThat(tree.evict(1)).isEqualTo(3);
        assertThat(cachedLen(3, 3, 3)).isZero();
        assertThat(cachedLen(1, 1, 1)).isEqualTo(3);
        check();
    }

    @Test
    void evictsALeafBeforeItsParent() {
        insert(null, 1, 2, 3);
        insert(null, 1, 2, 4);
        assertThat(tree.evict(1)).isEqualTo(1);
        assertThat(cachedLen(1, 2, 3)).isEqualTo(2);
        assertThat(cachedLen(1, 2, 4)).isEqualTo(3);
        assertThat(tree.evict(3)).isEqualTo(3);
        check();
    }

    @Test
    void freesTheLaterOfTwoEqualPrefixesAndRepointsItsRow() {
        int[] first = insert(null, 5, 6, 7);
        int[] second = insert(null, 5, 6, 8);
        assertThat(second[0]).isEqualTo(first[0]);
        assertThat(second[1]).isEqualTo(first[1]);
        assertThat(second[2]).isNotEqualTo(first[2]);
        assertThat(allocator.numFree()).isEqualTo(996);
        check();
    }

    @Test
    void namespacesShareNothingAndEmptyOnesAreDropped() {
        insert(null, 1, 2);
        insert("a", 1, 2);
        assertThat(tree.numNamespaces()).isEqualTo(2);
        assertThat(tree.peekPrefix("b", new int[] {1, 2}, 2)).isZero();
        tree.matchPrefix("b", new int[] {1, 2}, 2, match);
        assertThat(match.len).isZero();
        tree.matchPrefix(null, new int[] {1, 2}, 2, match);
        assertThat(tree.numNamespaces()).isEqualTo(2);
        tree.evict(4);
        assertThat(tree.numNamespaces()).isZero();
        check();
    }

    @Test
    void refusesToUnlockWhatIsNotLocked() {
        insert(null, 1);
        tree.matchPrefix(null, new int[] {1}, 1, match);
        assertThatThrownBy(() -> tree.unlock(node())).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void holdsManyChildrenOfOneNode() {
        SlotAllocator many = new SlotAllocator(5000);
        RadixTree wide = new RadixTree(many);
        int[] slot = new int[1];
        for (int token = 0; token < 5000; token++) {
            wide.matchPrefix(null, new int[] {token * 64}, 1, match);
            many.allocate(1, slot, 0);
            wide.insert(match, new int[] {token * 64}, 1, slot, 0);
        }
        assertThat(wide.peekPrefix(null, new int[] {64 * 4321}, 1)).isEqualTo(1);
        assertThat(wide.evict(4999)).isEqualTo(4999);
        assertThat(wide.peekPrefix(null, new int[] {64 * 4999}, 1)).isEqualTo(1);
        wide.checkIntegrity(new BitSet());
    }

    @Test
    void evictsTenThousandOfAMillionNodes() {
        int numNodes = 1_000_000;
        SlotAllocator many = new SlotAllocator(numNodes);
        RadixTree big = new RadixTree(many);
        int[] slot = new int[2];
        for (int i = 0; i < numNodes / 2; i++) {
            int[] tokens = {i & 0xFFF, 4096 + i};
            big.matchPrefix(null, tokens, 2, match);
            many.allocate(2 - match.len, slot, match.len);
            big.insert(match, tokens, 2, slot, 0);
        }
        long start = System.nanoTime();
        int freed = big.evict(10_000);
        System.out.printf(
                "evicting %d of %d cached tokens took %.1f ms%n", freed, numNodes, (System.nanoTime() - start) / 1e6);
        assertThat(freed).isBetween(10_000, 10_001);
    }

    private int[] insert(@Nullable String namespace, int... tokens) {
        tree.matchPrefix(namespace, tokens, tokens.length, match);
        int[] slots = new int[tokens.length];
        // computes everything again, as a sequence does that started before the other was cached
        match.set(rootOf(node()), 0);
        allocator.allocate(tokens.length, slots, 0);
        tree.insert(match, tokens, tokens.length, slots, 0);
        return slots;
    }

    private static RadixNode rootOf(RadixNode node) {
        RadixNode root = node;
        while (root.parent != null) {
            root = root.parent;
        }
        return root;
    }

    private int cachedLen(int... tokens) {
        return tree.peekPrefix(null, tokens, tokens.length);
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
