package io.radixflow.grammar;

import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Walks the vocabulary at a place whose callers are unknown. Reused; owned by one {@link MaskBuilder}. */
final class LocalWalk {

    private static final int NUM_BYTES = 256;

    private final TokenTrie trie;
    private final int numWords;
    private final MatchState[] path; // [maxDepth + 1]
    private final boolean[] hasLeft; // [maxDepth + 1] whether the rule could be left on the way
    private final IntList accepted = new IntList();
    private final IntList touched = new IntList(); // in the places of accepted
    private final IntList leaving = new IntList();
    private final IntList leavingAfter = new IntList(); // in the places of leaving
    private boolean isMixed;
    private final Set<MatchState> escaping = Collections.newSetFromMap(new IdentityHashMap<>());

    LocalWalk(TokenTrie trie, int numWords) {
        this.trie = trie;
        this.numWords = numWords;
        path = new MatchState[trie.maxDepth + 1];
        hasLeft = new boolean[trie.maxDepth + 1];
    }

    /** @param isRepetition whether the rule is being repeated: then only the last place to leave it before a byte counts */
    LocalMask walk(LazyStates states, MatchState local, boolean isRepetition) {
        accepted.clear();
        touched.clear();
        leaving.clear();
        leavingAfter.clear();
        escaping.clear();
        isMixed = false;
        path[0] = local;
        hasLeft[0] = false;
        for (int node = 1; node < trie.numNodes(); ) {
            int depth = trie.depth[node];
            MatchState before = path[depth - 1];
            MatchState next = states.step(before, trie.label[node] & 0xFF);
            if (next == MatchState.DEAD) {
                if (isRepetition ? before.hasEscaped && depth > 1 : hasLeft[depth - 1]) {
                    leaving.add(node);
                    leavingAfter.add(before.escapedAfter);
                    isMixed |= before.isMixed;
                }
                node = trie.end[node];
                continue;
            }
            for (int i = trie.tokenFrom[node]; i < trie.tokenTo[node]; i++) {
                accepted.add(trie.ids[i]);
                touched.add(next.touched);
            }
            if (next.hasEscaped) {
                escaping.add(next);
            }
            if (next.isFinal()) {
                leaving.add(node);
                leavingAfter.add(next.escapedAfter);
                node = trie.end[node];
                continue;
            }
            path[depth] = next;
            hasLeft[depth] = hasLeft[depth - 1] || next.hasEscaped;
            node++;
        }
        Arrays.fill(path, null);
        return mask(states, isRepetition);
    }

    private LocalMask mask(LazyStates states, boolean isRepetition) {
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
        int[] nodes = leaving.toArray();
        int[] after = leavingAfter.toArray();
        int[] labelFrom = new int[NUM_BYTES + 1];
        if (isRepetition) {
            sortByLabel(nodes, after, labelFrom);
        }
        return new LocalMask(bits, byTouched, from, nodes, after, labelFrom, inside(states));
    }

    private void sortByLabel(int[] nodes, int[] after, int[] labelFrom) {
        for (int node : nodes) {
            labelFrom[(trie.label[node] & 0xFF) + 1]++;
        }
        for (int value = 0; value < NUM_BYTES; value++) {
            labelFrom[value + 1] += labelFrom[value];
        }
        int[] fill = labelFrom.clone();
        for (int i = 0; i < leaving.size(); i++) {
            int place = fill[trie.label[leaving.get(i)] & 0xFF]++;
            nodes[place] = leaving.get(i);
            after[place] = leavingAfter.get(i);
        }
    }

    private boolean[] inside(LazyStates states) {
        boolean[] isInside = new boolean[NUM_BYTES];
        for (MatchState state : escaping) {
            for (int value = 0; value < NUM_BYTES; value++) {
                isInside[value] |= states.step(state, value) != MatchState.DEAD;
            }
        }
        escaping.clear();
        if (isMixed) {
            Arrays.fill(isInside, true); // no telling how often it has repeated
        }
        return isInside;
    }
}
