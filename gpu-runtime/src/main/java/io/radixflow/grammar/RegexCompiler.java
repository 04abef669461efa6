package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.List;

/** Regular expressions to automata over code points. Lookahead is intersected with what follows it, so it must stand outside of groups. */
final class RegexCompiler {

    private static final Regex ANYTHING = new Regex.Repeat(new Regex.OneOf(CodePointSet.ALL), 0, Regex.UNBOUNDED);

    private final String pattern;
    private final Budget budget;

    private RegexCompiler(String pattern, Budget budget) {
        this.pattern = pattern;
        this.budget = budget;
    }

    /** Texts that match as a whole, by Python's rules. */
    static Dfa wholeText(String pattern, Budget budget) {
        return new RegexCompiler(pattern, budget).compile(RegexParser.parse(pattern, true), false);
    }

    /** Texts that match as a whole, by ECMA-262's rules. */
    static Dfa wholeEcmaText(String pattern, Budget budget) {
        return new RegexCompiler(pattern, budget).compile(RegexParser.parse(pattern, false), false);
    }

    /** Texts in which the pattern matches somewhere, by ECMA-262's rules. */
    static Dfa anywhere(String pattern, Budget budget) {
        return new RegexCompiler(pattern, budget).compile(RegexParser.parse(pattern, false), true);
    }

    /** All texts. */
    static Dfa anyText(Budget budget) {
        return new RegexCompiler("", budget).plain(List.of(ANYTHING));
    }

    private Dfa compile(Regex regex, boolean isSearch) {
        List<Regex> options = regex instanceof Regex.Choice choice ? choice.options() : List.of(regex);
        Dfa all = null;
        List<Regex> simple = new ArrayList<>();
        for (Regex option : options) {
            if (!hasAhead(option)) {
                simple.add(option);
                continue;
            }
            Dfa dfa = tail(framed(option, isSearch), 0);
            all = all == null ? dfa : DfaOps.union(all, dfa, budget);
        }
        if (all == null || !simple.isEmpty()) {
            Dfa dfa = plain(framed(new Regex.Choice(simple), isSearch));
            all = all == null ? dfa : DfaOps.union(all, dfa, budget);
        }
        return all;
    }

    private static List<Regex> framed(Regex option, boolean isSearch) {
        List<Regex> parts = new ArrayList<>();
        if (isSearch) {
            parts.add(ANYTHING);
        }
        if (option instanceof Regex.Sequence sequence) {
            parts.addAll(sequence.parts());
        } else {
            parts.add(option);
        }
        if (isSearch) {
            parts.add(ANYTHING);
        }
        return parts;
    }

    private boolean hasAhead(Regex regex) {
        if (regex instanceof Regex.Sequence sequence) {
            return sequence.parts().stream().anyMatch(this::hasAhead);
        } else if (regex instanceof Regex.Choice choice) {
            return choice.options().stream().anyMatch(this::hasAhead);
        } else if (regex instanceof Regex.Repeat repeat) {
            return hasAhead(repeat.body());
        }
        return regex instanceof Regex.Ahead;
    }

    private Dfa tail(List<Regex> parts, int from) {
        int ahead = from;
        while (ahead < parts.size() && !(parts.get(ahead) instanceof Regex.Ahead)) {
            ahead++;
        }
        if (ahead == parts.size()) {
            return plain(parts.subList(from, ahead));
        }
        Regex.Ahead look = (Regex.Ahead) parts.get(ahead);
        Dfa rest = tail(parts, ahead + 1);
        if (hasBegin(look.body())
                || parts.subList(ahead + 1, parts.size()).stream().anyMatch(this::hasBegin)) {
            throw new GrammarException("regex: ^ in or behind a lookahead is not supported in " + pattern);
        }
        Dfa seen = plain(List.of(look.body(), ANYTHING));
        Dfa both = look.isNegative() ? DfaOps.minus(rest, seen, budget) : DfaOps.intersect(rest, seen, budget);
        Nfa nfa = new Nfa(budget);
        int start = nfa.addState();
        int accept = nfa.addState();
        int middle = build(nfa, parts.subList(from, ahead), start);
        nfa.embed(both, middle, accept);
        return nfa.determinize(start, accept);
    }

    private boolean hasBegin(Regex regex) {
        if (regex instanceof Regex.Sequence sequence) {
            return sequence.parts().stream().anyMatch(this::hasBegin);
        } else if (regex instanceof Regex.Choice choice) {
            return choice.options().stream().anyMatch(this::hasBegin);
        } else if (regex instanceof Regex.Repeat repeat) {
            return hasBegin(repeat.body());
        }
        return regex instanceof Regex.Begin;
    }

    private Dfa plain(List<Regex> parts) {
        Nfa nfa = new Nfa(budget);
        int start = nfa.addState();
        int end = build(nfa, parts, start);
        int accept = nfa.addState();
        nfa.addEpsilon(end, accept);
        return nfa.determinize(start, accept);
    }

    private int build(Nfa nfa, List<Regex> parts, int from) {
        int state = from;
        for (Regex part : parts) {
            int next = nfa.addState();
            build(nfa, part, state, next);
            state = next;
        }
        return state;
    }

    private void build(Nfa nfa, Regex regex, int from, int to) {
        if (regex instanceof Regex.OneOf oneOf) {
            for (CodePointSet.Range range : oneOf.set().ranges()) {
                nfa.addEdge(from, range.low(), range.high(), to);
            }
        } else if (regex instanceof Regex.Sequence sequence) {
            nfa.addEpsilon(build(nfa, sequence.parts(), from), to);
        } else if (regex instanceof Regex.Choice choice) {
            for (Regex option : choice.options()) {
                build(nfa, option, from, to);
            }
        } else if (regex instanceof Regex.Repeat repeat) {
            buildRepeat(nfa, repeat, from, to);
        } else if (regex instanceof Regex.Begin) {
            nfa.addAtBegin(from, to);
        } else if (regex instanceof Regex.End) {
            nfa.addAtEnd(from, to);
        } else {
            throw new GrammarException("regex: lookahead inside of a group is not supported in " + pattern);
        }
    }

    private void buildRepeat(Nfa nfa, Regex.Repeat repeat, int from, int to) {
        nfa.addRepeat(repeat.min(), repeat.max(), from, to, (start, end) -> build(nfa, repeat.body(), start, end));
    }
}
