package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Automaton with free choice, built edge by edge and then made deterministic. Besides ranges of letters it has edges that read nothing: always,
 * only at the beginning of the text, or only at its end. Not thread-safe.
 */
final class Nfa {

    private static final int EPSILON = -1;
    private static final int AT_BEGIN = -2;
    private static final int AT_END = -3;
    private static final int NO_EDGE = -1;

    private final Budget budget;
    private final IntList lastEdge = new IntList(); // [numStates] head of the state's list
    private final IntList previousEdge = new IntList();
    private final IntList low = new IntList(); // a letter or one of the above
    private final IntList high = new IntList();
    private final IntList target = new IntList();
    private boolean hasAtEnd;

    Nfa(Budget budget) {
        this.budget = budget;
    }

    int addState() {
        budget.spend(1);
        lastEdge.add(NO_EDGE);
        budget.checkStates(lastEdge.size());
        return lastEdge.size() - 1;
    }

    void addEdge(int from, int lowest, int highest, int to) {
        budget.spend(1);
        low.add(lowest);
        high.add(highest);
        target.add(to);
        previousEdge.add(lastEdge.get(from));
        lastEdge.set(from, low.size() - 1);
    }

    void addEpsilon(int from, int to) {
        addEdge(from, EPSILON, EPSILON, to);
    }

    void addAtBegin(int from, int to) {
        addEdge(from, AT_BEGIN, AT_BEGIN, to);
    }

    void addAtEnd(int from, int to) {
        hasAtEnd = true;
        addEdge(from, AT_END, AT_END, to);
    }

    /** What stands between two states, built anew for each pair. */
    interface Piece {
        void build(int from, int to);
    }

    /** Lets {@code body} be read {@code min} to {@code max} times in a row; {@link Expr#UNBOUNDED} is no end. */
    void addRepeat(int min, int max, int from, int to, Piece body) {
        int copies = max == Expr.UNBOUNDED ? min : max;
        int state = from;
        for (int i = 0; i < copies; i++) {
            if (i >= min) {
                addEpsilon(state, to);
            }
            int next = addState();
            body.build(state, next);
            state = next;
        }
        if (max == Expr.UNBOUNDED) {
            int loop = addState();
            addEpsilon(state, loop);
            body.build(loop, loop);
            state = loop;
        }
        addEpsilon(state, to);
    }

    /** Lets {@code dfa} read its language on the way from one state to another. */
    void embed(Dfa dfa, int from, int to) {
        int offset = lastEdge.size();
        for (int state = 0; state < dfa.numStates(); state++) {
            addState();
        }
        addEpsilon(from, offset);
        for (int state = 0; state < dfa.numStates(); state++) {
            for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
                addEdge(offset + state, dfa.low(edge), dfa.high(edge), offset + dfa.target(edge));
            }
            if (dfa.isAccepting(state)) {
                addEpsilon(offset + state, to);
            }
        }
    }

    /** The minimal automaton of what leads from {@code start} to {@code accept}. */
    Dfa determinize(int start, int accept) {
        return DfaOps.minimize(new Subsets(start, accept).run(), budget);
    }

    /** The subset construction. A set keeps only the states that read letters, and acceptance. */
    private final class Subsets {

        private final int accept;
        private final int[] mark = new int[lastEdge.size()];
        private final int[] ofOne =
                new int[lastEdge.size()]; // [numStates] the number of its closure and 1; 0 is not known
        private int stamp;
        private final IntList stack = new IntList();
        private final Map<IntKey, Integer> numberOf = new HashMap<>();
        private final List<int[]> sets = new ArrayList<>();
        private final Dfa.Builder builder = new Dfa.Builder();
        private final IntList targets = new IntList();

        Subsets(int start, int accept) {
            this.accept = accept;
            targets.add(start);
            number(closure(true));
        }

        Dfa run() {
            for (int set = 0; set < sets.size(); set++) {
                budget.checkStates(sets.size());
                addState(sets.get(set));
            }
            return builder.build();
        }

        private int number(int[] set) {
            IntKey key = new IntKey(set);
            Integer known = numberOf.putIfAbsent(key, sets.size());
            if (known != null) {
                return known;
            }
            sets.add(set);
            return sets.size() - 1;
        }

        /** What {@link #targets} reach without a letter, sorted; only states that matter, and {@link #accept} if the text may end here. */
        private int[] closure(boolean isBegin) {
            stamp++;
            IntList reached = new IntList();
            for (int i = 0; i < targets.size(); i++) {
                push(targets.get(i));
            }
            boolean accepts = follow(reached, isBegin, false);
            if (!accepts && hasAtEnd) {
                stamp++;
                for (int i = 0; i < targets.size(); i++) {
                    push(targets.get(i));
                }
                accepts = follow(new IntList(), isBegin, true);
            }
            if (accepts) {
                reached.add(accept);
            }
            int[] set = reached.toArray();
            Arrays.sort(set);
            return set;
        }

        private void push(int state) {
            if (mark[state] != stamp) {
                mark[state] = stamp;
                stack.add(state);
            }
        }

        /** Adds states with letters to {@code reached}, without {@link #accept}; returns whether that was reached. */
        private boolean follow(IntList reached, boolean isBegin, boolean isEnd) {
            boolean accepts = false;
            int read = 0;
            while (read < stack.size()) {
                int state = stack.get(read++);
                accepts |= state == accept;
                boolean hasLetters = false;
                for (int edge = lastEdge.get(state); edge != NO_EDGE; edge = previousEdge.get(edge)) {
                    budget.spend(1);
                    int kind = low.get(edge);
                    if (kind >= 0) {
                        hasLetters = true;
                    } else if (kind == EPSILON || (kind == AT_BEGIN && isBegin) || (kind == AT_END && isEnd)) {
                        push(target.get(edge));
                    }
                }
                if (hasLetters && state != accept) {
                    reached.add(state);
                }
            }
            stack.clear();
            return accepts;
        }

        /** Goes over the letters from low to high with the edges that read the current one. */
        private void addState(int[] set) {
            builder.addState(Arrays.binarySearch(set, accept) >= 0);
            IntList edges = new IntList();
            for (int state : set) {
                for (int edge = lastEdge.get(state); edge != NO_EDGE; edge = previousEdge.get(edge)) {
                    if (low.get(edge) >= 0) {
                        edges.add(edge);
                    }
                }
            }
            long[] byLow = new long[edges.size()];
            int[] cuts = new int[2 * edges.size()];
            for (int i = 0; i < byLow.length; i++) {
                int edge = edges.get(i);
                byLow[i] = ((long) low.get(edge) << 32) | edge;
                cuts[2 * i] = low.get(edge);
                cuts[2 * i + 1] = high.get(edge) + 1;
            }
            Arrays.sort(byLow);
            Arrays.sort(cuts);
            IntList active = new IntList();
            int next = 0;
            for (int i = 0; i + 1 < cuts.length; i++) {
                while (next < byLow.length && byLow[next] >> 32 == cuts[i]) {
                    active.add((int) byLow[next++]);
                }
                if (cuts[i] < cuts[i + 1]) {
                    addInterval(active, cuts[i], cuts[i + 1] - 1);
                }
            }
        }

        /** Forgets edges that end below the interval; no other begins or ends inside of it. */
        private void addInterval(IntList active, int lowest, int highest) {
            budget.spend(1 + active.size() / 8);
            targets.clear();
            int kept = 0;
            for (int i = 0; i < active.size(); i++) {
                int edge = active.get(i);
                if (high.get(edge) >= highest) {
                    active.set(kept++, edge);
                    targets.add(target.get(edge));
                }
            }
            active.truncate(kept);
            if (kept > 0) {
                builder.addEdge(lowest, highest, kept == 1 ? numberOfOne(targets.get(0)) : number(closure(false)));
            }
        }

        /** The set that a single state leads to is looked for once. */
        private int numberOfOne(int state) {
            if (ofOne[state] == 0) {
                ofOne[state] = number(closure(false)) + 1;
            }
            return ofOne[state] - 1;
        }
    }
}
