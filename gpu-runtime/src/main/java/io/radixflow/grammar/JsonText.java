package io.radixflow.grammar;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** The parts of JSON's own grammar that schemas share: space, strings, numbers, any value. Each rule is written when first asked for. */
final class JsonText {

    private static final String INTEGER = "-?(0|[1-9][0-9]*)";
    private static final String NUMBER = INTEGER + "(\\.[0-9]+)?([eE][+-]?[0-9]{1,2})?";

    /** Strings of at least so many characters have them in their own rule's states. */
    private static final int MAX_UNROLLED_MIN = 16;

    private final Rules rules;
    private final Budget budget;
    private final Expr space;
    private final Map<String, Integer> known = new HashMap<>();
    private final Map<Dfa, Expr> quoted = new HashMap<>();

    JsonText(Rules rules, Budget budget, String spacePattern) {
        this.rules = rules;
        this.budget = budget;
        Dfa dfa = RegexCompiler.wholeText(spacePattern, budget);
        Dfa spaces = RegexCompiler.wholeText("[ \\t\\n\\r]*", budget);
        if (!DfaOps.minus(dfa, spaces, budget).isEmpty()) {
            throw new GrammarException(
                    "the pattern of JSON's white space must match spaces, tabs and newlines only, got " + spacePattern);
        }
        space = new Expr.Automaton(Utf8.encode(dfa, budget));
    }

    Expr space() {
        return space;
    }

    Expr matching(String regex) {
        return new Expr.Automaton(Utf8.encode(RegexCompiler.wholeText(regex, budget), budget));
    }

    Expr anyString() {
        return rule("string", () -> quotedBody(RegexCompiler.anyText(budget)));
    }

    Expr anyNumber() {
        return rule("number", () -> matching(NUMBER));
    }

    Expr anyInteger() {
        return rule("integer", () -> matching(INTEGER));
    }

    Expr anyObject() {
        return rule("object", () -> {
            Expr member = Expr.sequence(anyString(), space, Expr.text(":"), space, anyValue(), space);
            return bracketed("{", member, "}");
        });
    }

    Expr anyArray() {
        return rule("array", () -> bracketed("[", Expr.sequence(anyValue(), space), "]"));
    }

    Expr anyValue() {
        return rule(
                "value",
                () -> Expr.choice(
                        anyObject(),
                        anyArray(),
                        anyString(),
                        anyNumber(),
                        Expr.text("true"),
                        Expr.text("false"),
                        Expr.text("null")));
    }

    private Expr bracketed(String open, Expr member, String close) {
        Expr more = new Expr.Repeat(Expr.sequence(Expr.text(","), space, member), 0, Expr.UNBOUNDED);
        return Expr.sequence(Expr.text(open), space, Expr.optional(Expr.sequence(member, more)), Expr.text(close));
    }

    /** A string of {@code [min, max]} code points. */
    Expr stringOfLength(int min, int max) {
        if (min == 0 && max == Expr.UNBOUNDED) {
            return anyString();
        }
        return rule("string" + min + "to" + max, () -> {
            if (max == Expr.UNBOUNDED && min <= MAX_UNROLLED_MIN) {
                return quotedBody(lengths(min, max));
            }
            Expr character = rule("character", () -> new Expr.Automaton(escaped(lengths(1, 1))));
            int number = ((Expr.Reference) character).rule();
            return Expr.sequence(Expr.text("\""), new Expr.Counted(number, min, max), Expr.text("\""));
        });
    }

    /** Texts of {@code [min, max]} code points. */
    Dfa lengths(int min, int max) {
        return RegexCompiler.wholeEcmaText("[^]{" + min + "," + (max == Expr.UNBOUNDED ? "" : max) + "}", budget);
    }

    /** The strings whose texts the automaton accepts, in every spelling. */
    Expr quoted(Dfa text) {
        return quoted.computeIfAbsent(text, t -> new Expr.Reference(rules.add("pattern", quotedBody(t))));
    }

    private Expr quotedBody(Dfa text) {
        return Expr.sequence(Expr.text("\""), new Expr.Automaton(escaped(text)), Expr.text("\""));
    }

    private Dfa escaped(Dfa text) {
        return new JsonEscapes(budget).encode(text);
    }

    private Expr rule(String name, Supplier<Expr> body) {
        Integer rule = known.get(name);
        if (rule == null) {
            rule = rules.reserve(name);
            known.put(name, rule);
            rules.define(rule, body.get());
        }
        return new Expr.Reference(rule);
    }
}
