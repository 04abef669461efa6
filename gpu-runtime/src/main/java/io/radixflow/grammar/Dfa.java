package io.radixflow.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Deterministic automaton over integers: code points of a text, bytes of its encoding, or bytes and calls of rules. State 0 is the
 * start; a missing edge rejects. Immutable. Edges of a state are disjoint ranges in ascending order.
 *
 * <p>Whatever {@link DfaOps} returns has only states that lead from the start to acceptance; if it is minimal, equal languages have equal
 * automata.
 */
final class Dfa {

    static final int NONE = -1;

    private final int[] firstEdge; // [numStates + 1]
    private final int[] low; // [numEdges] inclusive
    private final int[] high; // [numEdges] inclusive
    private final int[] target; // [numEdges]
    private final boolean[] isAccepting; // [numStates]
    private int hash; // 0 is not known

    private Dfa(Builder from) {
        firstEdge = from.firstEdge.toArray();
        low = from.low.toArray();
        high = from.high.toArray();
        target = from.target.toArray();
        isAccepting = new boolean[from.accepting.size()];
        for (int state = 0; state < isAccepting.length; state++) {
            isAccepting[state] = from.accepting.get(state) == 1;
        }
    }

    int numStates() {
        return isAccepting.length;
    }

    int numEdges() {
        return low.length;
    }

    boolean isAccepting(int state) {
        return isAccepting[state];
    }

    /** The state's edges are {@code [firstEdge(state), endEdge(state))}. */
    int firstEdge(int state) {
        return firstEdge[state];
    }

    int endEdge(int state) {
        return firstEdge[state + 1];
    }

    int low(int edge) {
        return low[edge];
    }

    int high(int edge) {
        return high[edge];
    }

    int target(int edge) {
        return target[edge];
    }

    /** The state after {@code letter}, or {@link #NONE}. */
    int next(int state, int letter) {
        int from = firstEdge[state];
        int to = firstEdge[state + 1] - 1;
        while (from <= to) {
            int middle = (from + to) >>> 1;
            if (letter < low[middle]) {
                to = middle - 1;
            } else if (letter > high[middle]) {
                from = middle + 1;
            } else {
                return target[middle];
            }
        }
        return NONE;
    }

    /** What is accepted from a state on, numbered breadth first, so that it tells equal remainders; null if it has more states. */
    @Nullable
    Dfa remainder(int start, int maxStates) {
        Map<Integer, Integer> numberOf = new HashMap<>();
        IntList order = new IntList();
        numberOf.put(start, 0);
        order.add(start);
        Builder builder = new Builder();
        for (int i = 0; i < order.size(); i++) {
            int state = order.get(i);
            builder.addState(isAccepting[state]);
            for (int edge = firstEdge[state]; edge < firstEdge[state + 1]; edge++) {
                Integer fresh = order.size();
                Integer known = numberOf.putIfAbsent(target[edge], fresh);
                if (known == null) {
                    order.add(target[edge]);
                }
                builder.addEdge(low[edge], high[edge], known == null ? fresh : known);
            }
            if (order.size() > maxStates) {
                return null;
            }
        }
        return builder.build();
    }

    /** Whether the text's code points are in the language. */
    boolean accepts(String text) {
        int state = 0;
        for (int i = 0; i < text.length() && state != NONE; ) {
            int codePoint = text.codePointAt(i);
            state = next(state, codePoint);
            i += Character.charCount(codePoint);
        }
        return state != NONE && isAccepting[state];
    }

    /** Of one that {@link DfaOps} made. */
    boolean isEmpty() {
        return low.length == 0 && !isAccepting[0];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Dfa dfa
                && Arrays.equals(firstEdge, dfa.firstEdge)
                && Arrays.equals(low, dfa.low)
                && Arrays.equals(high, dfa.high)
                && Arrays.equals(target, dfa.target)
                && Arrays.equals(isAccepting, dfa.isAccepting);
    }

    @Override
    public int hashCode() {
        if (hash == 0) { // a race computes it twice
            hash = 31 * Arrays.hashCode(low) + Arrays.hashCode(target);
        }
        return hash;
    }

    /** Takes states in order of their numbers, each with its edges in ascending order. */
    static final class Builder {

        private final IntList firstEdge = new IntList();
        private final IntList low = new IntList();
        private final IntList high = new IntList();
        private final IntList target = new IntList();
        private final IntList accepting = new IntList();

        /** Begins the next state. */
        int addState(boolean isAccepting) {
            firstEdge.add(low.size());
            accepting.add(isAccepting ? 1 : 0);
            return accepting.size() - 1;
        }

        /** Adds an edge to the state begun last; one that continues the edge before it is joined with it. */
        void addEdge(int lowest, int highest, int to) {
            int last = low.size() - 1;
            boolean isFirst = last < firstEdge.get(firstEdge.size() - 1);
            if (!isFirst && target.get(last) == to && high.get(last) == lowest - 1) {
                high.set(last, highest);
            } else {
                low.add(lowest);
                high.add(highest);
                target.add(to);
            }
        }

        int numEdges() {
            return low.size();
        }

        Dfa build() {
            firstEdge.add(low.size());
            return new Dfa(this);
        }
    }
}
