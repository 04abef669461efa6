package io.radixflow.cache;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Radix tree over token ids whose edges own KV slots, so that sequences with a common prefix compute it once [1].
 *
 * <p>A match that ends inside an edge splits it at that token, so matching mutates the tree but never its content. The lower half of a
 * split stays the same object, so that handles held by sequences keep their meaning, and both halves keep the locks. A locked node
 * protects itself and its ancestors. Unlocked leaves are evicted least recently used first; a parent that becomes a leaf that way
 * inherits the child's last use. Each namespace has a root of its own, so equal tokens in two namespaces never share slots.
 *
 * <p>Owned by the engine thread. Allocates only when a node is created or split. Match and insert are O(tokens walked), evict is O(log
 * leaves) a leaf.
 *
 * <p>[1] Zheng et al., "SGLang: Efficient Execution of Structured Language Model Programs", 2024.
 */
public final class RadixTree {

    private static final class EvictionHeap extends IndexedHeap<RadixNode> {
        @Override
        protected boolean isBefore(RadixNode a, RadixNode b) {
            return a.lastAccess < b.lastAccess;
        }

        @Override
        protected int place(RadixNode node) {
            return node.heapPlace;
        }

        @Override
        protected void setPlace(RadixNode node, int place) {
            node.heapPlace = place;
        }
    }

    private final SlotAllocator allocator;
    private final Map<@Nullable String, RadixRoot> roots = new HashMap<>();
    private final EvictionHeap leaves = new EvictionHeap();
    /** Made for a match and perhaps never used; dropped by the next match if so. */
    private @Nullable RadixRoot newestRoot;

    private long tick;
    private int evictableTokens;
    private int protectedTokens;

    /** @param allocator takes back the slots of evicted nodes and of duplicates */
    public RadixTree(SlotAllocator allocator) {
        this.allocator = allocator;
    }

    /** Tokens in unlocked nodes: what {@link #evict} could free. */
    public int evictableTokens() {
        return evictableTokens;
    }

    /** Tokens in locked nodes. */
    public int protectedTokens() {
        return protectedTokens;
    }

    /** Namespaces with a root. */
    public int numNamespaces() {
        return roots.size();
    }

    /**
     * Finds the longest cached prefix of {@code tokens[0, to)}, splits the edge it ends in and marks the path as used.
     *
     * @param into gets the node and the length; valid until the next call unless the node is locked
     */
    public void matchPrefix(@Nullable String namespace, int[] tokens, int to, PrefixMatch into) {
        RadixNode node = root(namespace);
        int len = 0;
        tick++;
        while (len < to) {
            RadixNode child = node.child(tokens[len]);
            if (child == null) {
                break;
            }
            int common = commonLen(child, tokens, len, to);
            boolean isWhole = common == child.len();
            node = isWhole ? child : split(child, common);
            touch(node);
            len += common;
            if (!isWhole) {
                break;
            }
        }
        into.set(node, len);
    }

    /** Length of the longest cached prefix of {@code tokens[0, to)}. Changes nothing. */
    public int peekPrefix(@Nullable String namespace, int[] tokens, int to) {
        RadixNode node = roots.get(namespace);
        int len = 0;
        while (node != null && len < to) {
            node = node.child(tokens[len]);
            if (node != null) {
                int common = commonLen(node, tokens, len, to);
                len += common;
                if (common < node.len()) {
                    break;
                }
            }
        }
        return len;
    }

    /** Writes the slots of the {@code len} tokens that end with {@code node} into {@code into[offset, offset + len)}. */
    public void copySlots(RadixNode node, int len, int[] into, int offset) {
        int end = offset + len;
        for (RadixNode n = node; n != null; n = n.parent) {
            end -= n.len();
            System.arraycopy(n.slots, 0, into, end, n.len());
        }
        if (end != offset) {
            throw new IllegalStateException("node ends " + (offset + len - end) + " tokens, not " + len);
        }
    }

    /**
     * Hands {@code tokens[at.len, to)} with their slots to the tree. Where the tree has a token already (another sequence computed the same
     * meanwhile), the caller's slot is freed and its place in {@code slots} is pointed to the tree's. So no running step may still read
     * the row.
     *
     * @param at a node that the caller holds a lock on, and its length; gets the node that ends {@code tokens[0, to)}, not locked yet
     * @param slots slot of token i at {@code slots[offset + i]}; owned by the caller in {@code [at.len, to)}, by the tree afterwards
     */
    public void insert(PrefixMatch at, int[] tokens, int to, int[] slots, int offset) {
        RadixNode node = at.node;
        if (node == null) {
            throw new IllegalStateException("insert needs a node to start from");
        }
        int len = at.len;
        tick++;
        while (len < to) {
            RadixNode child = node.child(tokens[len]);
            if (child == null) {
                node = addLeaf(node, tokens, slots, offset, len, to);
                len = to;
            } else {
                int common = commonLen(child, tokens, len, to);
                node = common == child.len() ? child : split(child, common);
                touch(node);
                adopt(node, slots, offset + len);
                len += common;
            }
        }
        at.set(node, len);
    }

    /** Protects a node and its ancestors from eviction until as many {@link #unlock}s. O(depth). */
    public void lock(RadixNode node) {
        for (RadixNode n = node; n != null; n = n.parent) {
            if (n.lockRef++ == 0) {
                evictableTokens -= n.len();
                protectedTokens += n.len();
                if (n.heapPlace != IndexedHeap.ABSENT) {
                    leaves.remove(n);
                }
            }
        }
    }

    /** @throws IllegalStateException if the node is not locked */
    public void unlock(RadixNode node) {
        for (RadixNode n = node; n != null; n = n.parent) {
            if (n.lockRef == 0) {
                throw new IllegalStateException("unlock of a radix node that nobody locked");
            }
            if (--n.lockRef == 0) {
                evictableTokens += n.len();
                protectedTokens -= n.len();
                released(n);
            }
        }
    }

    /**
     * Frees whole leaves, least recently used first, until {@code numTokens} slots are free or nothing is evictable.
     *
     * @return slots freed, which may be more or fewer than asked for
     */
    public int evict(int numTokens) {
        int freed = 0;
        while (freed < numTokens) {
            RadixNode leaf = leaves.peek();
            if (leaf == null) {
                break;
            }
            leaves.remove(leaf);
            allocator.free(leaf.slots, 0, leaf.len());
            evictableTokens -= leaf.len();
            freed += leaf.len();
            RadixNode parent = leaf.parent;
            if (parent == null) {
                throw new IllegalStateException("a root was queued for eviction");
            }
            parent.removeChild(leaf);
            parent.lastAccess = Math.max(parent.lastAccess, leaf.lastAccess);
            released(parent);
        }
        return freed;
    }

    private RadixRoot root(@Nullable String namespace) {
        if (newestRoot != null && newestRoot.isUnused()) {
            roots.remove(newestRoot.namespace);
        }
        newestRoot = null;
        RadixRoot root = roots.get(namespace);
        if (root == null) {
            root = new RadixRoot(namespace);
            roots.put(namespace, root);
            newestRoot = root;
        }
        return root;
    }

    /** After a node lost its last lock or a child: it may be evictable now, or be a root without use. */
    private void released(RadixNode node) {
        if (node.isEvictable()) {
            leaves.add(node);
        } else if (node instanceof RadixRoot root) {
            if (root.isUnused()) {
                roots.remove(root.namespace);
            }
        }
    }

    private static int commonLen(RadixNode node, int[] tokens, int from, int to) {
        int most = Math.min(node.len(), to - from);
        int mismatch = Arrays.mismatch(node.tokens, 0, most, tokens, from, from + most);
        return mismatch < 0 ? most : mismatch;
    }

    private RadixNode addLeaf(RadixNode parent, int[] tokens, int[] slots, int offset, int from, int to) {
        RadixNode leaf = new RadixNode(
                parent, Arrays.copyOfRange(tokens, from, to), Arrays.copyOfRange(slots, offset + from, offset + to));
        leaf.lastAccess = tick;
        if (parent.heapPlace != IndexedHeap.ABSENT) {
            leaves.remove(parent);
        }
        parent.addChild(leaf);
        leaves.add(leaf);
        evictableTokens += leaf.len();
        return leaf;
    }

    /** Cuts {@code node} after {@code at} tokens; returns the new upper half. */
    private static RadixNode split(RadixNode node, int at) {
        RadixNode parent = node.parent;
        if (parent == null) {
            throw new IllegalStateException("a root has no edge to split");
        }
        RadixNode upper =
                new RadixNode(parent, Arrays.copyOfRange(node.tokens, 0, at), Arrays.copyOfRange(node.slots, 0, at));
        upper.lockRef = node.lockRef;
        upper.lastAccess = node.lastAccess;
        parent.replaceChild(upper);
        node.tokens = Arrays.copyOfRange(node.tokens, at, node.tokens.length);
        node.slots = Arrays.copyOfRange(node.slots, at, node.slots.length);
        node.parent = upper;
        upper.addChild(node);
        return upper;
    }

    private void touch(RadixNode node) {
        node.lastAccess = tick;
        if (node.heapPlace != IndexedHeap.ABSENT) {
            leaves.update(node);
        }
    }

    private void adopt(RadixNode node, int[] slots, int offset) {
        for (int i = 0; i < node.len(); i++) {
            int own = slots[offset + i];
            if (own != node.slots[i]) {
                allocator.free(own);
                slots[offset + i] = node.slots[i];
            }
        }
    }

    /**
     * Walks the whole tree.
     *
     * @param owned gets a bit for each slot that the tree owns
     * @throws IllegalStateException if counts, locks, heap or slots are inconsistent
     */
    public void checkIntegrity(BitSet owned) {
        int evictable = 0;
        int locked = 0;
        int numLeaves = 0;
        ArrayDeque<RadixNode> rest = new ArrayDeque<>(roots.values());
        for (RadixNode node = rest.poll(); node != null; node = rest.poll()) {
            check(node.isEvictable() == (node.heapPlace != IndexedHeap.ABSENT), "a leaf's place in the eviction heap");
            check(node.tokens.length == node.slots.length, "an edge's slots");
            check(node.parent == null || node.len() > 0, "an empty edge");
            evictable += node.lockRef == 0 ? node.len() : 0;
            locked += node.lockRef == 0 ? 0 : node.len();
            numLeaves += node.isEvictable() ? 1 : 0;
            for (int slot : node.slots) {
                check(!allocator.isFree(slot) && !owned.get(slot), "a slot's owner");
                owned.set(slot);
            }
            checkChildren(node, rest);
        }
        check(evictable == evictableTokens && locked == protectedTokens, "the count of cached tokens");
        check(numLeaves == leaves.size(), "the number of evictable leaves");
        leaves.checkIntegrity();
    }

    private static void checkChildren(RadixNode node, ArrayDeque<RadixNode> rest) {
        int numChildren = 0;
        int childLocks = 0;
        for (int place = 0; place < node.tableLen(); place++) {
            RadixNode child = node.childAt(place);
            if (child != null) {
                numChildren++;
                childLocks += child.lockRef;
                check(child.parent == node && node.child(child.tokens[0]) == child, "a child's way back");
                rest.add(child);
            }
        }
        check(numChildren == node.numChildren() && childLocks <= node.lockRef, "a node's children");
    }

    private static void check(boolean isTrue, String what) {
        if (!isTrue) {
            throw new IllegalStateException("radix tree: " + what + " is wrong");
        }
    }
}
