package io.radixflow.grammar;

import io.radixflow.text.TokenBytes;
import java.util.Arrays;

/**
 * The vocabulary as a tree over bytes, its nodes in the order of a walk that visits a node before what is below it. Control tokens and
 * empty ones are left out. Immutable.
 */
public final class TokenTrie {

    private final int vocabSize;
    private final int[] sortedIds;
    private final IntList labels = new IntList();
    private final IntList depths = new IntList();
    private final IntList parents = new IntList();
    private final IntList firstToken = new IntList();
    private final IntList endToken = new IntList();
    final byte[] label; // [numNodes] byte on the way to the node; the root has none
    final int[] depth; // [numNodes] 0 is the root
    final int[] parent;
    final int[] end; // [numNodes] one past the last node below
    final int[] tokenFrom; // [numNodes] the node's tokens in ids
    final int[] tokenTo;
    final int[] ids;
    final int maxDepth;

    public TokenTrie(TokenBytes tokens) {
        vocabSize = tokens.vocabSize();
        sortedIds = sorted(tokens);
        add(tokens, new int[] {0, sortedIds.length}, 0, 0);
        label = new byte[labels.size()];
        for (int i = 0; i < label.length; i++) {
            label[i] = (byte) labels.get(i);
        }
        depth = depths.toArray();
        parent = parents.toArray();
        tokenFrom = firstToken.toArray();
        tokenTo = endToken.toArray();
        ids = sortedIds;
        end = new int[label.length];
        int deepest = 0;
        for (int node = label.length - 1; node >= 0; node--) {
            end[node] = Math.max(end[node], node + 1);
            deepest = Math.max(deepest, depth[node]);
            if (node > 0) {
                end[parent[node]] = Math.max(end[parent[node]], end[node]);
            }
        }
        maxDepth = deepest;
    }

    int vocabSize() {
        return vocabSize;
    }

    int numNodes() {
        return label.length;
    }

    /** The node that a byte leads to, or -1. */
    int child(int node, byte value) {
        for (int below = node + 1; below < end[node]; below = end[below]) {
            if (label[below] == value) {
                return below;
            }
        }
        return -1;
    }

    private static int[] sorted(TokenBytes tokens) {
        IntList kept = new IntList();
        for (int id = 0; id < tokens.vocabSize(); id++) {
            if (!tokens.isSpecial(id) && tokens.end(id) > tokens.start(id)) {
                kept.add(id);
            }
        }
        Integer[] ids = new Integer[kept.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = kept.get(i);
        }
        byte[] bytes = tokens.bytes();
        Arrays.sort(
                ids,
                (a, b) -> Arrays.compareUnsigned(
                        bytes, tokens.start(a), tokens.end(a), bytes, tokens.start(b), tokens.end(b)));
        int[] sorted = new int[ids.length];
        for (int i = 0; i < sorted.length; i++) {
            sorted[i] = ids[i];
        }
        return sorted;
    }

    /** Adds the node of the sorted tokens in {@code range}, which agree in their first {@code atDepth} bytes, and what is below it. */
    private void add(TokenBytes tokens, int[] range, int atDepth, int parentNode) {
        int node = labels.size();
        int from = range[0];
        int to = range[1];
        labels.add(atDepth == 0 ? 0 : byteAt(tokens, from, atDepth - 1));
        depths.add(atDepth);
        parents.add(parentNode);
        firstToken.add(from);
        int next = from;
        while (next < to && tokens.end(sortedIds[next]) - tokens.start(sortedIds[next]) == atDepth) {
            next++;
        }
        endToken.add(next);
        while (next < to) {
            int first = next;
            int value = byteAt(tokens, first, atDepth);
            while (next < to && byteAt(tokens, next, atDepth) == value) {
                next++;
            }
            add(tokens, new int[] {first, next}, atDepth + 1, node);
        }
    }

    private int byteAt(TokenBytes tokens, int sortedIndex, int index) {
        return tokens.bytes()[tokens.start(sortedIds[sortedIndex]) + index];
    }
}
