package io.radixflow.grammar;

import io.radixflow.grammar.StackNode.Entry;
import io.radixflow.grammar.StackNode.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The states of one grammar, made when a text first reaches them and then shared, so that going on along a known way is a look-up. When there
 * are too many, all are forgotten; those in use live on. A text that is at more than {@value #MAX_PLACES} places at once is taken for one that
 * can't go on: the grammar is too ambiguous to follow it. Owned by one thread.
 */
final class LazyStates {

    private static final int MAX_STATES = 20_000;
    private static final int MAX_PLACES = 4_000;
    private static final int MAX_REPETITIONS_SEEN = 1 << 10;

    private final CompiledGrammar grammar;
    private final Map<IntKey, MatchState> states = new HashMap<>();
    private final Map<IntKey, StackNode> nodes = new HashMap<>();
    private int nextId;
    private final StackNode open;
    private final MatchState start;

    LazyStates(CompiledGrammar grammar) {
        this.grammar = grammar;
        open = new StackNode(nextId++, Kind.OPEN, 0, 0);
        StackNode rootNode = new StackNode(nextId++, Kind.ROOT, 0, 0);
        Closure closure = new Closure();
        closure.isAccepting = grammar.acceptsEmpty();
        if (!grammar.isEmptyOnly()) {
            closure.add(grammar.startOf(grammar.root()), rootNode);
        }
        start = closure.close();
    }

    CompiledGrammar grammar() {
        return grammar;
    }

    MatchState start() {
        return start;
    }

    /** The state after a byte; {@link MatchState#DEAD} if it can't follow. */
    MatchState step(MatchState state, int value) {
        if (state == MatchState.DEAD) {
            return state;
        }
        int byteClass = grammar.byteClass(value);
        MatchState known = state.next[byteClass];
        if (known != null) {
            return known;
        }
        Closure closure = new Closure();
        int letter = grammar.classByte(byteClass);
        for (int i = 0; i < state.states.length; i++) {
            int to = grammar.next(state.states[i], letter);
            if (to != Dfa.NONE) {
                closure.add(to, state.nodes[i]);
            }
        }
        MatchState next = closure.isEmpty() ? MatchState.DEAD : closure.close();
        state.next[byteClass] = next;
        return next;
    }

    /** The only byte that can follow; {@link Dfa#NONE} if there are several, or the text may end. */
    int onlyByte(MatchState state) {
        int only = Dfa.NONE;
        if (state.isAccepting) {
            return only;
        }
        for (int place : state.states) {
            int rule = grammar.ruleOf(place);
            Dfa dfa = grammar.automaton(rule);
            int local = place - grammar.startOf(rule);
            for (int edge = dfa.firstEdge(local);
                    edge < dfa.endEdge(local) && dfa.low(edge) < RuleCompiler.FIRST_CALL;
                    edge++) {
                int value = dfa.low(edge);
                if (value != dfa.high(edge) || (only != Dfa.NONE && only != value)) {
                    return Dfa.NONE;
                }
                only = value;
            }
        }
        return only;
    }

    /** The places of a state as states of one node each: a text goes on from the state if it does from any of them. */
    List<MatchState> parts(MatchState state) {
        List<MatchState> parts = new ArrayList<>();
        Set<StackNode> done = new HashSet<>();
        for (StackNode node : state.nodes) {
            if (done.add(node)) {
                Closure closure = new Closure();
                for (int i = 0; i < state.states.length; i++) {
                    if (state.nodes[i] == node) {
                        closure.add(state.states[i], node);
                    }
                }
                parts.add(closure.intern());
            }
        }
        return parts;
    }

    /** The places of a state with one node, seen without their callers. */
    MatchState local(MatchState state) {
        MatchState known = state.local;
        if (known != null) {
            return known;
        }
        StackNode below = state.nodes[0];
        StackNode base = isRepetition(below) ? openRepetition(below.rule, 0) : open;
        Closure closure = new Closure();
        for (int q : state.states) {
            closure.add(q, base);
        }
        MatchState local = closure.intern();
        state.local = local;
        return local;
    }

    boolean isRepetition(StackNode node) {
        return node.kind == Kind.CALLS && node.call.length == 1 && grammar.callMax(node.call[0]) > 1;
    }

    /** Where a repetition goes on when it ends here. */
    MatchState exit(StackNode repetition) {
        Closure closure = new Closure();
        closure.add(repetition.returnState[0], repetition.parent[0]);
        return closure.close();
    }

    private StackNode openRepetition(int rule, int ended) {
        return nodes.computeIfAbsent(
                new IntKey(new int[] {-1, rule, ended}),
                key -> new StackNode(nextId++, Kind.OPEN_REPETITION, rule, ended));
    }

    private StackNode node(int rule, List<Entry> entries) {
        Collections.sort(entries);
        IntList key = new IntList();
        key.add(rule);
        List<Entry> distinct = new ArrayList<>();
        for (Entry entry : entries) {
            if (distinct.isEmpty() || !distinct.get(distinct.size() - 1).equals(entry)) {
                distinct.add(entry);
                key.add(entry.returnState());
                key.add(entry.call());
                key.add(entry.done());
                key.add(entry.parent().id);
            }
        }
        return nodes.computeIfAbsent(
                new IntKey(key.toArray()),
                k -> new StackNode(nextId++, Kind.CALLS, rule, 0, distinct.toArray(Entry[]::new)));
    }

    private void forgetIfMany() {
        if (states.size() > MAX_STATES) {
            states.clear();
            nodes.clear();
        }
    }

    /** Follows what needs no byte: ends of rules back to their callers, then calls, callers before what they call first. */
    private final class Closure {

        private final IntList placeStates = new IntList();
        private final List<StackNode> placeNodes = new ArrayList<>();
        private final Set<Long> seen = new HashSet<>();
        private final TreeMap<Integer, List<Entry>> called = new TreeMap<>(); // by rank
        private boolean isAccepting;
        private boolean hasEscaped;
        private int escapedAfter = MatchState.NOT_TOUCHED;
        private boolean isMixed;

        boolean isEmpty() {
            return placeStates.size() == 0;
        }

        void add(int state, StackNode node) {
            if (seen.add(((long) state << 32) | node.id)) {
                placeStates.add(state);
                placeNodes.add(node);
            }
        }

        MatchState close() {
            int read = 0;
            while (true) {
                while (read < placeStates.size() && read <= MAX_PLACES) {
                    visit(placeStates.get(read), placeNodes.get(read));
                    read++;
                }
                if (placeStates.size() > MAX_PLACES) {
                    return MatchState.DEAD;
                } else if (called.isEmpty()) {
                    return intern();
                }
                Map.Entry<Integer, List<Entry>> first = called.pollFirstEntry();
                int rule = grammar.ruleOfRank(first.getKey());
                add(grammar.startOf(rule), node(rule, first.getValue()));
            }
        }

        private void visit(int state, StackNode node) {
            if (grammar.isAccepting(state)) {
                end(node);
            }
            int rule = grammar.ruleOf(state);
            Dfa dfa = grammar.automaton(rule);
            int local = state - grammar.startOf(rule);
            for (int edge = dfa.endEdge(local) - 1; edge >= dfa.firstEdge(local); edge--) {
                if (dfa.high(edge) < RuleCompiler.FIRST_CALL) {
                    break;
                }
                int returnTo = dfa.target(edge) + grammar.startOf(rule);
                for (int letter = Math.max(dfa.low(edge), RuleCompiler.FIRST_CALL);
                        letter <= dfa.high(edge);
                        letter++) {
                    call(letter - RuleCompiler.FIRST_CALL, 0, returnTo, node);
                }
            }
        }

        private void call(int call, int done, int returnTo, StackNode node) {
            int rule = grammar.callRule(call);
            called.computeIfAbsent(grammar.rank(rule), r -> new ArrayList<>())
                    .add(new Entry(returnTo, call, done, node));
        }

        private void end(StackNode node) {
            switch (node.kind) {
                case ROOT -> isAccepting = true;
                case OPEN -> {
                    hasEscaped = true;
                    escapedAfter = Math.min(escapedAfter, 1);
                }
                case OPEN_REPETITION -> {
                    isMixed |= hasEscaped && escapedAfter != node.bottom + 1;
                    hasEscaped = true;
                    escapedAfter = Math.min(escapedAfter, node.bottom + 1);
                    add(
                            grammar.startOf(node.rule),
                            openRepetition(node.rule, Math.min(node.bottom + 1, MAX_REPETITIONS_SEEN)));
                }
                case CALLS -> {
                    for (int i = 0; i < node.call.length; i++) {
                        endCall(node, i);
                    }
                }
            }
        }

        private void endCall(StackNode node, int i) {
            int call = node.call[i];
            int min = grammar.callMin(call);
            int max = grammar.callMax(call);
            int done = node.done[i] + 1;
            if (done >= min) {
                add(node.returnState[i], node.parent[i]);
            }
            if (max == CompiledGrammar.UNBOUNDED) {
                call(call, Math.min(done, min), node.returnState[i], node.parent[i]);
            } else if (done < max) {
                call(call, done, node.returnState[i], node.parent[i]);
            }
        }

        /** The state of those places that read bytes. */
        MatchState intern() {
            List<Place> reading = new ArrayList<>();
            for (int i = 0; i < placeStates.size(); i++) {
                int state = placeStates.get(i);
                int rule = grammar.ruleOf(state);
                Dfa dfa = grammar.automaton(rule);
                int first = dfa.firstEdge(state - grammar.startOf(rule));
                if (first < dfa.endEdge(state - grammar.startOf(rule)) && dfa.low(first) < RuleCompiler.FIRST_CALL) {
                    reading.add(new Place(state, placeNodes.get(i)));
                }
            }
            Collections.sort(reading);
            int[] key = new int[2 + 2 * reading.size()];
            int[] q = new int[reading.size()];
            StackNode[] below = new StackNode[reading.size()];
            key[0] = (isAccepting ? 1 : 0) + (hasEscaped ? 2 : 0) + (isMixed ? 4 : 0);
            key[1] = escapedAfter;
            for (int i = 0; i < q.length; i++) {
                q[i] = reading.get(i).state();
                below[i] = reading.get(i).node();
                key[2 + 2 * i] = q[i];
                key[3 + 2 * i] = below[i].id;
            }
            forgetIfMany();
            return states.computeIfAbsent(
                    new IntKey(key),
                    k -> new MatchState(
                            LazyStates.this,
                            q,
                            below,
                            new MatchState.Ends(isAccepting, hasEscaped, escapedAfter, isMixed)));
        }
    }

    /** A state with the stack below it. */
    private record Place(int state, StackNode node) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            int order = Integer.compare(state, other.state);
            return order != 0 ? order : Integer.compare(node.id, other.node.id);
        }
    }
}
