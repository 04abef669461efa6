package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns the bodies of rules into automata whose letters are bytes and, from {@link #FIRST_CALL} on, calls of rules. A call reads at least one
 * byte: where the rule matches nothing, the caller may pass it by. Not thread-safe.
 */
final class RuleCompiler {

    static final int FIRST_CALL = 256;

    /** Repetitions that take more states than this are counted at run time. */
    private static final int MAX_EXPANSION = 512;

    /** One way to call a rule; {@code min} is at least 1. */
    record Call(int rule, int min, int max) {}

    private final List<Expr> bodies;
    private final Budget budget;
    private final List<Boolean> isNullable = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();
    private final Map<Call, Integer> callNumber = new HashMap<>();

    RuleCompiler(List<Expr> bodies, Budget budget) {
        this.bodies = new ArrayList<>(bodies);
        this.budget = budget;
        findNullable();
    }

    List<Call> calls() {
        return calls;
    }

    boolean isNullable(int rule) {
        return isNullable.get(rule);
    }

    /** One automaton for each rule, those added on the way included; none accepts the empty text. */
    List<Dfa> compile() {
        List<Dfa> compiled = new ArrayList<>();
        for (int rule = 0; rule < bodies.size(); rule++) {
            compiled.add(withoutEmpty(compile(bodies.get(rule))));
        }
        return compiled;
    }

    private Dfa compile(Expr body) {
        if (body instanceof Expr.Automaton automaton) {
            return automaton.dfa(); // minimal already
        }
        Nfa nfa = new Nfa(budget);
        int start = nfa.addState();
        int accept = nfa.addState();
        build(nfa, body, start, accept);
        return nfa.determinize(start, accept);
    }

    private Dfa withoutEmpty(Dfa dfa) {
        if (!dfa.isAccepting(0)) {
            return dfa;
        }
        // A start of its own, since the old one may be come back to.
        Dfa.Builder builder = new Dfa.Builder();
        builder.addState(false);
        for (int edge = dfa.firstEdge(0); edge < dfa.endEdge(0); edge++) {
            builder.addEdge(dfa.low(edge), dfa.high(edge), dfa.target(edge) + 1);
        }
        for (int state = 0; state < dfa.numStates(); state++) {
            builder.addState(dfa.isAccepting(state));
            for (int edge = dfa.firstEdge(state); edge < dfa.endEdge(state); edge++) {
                builder.addEdge(dfa.low(edge), dfa.high(edge), dfa.target(edge) + 1);
            }
        }
        return DfaOps.minimize(builder.build(), budget);
    }

    private void findNullable() {
        for (int rule = 0; rule < bodies.size(); rule++) {
            isNullable.add(false);
        }
        boolean isChanged = true;
        while (isChanged) {
            isChanged = false;
            budget.spend(bodies.size());
            for (int rule = 0; rule < bodies.size(); rule++) {
                if (!isNullable.get(rule) && isNullable(bodies.get(rule))) {
                    isNullable.set(rule, true);
                    isChanged = true;
                }
            }
        }
    }

    private boolean isNullable(Expr expr) {
        budget.spend(1);
        if (expr instanceof Expr.Literal literal) {
            return literal.bytes().length == 0;
        } else if (expr instanceof Expr.Sequence sequence) {
            return sequence.parts().stream().allMatch(this::isNullable);
        } else if (expr instanceof Expr.Choice choice) {
            return choice.options().stream().anyMatch(this::isNullable);
        } else if (expr instanceof Expr.Repeat repeat) {
            return repeat.min() == 0 || isNullable(repeat.body());
        } else if (expr instanceof Expr.Reference reference) {
            return isNullable.get(reference.rule());
        } else if (expr instanceof Expr.Counted counted) {
            return counted.min() == 0 || isNullable.get(counted.rule());
        } else if (expr instanceof Expr.Automaton automaton) {
            return automaton.dfa().isAccepting(0);
        }
        return isNullable((Expr.Network) expr);
    }

    private boolean isNullable(Expr.Network network) {
        boolean[] isReached = new boolean[network.numStates()];
        isReached[0] = true;
        boolean isChanged = true;
        while (isChanged) {
            isChanged = false;
            for (Expr.Edge edge : network.edges()) {
                if (isReached[edge.from()] && !isReached[edge.to()] && isNullable(edge.label())) {
                    isReached[edge.to()] = true;
                    isChanged = true;
                }
            }
        }
        return isReached[network.numStates() - 1];
    }

    private void build(Nfa nfa, Expr expr, int from, int to) {
        if (expr instanceof Expr.Literal literal) {
            buildLiteral(nfa, literal.bytes(), from, to);
        } else if (expr instanceof Expr.Sequence sequence) {
            buildSequence(nfa, sequence.parts(), from, to);
        } else if (expr instanceof Expr.Choice choice) {
            for (Expr option : choice.options()) {
                build(nfa, option, from, to);
            }
        } else if (expr instanceof Expr.Repeat repeat) {
            buildRepeat(nfa, repeat, from, to);
        } else if (expr instanceof Expr.Reference reference) {
            buildCall(nfa, new Expr.Counted(reference.rule(), 1, 1), from, to);
        } else if (expr instanceof Expr.Counted counted) {
            buildCall(nfa, counted, from, to);
        } else if (expr instanceof Expr.Automaton automaton) {
            nfa.embed(automaton.dfa(), from, to);
        } else if (expr instanceof Expr.Network network) {
            int[] states = new int[network.numStates()];
            for (int i = 0; i < states.length; i++) {
                states[i] = nfa.addState();
            }
            nfa.addEpsilon(from, states[0]);
            nfa.addEpsilon(states[states.length - 1], to);
            for (Expr.Edge edge : network.edges()) {
                build(nfa, edge.label(), states[edge.from()], states[edge.to()]);
            }
        }
    }

    private static void buildLiteral(Nfa nfa, byte[] bytes, int from, int to) {
        int state = from;
        for (int i = 0; i < bytes.length; i++) {
            int next = i == bytes.length - 1 ? to : nfa.addState();
            nfa.addEdge(state, bytes[i] & 0xFF, bytes[i] & 0xFF, next);
            state = next;
        }
        if (bytes.length == 0) {
            nfa.addEpsilon(from, to);
        }
    }

    private void buildSequence(Nfa nfa, List<Expr> parts, int from, int to) {
        int state = from;
        for (Expr part : parts) {
            int next = nfa.addState();
            build(nfa, part, state, next);
            state = next;
        }
        nfa.addEpsilon(state, to);
    }

    private void buildRepeat(Nfa nfa, Expr.Repeat repeat, int from, int to) {
        int copies = repeat.max() == Expr.UNBOUNDED ? repeat.min() : repeat.max();
        if (copies > 1 && (long) copies * size(repeat.body()) > MAX_EXPANSION) {
            buildCall(nfa, new Expr.Counted(ruleOf(repeat.body()), repeat.min(), repeat.max()), from, to);
            return;
        }
        nfa.addRepeat(repeat.min(), repeat.max(), from, to, (start, end) -> build(nfa, repeat.body(), start, end));
    }

    private int ruleOf(Expr body) {
        if (body instanceof Expr.Reference reference) {
            return reference.rule();
        }
        bodies.add(body);
        isNullable.add(isNullable(body));
        budget.checkStates(bodies.size());
        return bodies.size() - 1;
    }

    private void buildCall(Nfa nfa, Expr.Counted counted, int from, int to) {
        boolean mayBeEmpty = isNullable.get(counted.rule());
        if (counted.min() == 0 || mayBeEmpty) {
            nfa.addEpsilon(from, to);
        }
        if (counted.max() == 0) {
            return;
        }
        Call call = new Call(counted.rule(), mayBeEmpty ? 1 : Math.max(1, counted.min()), counted.max());
        Integer fresh = calls.size();
        Integer known = callNumber.putIfAbsent(call, fresh);
        if (known == null) {
            calls.add(call);
        }
        int letter = FIRST_CALL + (known == null ? fresh : known);
        nfa.addEdge(from, letter, letter, to);
    }

    /** About how many states it takes. */
    private static long size(Expr expr) {
        if (expr instanceof Expr.Literal literal) {
            return literal.bytes().length;
        } else if (expr instanceof Expr.Sequence sequence) {
            return sequence.parts().stream().mapToLong(RuleCompiler::size).sum();
        } else if (expr instanceof Expr.Choice choice) {
            return choice.options().stream().mapToLong(RuleCompiler::size).sum();
        } else if (expr instanceof Expr.Repeat repeat) {
            int copies = repeat.max() == Expr.UNBOUNDED ? Math.max(1, repeat.min()) : repeat.max();
            return Math.min(MAX_EXPANSION, copies * size(repeat.body()));
        } else if (expr instanceof Expr.Automaton automaton) {
            return automaton.dfa().numStates();
        } else if (expr instanceof Expr.Network network) {
            return network.edges().stream()
                    .mapToLong(edge -> size(edge.label()))
                    .sum();
        }
        return 1;
    }
}
