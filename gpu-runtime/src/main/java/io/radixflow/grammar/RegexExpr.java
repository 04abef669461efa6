package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * Regular expressions without assertions as parts of a grammar, so that their long repetitions are counted instead of taking a state each.
 */
final class RegexExpr {

    /** Longer repetitions are counted. */
    private static final int MAX_UNROLLED = 16;

    private final Rules rules;
    private final Budget budget;

    private RegexExpr(Rules rules, Budget budget) {
        this.rules = rules;
        this.budget = budget;
    }

    /** Texts that match as a whole, by Python's rules. */
    static Expr wholeText(String pattern, Rules rules, Budget budget) {
        Regex regex = RegexParser.parse(pattern, true);
        if (hasAssertion(regex)) {
            return new Expr.Automaton(Utf8.encode(RegexCompiler.wholeText(pattern, budget), budget));
        }
        return new RegexExpr(rules, budget).write(regex);
    }

    private static boolean hasAssertion(Regex regex) {
        if (regex instanceof Regex.Sequence sequence) {
            return sequence.parts().stream().anyMatch(RegexExpr::hasAssertion);
        } else if (regex instanceof Regex.Choice choice) {
            return choice.options().stream().anyMatch(RegexExpr::hasAssertion);
        } else if (regex instanceof Regex.Repeat repeat) {
            return hasAssertion(repeat.body());
        }
        return !(regex instanceof Regex.OneOf);
    }

    private Expr write(Regex regex) {
        budget.spend(1);
        if (regex instanceof Regex.OneOf oneOf) {
            return new Expr.Automaton(Utf8.oneOf(oneOf.set(), budget));
        } else if (regex instanceof Regex.Sequence sequence) {
            return new Expr.Sequence(all(sequence.parts()));
        } else if (regex instanceof Regex.Choice choice) {
            return new Expr.Choice(all(choice.options()));
        }
        Regex.Repeat repeat = (Regex.Repeat) regex;
        Expr body = write(repeat.body());
        boolean isLong =
                repeat.min() > MAX_UNROLLED || (repeat.max() > MAX_UNROLLED && repeat.max() != Regex.UNBOUNDED);
        if (isLong && repeat.body() instanceof Regex.OneOf) {
            return new Expr.Counted(rules.add("of a repetition", body), repeat.min(), repeat.max());
        }
        return new Expr.Repeat(body, repeat.min(), repeat.max());
    }

    private List<Expr> all(List<Regex> parts) {
        List<Expr> written = new ArrayList<>();
        parts.forEach(part -> written.add(write(part)));
        return written;
    }
}
