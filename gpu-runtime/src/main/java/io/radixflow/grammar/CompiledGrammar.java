package io.radixflow.grammar;

import java.util.Arrays;
import java.util.List;

/**
 * A grammar as one automaton per rule, whose letters are bytes and calls of rules: finite where the grammar is regular, with a stack where rules
 * call. States are numbered through all rules. Every state can still come to an end, so a text that has not failed is the
 * beginning of a match. Immutable, for any thread.
 */
public final class CompiledGrammar {

    static final int UNBOUNDED = Expr.UNBOUNDED;

    private final Dfa[] automata;
    private final int[] firstState; // [numRules + 1]
    private final int[] ruleOf; // [numStates]
    private final int[] rank; // [numRules] a rule that begins with another has the lower one
    private final int[] ruleOfRank;
    private final int[] callRule;
    private final int[] callMin;
    private final int[] callMax;
    private final boolean[] isClosed; // [numRules] calls nothing
    private final int[] byteClass = new int[256];
    private final int[] classByte; // a byte of each class
    private final int root;
    private final boolean acceptsEmpty;

    CompiledGrammar(List<Dfa> automata, List<RuleCompiler.Call> calls, int[] rank, int root, boolean acceptsEmpty) {
        this.automata = automata.toArray(Dfa[]::new);
        this.rank = rank;
        this.root = root;
        ruleOfRank = new int[rank.length];
        for (int rule = 0; rule < rank.length; rule++) {
            ruleOfRank[rank[rule]] = rule;
        }
        this.acceptsEmpty = acceptsEmpty;
        callRule = calls.stream().mapToInt(RuleCompiler.Call::rule).toArray();
        callMin = calls.stream().mapToInt(RuleCompiler.Call::min).toArray();
        callMax = calls.stream().mapToInt(RuleCompiler.Call::max).toArray();
        firstState = new int[this.automata.length + 1];
        isClosed = new boolean[this.automata.length];
        for (int rule = 0; rule < this.automata.length; rule++) {
            firstState[rule + 1] = firstState[rule] + this.automata[rule].numStates();
        }
        ruleOf = new int[firstState[this.automata.length]];
        boolean[] isCut = new boolean[257];
        for (int rule = 0; rule < this.automata.length; rule++) {
            Arrays.fill(ruleOf, firstState[rule], firstState[rule + 1], rule);
            isClosed[rule] = cutBytes(this.automata[rule], isCut);
        }
        IntList bytes = new IntList();
        for (int value = 0; value < 256; value++) {
            if (value == 0 || isCut[value]) {
                bytes.add(value);
            }
            byteClass[value] = bytes.size() - 1;
        }
        classByte = bytes.toArray();
    }

    /** Marks where bytes begin to be told apart; returns whether there are no calls. */
    private static boolean cutBytes(Dfa dfa, boolean[] isCut) {
        boolean isClosed = true;
        for (int edge = 0; edge < dfa.numEdges(); edge++) {
            if (dfa.low(edge) < RuleCompiler.FIRST_CALL) {
                isCut[dfa.low(edge)] = true;
                isCut[Math.min(dfa.high(edge) + 1, 256)] = true;
            }
            isClosed &= dfa.high(edge) < RuleCompiler.FIRST_CALL;
        }
        return isClosed;
    }

    /** States of all rules together. */
    public int numStates() {
        return ruleOf.length;
    }

    int numRules() {
        return automata.length;
    }

    boolean acceptsEmpty() {
        return acceptsEmpty;
    }

    boolean isEmptyOnly() {
        return automata[root].isEmpty();
    }

    int startOf(int rule) {
        return firstState[rule];
    }

    int root() {
        return root;
    }

    int rank(int rule) {
        return rank[rule];
    }

    int ruleOfRank(int place) {
        return ruleOfRank[place];
    }

    int ruleOf(int state) {
        return ruleOf[state];
    }

    Dfa automaton(int rule) {
        return automata[rule];
    }

    boolean isClosed(int rule) {
        return isClosed[rule];
    }

    boolean isAccepting(int state) {
        return automata[ruleOf[state]].isAccepting(state - firstState[ruleOf[state]]);
    }

    /** The state after a letter, or {@link Dfa#NONE}. */
    int next(int state, int letter) {
        int rule = ruleOf[state];
        int local = automata[rule].next(state - firstState[rule], letter);
        return local == Dfa.NONE ? Dfa.NONE : local + firstState[rule];
    }

    int callRule(int call) {
        return callRule[call];
    }

    int callMin(int call) {
        return callMin[call];
    }

    int callMax(int call) {
        return callMax[call];
    }

    /** Bytes of a class are never told apart. */
    int byteClass(int value) {
        return byteClass[value];
    }

    int numByteClasses() {
        return classByte.length;
    }

    int classByte(int byteClass) {
        return classByte[byteClass];
    }
}
