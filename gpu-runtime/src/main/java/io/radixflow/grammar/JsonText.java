package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.engine.JsonStyle;
import io.radixflow.grammar.ObjectMembers.Member;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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
    private final boolean isAnyOrder;
    private final Map<String, Integer> known = new HashMap<>();
    private final Map<Dfa, Expr> quoted = new HashMap<>();

    JsonText(Rules rules, Budget budget, JsonStyle style) {
        this.rules = rules;
        this.budget = budget;
        isAnyOrder = style.isAnyOrder();
        space = new Expr.Automaton(Utf8.encode(space(style.spacePattern(), budget), budget));
    }

    private static Dfa space(String pattern, Budget budget) {
        Dfa wanted;
        try {
            wanted = RegexCompiler.wholeText(pattern, budget);
        } catch (GrammarException e) {
            throw new GrammarException("the pattern of JSON's white space: " + e.getMessage());
        }
        Dfa spaces = RegexCompiler.wholeText("[ \\t\\n\\r]*", budget);
        if (wanted.isEmpty() || !DfaOps.minus(wanted, spaces, budget).isEmpty()) {
            throw new GrammarException("the pattern of JSON's white space must match spaces, tabs and newlines"
                    + " (as [ \\t\\n\\r] does) and nothing else, got " + pattern);
        }
        return wanted;
    }

    Expr space() {
        return space;
    }

    /** Between two members of an object or array. */
    Expr comma() {
        return Expr.sequence(Expr.text(","), space);
    }

    boolean isAnyOrder() {
        return isAnyOrder;
    }

    /** The way to write a value that literals of a grammar take. */
    Expr spelled(JsonNode value) {
        if (value.isTextual()) {
            return Expr.text(JsonValues.quoted(value.textValue()));
        } else if (value.isNumber()) {
            return Expr.text(JsonValues.number(value).toPlainString());
        } else if (value.isObject() && isAnyOrder) {
            List<Member> members = new ArrayList<>();
            value.fields().forEachRemaining(field -> members.add(new Member(member(field), true)));
            Expr object = new AnyOrder(rules, comma())
                    .write(new ObjectMembers(members, null, 0, Expr.UNBOUNDED, " in an enum or const"));
            return Expr.sequence(Expr.text("{"), space, object, Expr.text("}"));
        } else if (!value.isContainerNode()) {
            return Expr.text(value.toString());
        }
        List<Expr> members = new ArrayList<>();
        value.fields().forEachRemaining(field -> members.add(member(field)));
        if (value.isArray()) {
            value.forEach(element -> members.add(Expr.sequence(spelled(element), space)));
        }
        List<Expr> parts = new ArrayList<>();
        parts.add(Expr.sequence(Expr.text(value.isArray() ? "[" : "{"), space));
        for (int i = 0; i < members.size(); i++) {
            parts.add(i == 0 ? members.get(i) : Expr.sequence(comma(), members.get(i)));
        }
        parts.add(Expr.text(value.isArray() ? "]" : "}"));
        return new Expr.Sequence(parts);
    }

    private Expr member(Map.Entry<String, JsonNode> field) {
        Expr name = Expr.text(JsonValues.quoted(field.getKey()));
        return Expr.sequence(name, space, Expr.text(":"), space, spelled(field.getValue()), space);
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
        Expr more = new Expr.Repeat(Expr.sequence(comma(), member), 0, Expr.UNBOUNDED);
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
        return new Expr.Automaton(JsonEscapes.quoted(escaped(text)));
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
