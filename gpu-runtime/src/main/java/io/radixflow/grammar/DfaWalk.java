package io.radixflow.grammar;

/**
 * Walks the vocabulary along an automaton that calls nothing, seen without its callers: what {@link LocalWalk} does, on numbers instead of objects. Reused;
 * owned by one {@link MaskBuilder}.
 */
final class DfaWalk {

    private static final int NUM_BYTES = 256;

    /** Of states, 1 KiB each; others are looked up edge by edge. */
    private static final int MAX_ROWS = 2_048;

    private static final int[] NONE = {};

    private final TokenTrie trie;
    private final int numWords;
    private final int[] path; // [maxDepth + 1]
    private final boolean[] hasLeft; // [maxDepth + 1] whether the rule could be left on the way
    private final IntList leaving = new IntList();

    private Dfa dfa = new Dfa.Builder().build();
    private int[][] rows = new int[0][]; // [numStates][256] the next state, made when it is first asked for
    private int numRows;

    DfaWalk(TokenTrie trie, int numWords) {
        this.trie = trie;
        this.numWords = numWords;
        path = new int[trie.maxDepth + 1];
        hasLeft = new boolean[trie.maxDepth + 1];
    }

    /** From a state of the automaton, which is not being repeated. */
    LocalMask walk(Dfa automaton, int start) {
        if (!dfa.equals(automaton)) {
            dfa = automaton;
            rows = new int[automaton.numStates()][];
            numRows = 0;
        }
        leaving.clear();
        long[] bits = new long[numWords];
        path[0] = start;
        for (int node = 1; node < trie.numNodes(); ) {
            int depth = trie.depth[node];
            int next = next(path[depth - 1], trie.label[node] & 0xFF);
            if (next == Dfa.NONE) {
                if (hasLeft[depth - 1]) {
                    leaving.add(node);
                }
                node = trie.end[node];
                continue;
            }
            for (int i = trie.tokenFrom[node]; i < trie.tokenTo[node]; i++) {
                int id = trie.ids[i];
                bits[id >> 6] |= 1L << id;
            }
            if (dfa.firstEdge(next) == dfa.endEdge(next)) {
                leaving.add(node);
                node = trie.end[node];
                continue;
            }
            path[depth] = next;
            hasLeft[depth] = hasLeft[depth - 1] || dfa.isAccepting(next);
            node++;
        }
        return new LocalMask(bits, NONE, new int[3], leaving.toArray(), NONE, NONE, new boolean[0]);
    }

    private int next(int state, int value) {
        int[] row = rows[state];
        if (row == null) {
            if (numRows == MAX_ROWS) {
                return dfa.next(state, value);
            }
            row = row(state);
        }
        return row[value];
    }

    private int[] row(int state) {
        int[] row = new int[NUM_BYTES];
        for (int value = 0; value < NUM_BYTES; value++) {
            row[value] = dfa.next(state, value);
        }
        rows[state] = row;
        numRows++;
        return row;
    }
}
