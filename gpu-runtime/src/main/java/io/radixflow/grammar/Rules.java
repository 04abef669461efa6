package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The rules that a front end writes, and their way to a {@link CompiledGrammar}. Not thread-safe. */
final class Rules {

    private static final int NEW = 0;
    private static final int OPEN = 1;
    private static final int DONE = 2;

    private final List<String> names = new ArrayList<>();
    private final List<Expr> bodies = new ArrayList<>();

    /** Reserves a number, whose body comes later, so that rules may refer to one another. */
    int reserve(String name) {
        names.add(name);
        bodies.add(new Expr.Choice(List.of()));
        return bodies.size() - 1;
    }

    void define(int rule, Expr body) {
        bodies.set(rule, body);
    }

    int add(String name, Expr body) {
        int rule = reserve(name);
        define(rule, body);
        return rule;
    }

    int size() {
        return bodies.size();
    }

    /** @throws GrammarException if it is too large, if a rule begins with itself, or if the root matches nothing */
    CompiledGrammar compile(int root, Budget budget) {
        RuleCompiler compiler = new RuleCompiler(bodies, budget);
        List<Dfa> automata = compiler.compile();
        List<RuleCompiler.Call> calls = compiler.calls();
        boolean[] isProductive = productive(automata, calls, budget);
        automata.replaceAll(dfa -> {
            boolean isWhole = callsOnly(dfa, calls, isProductive);
            return isWhole ? dfa : DfaOps.minimize(productiveEdges(dfa, calls, isProductive), budget);
        });
        boolean acceptsEmpty = compiler.isNullable(root);
        if (automata.get(root).isEmpty() && !acceptsEmpty) {
            throw new GrammarException("nothing can match the grammar");
        }
        return new CompiledGrammar(automata, calls, rank(automata, calls), root, acceptsEmpty);
    }

    /** Which rules match some text. */
    private static boolean[] productive(List<Dfa> automata, List<RuleCompiler.Call> calls, Budget budget) {
        boolean[] isProductive = new boolean[automata.size()];
        boolean isChanged = true;
        while (isChanged) {
            isChanged = false;
            for (int rule = automata.size() - 1; rule >= 0; rule--) {
                Dfa dfa = automata.get(rule);
                if (!isProductive[rule]) {
                    budget.spend(dfa.numEdges() + 1);
                    isProductive[rule] = reachesEnd(dfa, calls, isProductive);
                    isChanged |= isProductive[rule];
                }
            }
        }
        return isProductive;
    }

    /** Whether letters that match something lead from the start to acceptance. */
    private static boolean reachesEnd(Dfa dfa, List<RuleCompiler.Call> calls, boolean[] isProductive) {
        boolean[] isReached = new boolean[dfa.numStates()];
        IntList open = new IntList();
        isReached[0] = true;
        open.add(0);
        while (open.size() > 0) {
            int state = open.removeLast();
            if (dfa.isAccepting(state)) {
                return true;
            }
            for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
                if (!isReached[dfa.target(edge)] && isProductive(dfa, edge, calls, isProductive)) {
                    isReached[dfa.target(edge)] = true;
                    open.add(dfa.target(edge));
                }
            }
        }
        return false;
    }

    /** Whether one of the edge's letters matches something. */
    private static boolean isProductive(Dfa dfa, int edge, List<RuleCompiler.Call> calls, boolean[] isProductive) {
        if (dfa.low(edge) < RuleCompiler.FIRST_CALL) {
            return true;
        }
        for (int letter = dfa.low(edge); letter <= dfa.high(edge); letter++) {
            if (isProductive[calls.get(letter - RuleCompiler.FIRST_CALL).rule()]) {
                return true;
            }
        }
        return false;
    }

    /** Whether each rule that it calls matches something. */
    private static boolean callsOnly(Dfa dfa, List<RuleCompiler.Call> calls, boolean[] isProductive) {
        for (int edge = 0; edge < dfa.numEdges(); edge++) {
            for (int letter = Math.max(dfa.low(edge), RuleCompiler.FIRST_CALL); letter <= dfa.high(edge); letter++) {
                if (!isProductive[calls.get(letter - RuleCompiler.FIRST_CALL).rule()]) {
                    return false;
                }
            }
        }
        return true;
    }

    private static Dfa productiveEdges(Dfa dfa, List<RuleCompiler.Call> calls, boolean[] isProductive) {
        Dfa.Builder builder = new Dfa.Builder();
        for (int state = 0; state < dfa.numStates(); state++) {
            builder.addState(dfa.isAccepting(state));
            for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
                if (dfa.high(edge) < RuleCompiler.FIRST_CALL) {
                    builder.addEdge(dfa.low(edge), dfa.high(edge), dfa.target(edge));
                    continue;
                }
                for (int letter = dfa.low(edge); letter <= dfa.high(edge); letter++) {
                    boolean isByte = letter < RuleCompiler.FIRST_CALL;
                    if (isByte
                            || isProductive[
                                    calls.get(letter - RuleCompiler.FIRST_CALL).rule()]) {
                        builder.addEdge(letter, letter, dfa.target(edge));
                    }
                }
            }
        }
        return builder.build();
    }

    /** Numbers rules so that one that begins with another comes before it. */
    private int[] rank(List<Dfa> automata, List<RuleCompiler.Call> calls) {
        int numRules = automata.size();
        int[] rank = new int[numRules];
        int[] phase = new int[numRules];
        int[][] first = new int[numRules][];
        int next = numRules;
        int[] at = new int[numRules + 1];
        IntList path = new IntList();
        for (int origin = 0; origin < numRules; origin++) {
            int depth = 0;
            if (phase[origin] == NEW) {
                path.clear();
                path.add(origin);
                depth = 1;
            }
            while (depth > 0) {
                int rule = path.get(depth - 1);
                if (phase[rule] == NEW) {
                    phase[rule] = OPEN;
                    first[rule] = firstCalled(automata.get(rule), calls);
                    at[depth] = 0;
                }
                if (at[depth] == first[rule].length) {
                    phase[rule] = DONE;
                    rank[rule] = --next;
                    depth--;
                    continue;
                }
                int called = first[rule][at[depth]++];
                if (phase[called] == OPEN) {
                    throw new GrammarException("left recursion: rule " + nameOf(called)
                            + " can begin with itself; write it as a repetition");
                }
                if (phase[called] == NEW) {
                    depth++;
                    if (path.size() < depth) {
                        path.add(called);
                    } else {
                        path.set(depth - 1, called);
                    }
                }
            }
        }
        return rank;
    }

    private String nameOf(int rule) {
        return rule < names.size() ? names.get(rule) : "of a repetition";
    }

    private static int[] firstCalled(Dfa dfa, List<RuleCompiler.Call> calls) {
        IntList called = new IntList();
        for (int edge = dfa.firstEdge(0); edge < dfa.endEdge(0); edge++) {
            for (int letter = Math.max(dfa.low(edge), RuleCompiler.FIRST_CALL); letter <= dfa.high(edge); letter++) {
                called.add(calls.get(letter - RuleCompiler.FIRST_CALL).rule());
            }
        }
        int[] sorted = called.toArray();
        Arrays.sort(sorted);
        return sorted;
    }
}
