package io.radixflow.cache;

import io.radixflow.engine.CacheNamespace;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Radix tree over token ids whose edges own KV slots, so that sequences with a common prefix compute it once [1].
 *
 * <p>Edges are whole pages of tokens: with pages of 1 a prefix is shared to the exact token, else down to a multiple of the page size. A match
 * that ends inside an edge splits it there, so matching mutates the tree but never its content. The lower half of a split stays the same
 * object, so that handles held by sequences keep their meaning, and both halves keep the locks. A locked node protects itself and its
 * ancestors. Unlocked leaves are evicted in the order of the {@link EvictionQueue}; what counts as a use is a lock. Each namespace has a
 * root of its own, so equal tokens in two namespaces never share slots.
 *
 * <p>With {@link EvictionOrder#KNOWN_USES} the tree also counts which prefixes requests to come will need. Edges are then cut where that
 * number changes, so that it holds for a whole edge.
 *
 * <p>Owned by the engine thread. Allocates only when a node is created or split. Match and insert are O(tokens walked), evict is O(1) a
 * leaf.
 *
 * <p>[1] Zheng et al., "SGLang: Efficient Execution of Structured Language Model Programs", 2024.
 */
public final class RadixTree {

    private final SlotAllocator allocator;
    private final int pageSize;
    private final Map<CacheNamespace, RadixRoot> roots = new HashMap<>();
    /** The unlocked nodes. */
    private final EvictionQueue queue;
    /** Null if nobody wants to know. */
    private final @Nullable PromptTrie expected;
    /** Made for a match and perhaps never used; dropped by the next match if so. */
    private @Nullable RadixRoot newestRoot;

    private int evictableTokens;
    private int protectedTokens;

    /** @param allocator takes back the slots of evicted nodes and of duplicates; its pages are the tree's */
    public RadixTree(SlotAllocator allocator, EvictionOrder order) {
        this.allocator = allocator;
        pageSize = allocator.pageSize();
        queue = new EvictionQueue(order);
        expected = order == EvictionOrder.KNOWN_USES ? new PromptTrie() : null;
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

    /** Whether {@link #expect} means anything. */
    public boolean countsKnownUses() {
        return expected != null;
    }

    /**
     * Finds the longest cached prefix of {@code tokens[0, to)} and splits the edge it ends in.
     *
     * @param into gets the node and the length; valid until the next call unless the node is locked
     */
    public void matchPrefix(CacheNamespace namespace, int[] tokens, int to, PrefixMatch into) {
        RadixNode node = root(namespace);
        int len = 0;
        while (to - len >= pageSize) {
            RadixNode child = node.child(tokens, len, pageSize);
            if (child == null) {
                break;
            }
            int common = commonLen(child, tokens, len, to);
            len += common;
            if (common < child.len()) {
                node = split(child, common);
                break;
            }
            node = child;
        }
        into.set(node, len);
    }

    /** Length of the longest cached prefix of {@code tokens[0, to)}. Changes nothing. */
    public int peekPrefix(CacheNamespace namespace, int[] tokens, int to) {
        RadixNode node = roots.get(namespace);
        int len = 0;
        while (node != null && to - len >= pageSize) {
            node = node.child(tokens, len, pageSize);
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
     * Hands {@code tokens[at.len, to)} with their slots to the tree, in whole pages. Where the tree has a page already (another sequence
     * computed the same meanwhile), the caller's page is freed and its place in {@code slots} is pointed to the tree's. So no running step
     * may still read the row.
     *
     * @param at a node that the caller holds a lock on, and its length; gets the node that ends {@code tokens[0, to)}, not locked yet
     * @param to a multiple of the page size
     * @param slots slot of token i at {@code slots[offset + i]}; owned by the caller in {@code [at.len, to)}, by the tree afterwards
     */
    public void insert(PrefixMatch at, int[] tokens, int to, int[] slots, int offset) {
        RadixNode node = at.node;
        if (node == null) {
            throw new IllegalStateException("insert needs a node to start from");
        }
        int len = at.len;
        while (len < to) {
            RadixNode child = node.child(tokens, len, pageSize);
            if (child == null) {
                node = addLeaves(node, tokens, slots, offset, len, to);
                len = to;
            } else {
                int common = commonLen(child, tokens, len, to);
                node = common == child.len() ? child : split(child, common);
                adopt(node, slots, offset + len);
                len += common;
            }
        }
        for (RadixNode n = node; n.lockRef == 0 && n.parent != null; n = n.parent) {
            requeue(n); // used, and behind what is below it
        }
        at.set(node, len);
    }

    /** Protects a node and its ancestors from eviction until as many {@link #unlock}s. O(depth). */
    public void lock(RadixNode node) {
        for (RadixNode n = node; n != null; n = n.parent) {
            if (n.lockRef++ == 0 && n.parent != null) {
                evictableTokens -= n.len();
                protectedTokens += n.len();
                queue.remove(n);
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
                if (n.parent != null) {
                    evictableTokens += n.len();
                    protectedTokens -= n.len();
                    queue.add(n);
                } else {
                    dropIfUnused(n);
                }
            }
        }
    }

    /** Counts a sequence that starts to run on a node that it has locked. O(depth). */
    public void countHit(RadixNode node) {
        for (RadixNode n = node; n != null; n = n.parent) {
            n.hits++;
        }
    }

    /** Counts {@code num} requests to come that begin with the prompt. Only if {@link #countsKnownUses}. */
    public void expect(ExpectedPrompt prompt, int num) {
        if (expected != null) {
            expected.add(prompt, num);
            changeUses(prompt, num);
        }
    }

    /**
     * Takes back {@code num} requests of an expected prompt: they run now, or won't come.
     *
     * @throws IllegalStateException if fewer are expected
     */
    public void endUses(ExpectedPrompt prompt, int num) {
        if (expected != null) {
            expected.remove(prompt, num);
            changeUses(prompt, -num);
        }
    }

    /** The user of a locked node was announced and is done: what no other known one needs is the first to go. O(depth). */
    public void markSpent(RadixNode node) {
        for (RadixNode n = node; n != null; n = n.parent) {
            n.isSpent = n.uses == 0;
        }
    }

    /**
     * Frees whole leaves in the order of eviction until {@code numTokens} slots are free or nothing is evictable.
     *
     * @return slots freed, which may be more or fewer than asked for
     */
    public int evict(int numTokens) {
        int freed = 0;
        for (RadixNode node = queue.first(); node != null && freed < numTokens; node = queue.first()) {
            while (node.numChildren() > 0) { // spent, with others below that go with it
                node = node.anyChild();
            }
            queue.remove(node);
            allocator.free(node.slots, 0, node.len());
            evictableTokens -= node.len();
            freed += node.len();
            RadixNode parent = node.parent;
            if (parent == null) {
                throw new IllegalStateException("a root was queued for eviction");
            }
            parent.removeChild(node);
            dropIfUnused(parent);
        }
        return freed;
    }

    private RadixRoot root(CacheNamespace namespace) {
        if (newestRoot != null) {
            dropIfUnused(newestRoot);
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

    private void dropIfUnused(RadixNode node) {
        if (node instanceof RadixRoot root) {
            if (root.isUnused()) {
                roots.remove(root.namespace);
            }
        }
    }

    /** As many tokens of a prefix as can be shared. */
    public int wholePages(int len) {
        return len & -pageSize;
    }

    /** In whole pages. */
    private int commonLen(RadixNode node, int[] tokens, int from, int to) {
        int most = Math.min(node.len(), to - from);
        int mismatch = Arrays.mismatch(node.tokens, 0, most, tokens, from, from + most);
        return wholePages(mismatch < 0 ? most : mismatch);
    }

    /** One leaf, or a chain of nodes if not all of it has as many known uses; returns the last. */
    private RadixNode addLeaves(RadixNode parent, int[] tokens, int[] slots, int offset, int from, int to) {
        if (expected == null) {
            return addLeaf(parent, tokens, slots, offset, from, to);
        }
        CacheNamespace namespace = namespaceOf(parent);
        RadixNode node = parent;
        for (int start = from; start < to; start += node.len()) {
            int uses = expected.countAt(namespace, tokens, start + pageSize - 1, to);
            int end = uses == 0 ? to : wholePages(expected.coveredTo());
            node = addLeaf(node, tokens, slots, offset, start, end);
            node.uses = uses;
            requeue(node);
        }
        return node;
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // the caller's row and the part of it that is new
    private RadixNode addLeaf(RadixNode parent, int[] tokens, int[] slots, int offset, int from, int to) {
        RadixNode leaf = new RadixNode(
                parent,
                Arrays.copyOfRange(tokens, from, to),
                Arrays.copyOfRange(slots, offset + from, offset + to),
                TokenNode.hash(tokens, from, pageSize));
        parent.addChild(leaf);
        queue.add(leaf);
        evictableTokens += leaf.len();
        return leaf;
    }

    /** Cuts {@code node} after {@code at} tokens; returns the new upper half. */
    private RadixNode split(RadixNode node, int at) {
        RadixNode parent = node.parent;
        if (parent == null) {
            throw new IllegalStateException("a root has no edge to split");
        }
        RadixNode upper = new RadixNode(
                parent, Arrays.copyOfRange(node.tokens, 0, at), Arrays.copyOfRange(node.slots, 0, at), node.keyHash);
        upper.lockRef = node.lockRef;
        upper.hits = node.hits;
        upper.uses = node.uses;
        upper.isSpent = node.isSpent;
        parent.replaceChild(node, upper);
        node.tokens = Arrays.copyOfRange(node.tokens, at, node.tokens.length);
        node.slots = Arrays.copyOfRange(node.slots, at, node.slots.length);
        node.keyHash = TokenNode.hash(node.tokens, 0, pageSize);
        node.parent = upper;
        upper.addChild(node);
        if (node.lockRef == 0) {
            queue.addUpper(upper, node);
        }
        return upper;
    }

    private void adopt(RadixNode node, int[] slots, int offset) {
        for (int i = 0; i < node.len(); i += pageSize) {
            int own = slots[offset + i];
            if (own != node.slots[i]) {
                allocator.free(own);
                System.arraycopy(node.slots, i, slots, offset + i, pageSize);
            }
        }
    }

    /** Walks the cached part of a prompt, cutting where it ends, and moves what isn't locked to its new place in the queue. */
    private void changeUses(ExpectedPrompt prompt, int delta) {
        RadixNode node = roots.get(prompt.namespace);
        int len = 0;
        while (node != null && prompt.len - len >= pageSize) {
            RadixNode child = node.child(prompt.tokens, len, pageSize);
            if (child == null) {
                break;
            }
            int common = commonLen(child, prompt.tokens, len, prompt.len);
            node = common == child.len() ? child : split(child, common);
            node.uses += delta;
            node.isSpent = node.isSpent && node.uses == 0;
            len += common;
        }
        boolean isBehindChild = true;
        for (RadixNode n = node; n != null && n.lockRef == 0 && n.parent != null; n = n.parent) {
            if (!isBehindChild || !queue.isInPlace(n)) {
                requeue(n);
                isBehindChild = delta < 0; // needed now, so what is above must move behind it
            }
        }
    }

    private void requeue(RadixNode node) {
        queue.remove(node);
        queue.add(node);
    }

    private static CacheNamespace namespaceOf(RadixNode node) {
        RadixNode top = node;
        while (top.parent != null) {
            top = top.parent;
        }
        return ((RadixRoot) top).namespace;
    }

    /**
     * Walks the whole tree.
     *
     * @param owned gets a bit for each slot that the tree owns
     * @throws IllegalStateException if counts, locks, queue or slots are inconsistent
     */
    public void checkIntegrity(BitSet owned) {
        int evictable = 0;
        int locked = 0;
        int numUnlocked = 0;
        ArrayDeque<RadixNode> rest = new ArrayDeque<>(roots.values());
        for (RadixNode node = rest.poll(); node != null; node = rest.poll()) {
            boolean isUnlocked = node.lockRef == 0 && node.parent != null;
            check(isUnlocked == (node.list != null), "a node's place in the eviction queue");
            check(node.tokens.length == node.slots.length && wholePages(node.len()) == node.len(), "an edge's slots");
            check(node.parent == null || node.len() > 0, "an empty edge");
            evictable += node.lockRef == 0 ? node.len() : 0;
            locked += node.lockRef == 0 ? 0 : node.len();
            numUnlocked += isUnlocked ? 1 : 0;
            for (int i = 0; i < node.len(); i++) {
                int slot = node.slots[i];
                check(slot == node.slots[wholePages(i)] + i - wholePages(i), "a page's slots");
                check(!allocator.isFree(slot) && !owned.get(slot), "a slot's owner");
                owned.set(slot);
            }
            checkChildren(node, rest);
        }
        check(evictable == evictableTokens && locked == protectedTokens, "the count of cached tokens");
        check(numUnlocked == queue.size(), "the number of evictable nodes");
        queue.checkIntegrity();
        if (expected != null) {
            expected.checkIntegrity();
        }
    }

    private void checkChildren(RadixNode node, ArrayDeque<RadixNode> rest) {
        int numChildren = 0;
        int childLocks = 0;
        int childUses = 0;
        for (int place = 0; place < node.tableLen(); place++) {
            RadixNode child = node.childAt(place);
            if (child != null) {
                numChildren++;
                childLocks += child.lockRef;
                childUses += child.uses;
                check(child.parent == node && node.child(child.tokens, 0, pageSize) == child, "a child's way back");
                rest.add(child);
            }
        }
        check(numChildren == node.numChildren() && childLocks <= node.lockRef, "a node's children");
        check(node.parent == null || childUses <= node.uses, "a node's known uses");
    }

    private static void check(boolean isTrue, String what) {
        if (!isTrue) {
            throw new IllegalStateException("radix tree: " + what + " is wrong");
        }
    }
}
