package io.radixflow.grammar;

import java.util.Arrays;

/** Walks the vocabulary at a place whose callers are unknown. Reused; owned by one {@link MaskBuilder}. */
final class LocalWalk {

    private final TokenTrie trie;
    private final int numWords;
    private final MatchState[] path; // [maxDepth + 1]
    private final boolean[] hasLeft; // [maxDepth + 1] whether the rule could be left on the way
    private final IntList accepted = new IntList();
    private final IntList touched = new IntList(); // in the places of accepted
    private final IntList leaving = new IntList();

    LocalWalk(TokenTrie trie, int numWords) {
        this.trie = trie;
        this.numWords = numWords;
        path = new MatchState[trie.maxDepth + 1];
        hasLeft = new boolean[trie.maxDepth + 1];
    }

    LocalMask walk(LazyStates states, MatchState local) {
        accepted.clear();
        touched.clear();
        leaving.clear();
        path[0] = local;
        hasLeft[0] = false;
        for (int node = 1; node < trie.numNodes(); ) {
            int depth = trie.depth[node];
            MatchState next = states.step(path[depth - 1], trie.label[node] & 0xFF);
            if (next == MatchState.DEAD) {
                if (hasLeft[depth - 1]) {
                    leaving.add(node);
                }
                node = trie.end[node];
                continue;
            }
            for (int i = trie.tokenFrom[node]; i < trie.tokenTo[node]; i++) {
                accepted.add(trie.ids[i]);
                touched.add(next.touched);
            }
            if (next.isFinal()) {
                leaving.add(node);
                node = trie.end[node];
                continue;
            }
            path[depth] = next;
            hasLeft[depth] = hasLeft[depth - 1] || next.hasEscaped;
            node++;
        }
        Arrays.fill(path, null);
        return mask();
    }

    private LocalMask mask() {
        long[] bits = new long[numWords];
        int most = 1;
        for (int i = 0; i < accepted.size(); i++) {
            bits[accepted.get(i) >> 6] |= 1L << accepted.get(i);
            most = Math.max(most, touched.get(i));
        }
        int[] from = new int[most + 2];
        for (int i = 0; i < touched.size(); i++) {
            from[touched.get(i) + 1]++;
        }
        for (int i = 1; i < from.length; i++) {
            from[i] += from[i - 1];
        }
        int[] byTouched = new int[most == 1 ? 0 : accepted.size()];
        int[] fill = from.clone();
        for (int i = 0; i < byTouched.length; i++) {
            byTouched[fill[touched.get(i)]++] = accepted.get(i);
        }
        return new LocalMask(bits, byTouched, from, leaving.toArray());
    }
}
