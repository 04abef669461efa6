package io.radixflow.cache;

import io.radixflow.engine.CacheNamespace;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Prompts of requests to come as a radix tree over their tokens, with the number of requests below each node. It says how many will need a
 * prefix, and walks them depth first: next to the last one taken, and where the way forks to where most are.
 *
 * <p>Owned by the engine thread. Adding and removing are O(tokens + depth * log children). Allocates when prompts are added.
 */
public final class PromptTrie {

    private static final int KEY_LEN = 1;

    /** Above the roots of the namespaces. */
    private final PromptNode top = new PromptNode(null, RadixNode.NOTHING, 0, 0, 0);

    private final Map<CacheNamespace, PromptNode> roots = new HashMap<>();
    /** Where the depth-first walk stands: the deepest node with prompts left above the last one taken. */
    private PromptNode cursor = top;

    private int coveredTo;

    /** Requests to come, over all prompts. */
    public int size() {
        return top.count;
    }

    /** Adds {@code num} requests that begin with the prompt, which is in no trie. */
    public void add(ExpectedPrompt prompt, int num) {
        if (prompt.node != null || num < 1) {
            throw new IllegalStateException("a prompt is expected already, or " + num + " times");
        }
        PromptNode node = root(prompt);
        int len = 0;
        while (len < prompt.len) {
            PromptNode child = node.child(prompt.tokens, len, KEY_LEN);
            if (child == null) {
                child = new PromptNode(node, prompt.tokens, len, prompt.len, prompt.order);
                node.addChild(child);
                node.children.add(child);
                len = prompt.len;
            } else {
                int common = child.commonLen(prompt.tokens, len, prompt.len);
                child = common == child.len() ? child : split(child, common);
                len += common;
            }
            node = child;
        }
        PromptNode item = new PromptNode(node, prompt);
        item.count = num;
        node.children.add(item);
        prompt.node = item;
        for (PromptNode parent = item.parent; parent != null; parent = parent.parent) {
            parent.count += num;
            if (parent.parent != null) {
                parent.parent.children.update(parent);
            }
        }
    }

    /** Takes {@code num} of a prompt's requests out; the last ones take the prompt with them. */
    public void remove(ExpectedPrompt prompt, int num) {
        PromptNode item = prompt.node;
        if (item == null || num < 1 || num > item.count) {
            throw new IllegalStateException("a prompt is not expected " + num + " times");
        }
        if (num == item.count) {
            prompt.node = null;
        }
        PromptNode node = item;
        for (PromptNode parent = node.parent; parent != null; parent = node.parent) {
            node.count -= num;
            if (node.count > 0) {
                parent.children.update(node);
            } else {
                unlink(node, parent, prompt.namespace);
            }
            node = parent;
        }
        top.count -= num;
    }

    /** The next prompt of the depth-first walk, or null if none is left. It stays. */
    public @Nullable ExpectedPrompt next() {
        PromptNode node = cursor;
        while (node != null && node.prompt == null) {
            node = node.children.peek();
        }
        return node == null ? null : node.prompt;
    }

    /** Lets the walk go on from a prompt that is in the trie, also after it is taken out. */
    public void moveTo(ExpectedPrompt prompt) {
        PromptNode item = prompt.node;
        if (item != null && item.parent != null) {
            cursor = item.parent;
        }
    }

    /**
     * Requests to come that begin with {@code tokens[0, at]}; {@link #coveredTo} then says how far beyond that holds.
     *
     * @return 0 if there are none
     */
    int countAt(CacheNamespace namespace, int[] tokens, int at, int to) {
        PromptNode node = roots.get(namespace);
        int len = 0;
        while (node != null && len < to) {
            node = node.child(tokens, len, KEY_LEN);
            if (node != null) {
                int common = node.commonLen(tokens, len, to);
                if (len + common > at) {
                    coveredTo = len + common;
                    return node.count;
                }
                len = common == node.len() ? len + common : to;
            }
        }
        return 0;
    }

    /** End of the tokens that as many requests have as the last {@link #countAt} answered. */
    int coveredTo() {
        return coveredTo;
    }

    private PromptNode root(ExpectedPrompt prompt) {
        PromptNode root = roots.get(prompt.namespace);
        if (root == null) {
            root = new PromptNode(top, RadixNode.NOTHING, 0, 0, prompt.order);
            roots.put(prompt.namespace, root);
            top.children.add(root);
        }
        return root;
    }

    private void unlink(PromptNode node, PromptNode parent, CacheNamespace namespace) {
        parent.children.remove(node);
        if (parent == top) {
            roots.remove(namespace);
        } else if (node.prompt == null) {
            parent.removeChild(node);
        }
        if (cursor == node) {
            cursor = parent;
        }
    }

    /** Cuts {@code node} after {@code at} tokens; returns the new upper half. */
    private static PromptNode split(PromptNode node, int at) {
        PromptNode parent = node.parent;
        if (parent == null) {
            throw new IllegalStateException("a root has no edge to split");
        }
        PromptNode upper = new PromptNode(parent, node.tokens, node.from, node.from + at, node.order);
        upper.count = node.count;
        parent.children.remove(node);
        parent.replaceChild(node, upper);
        parent.children.add(upper);
        node.from += at;
        node.keyHash = TokenNode.hash(node.tokens, node.from, KEY_LEN);
        node.parent = upper;
        upper.addChild(node);
        upper.children.add(node);
        return upper;
    }

    /** @throws IllegalStateException if counts, heaps or links are wrong */
    public void checkIntegrity() {
        int sum = 0;
        for (PromptNode root : roots.values()) {
            check(root.parent == top, "a root's way back");
            sum += checkedCount(root);
        }
        check(sum == top.count && roots.size() == top.children.size(), "the count");
        check(cursor == top || cursor.count > 0, "the cursor");
        top.children.checkIntegrity();
    }

    private static int checkedCount(PromptNode node) {
        if (node.prompt != null) {
            check(node.prompt.node == node && node.count > 0, "a prompt's place");
            return node.count;
        }
        int sum = 0;
        node.children.checkIntegrity();
        for (int place = 0; place < node.children.size(); place++) {
            PromptNode child = node.children.at(place);
            check(child.parent == node, "a child's way back");
            check(child.prompt != null || node.child(child.tokens, child.from, KEY_LEN) == child, "a child's key");
            sum += checkedCount(child);
        }
        check(sum == node.count && sum > 0, "a node's count");
        return sum;
    }

    private static void check(boolean isTrue, String what) {
        if (!isTrue) {
            throw new IllegalStateException("prompt trie: " + what + " is wrong");
        }
    }
}
