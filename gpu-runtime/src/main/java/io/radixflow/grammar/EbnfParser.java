package io.radixflow.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads grammars in the notation of GBNF, which SGLang's {@code ebnf} shares: {@code name ::= ...}, with literals in quotes, classes in brackets,
 * {@code .}, groups, {@code |}, the repetitions {@code * + ? {m,n}}, and comments behind {@code #}. The rule {@code root} is the whole text.
 */
final class EbnfParser {

    private static final int MAX_CHARS = 1 << 20;
    private static final int MAX_DEPTH = 200;
    private static final int MAX_BOUND = 1_000_000;

    private final String text;
    private final Rules rules;
    private final Budget budget;
    private final Map<String, Integer> ruleOf = new LinkedHashMap<>();
    private final Map<String, Integer> usedAt = new HashMap<>(); // where a name first came up
    private final Map<String, Boolean> isDefined = new HashMap<>();
    private int at;
    private int depth;

    private EbnfParser(String text, Rules rules, Budget budget) {
        this.text = text;
        this.rules = rules;
        this.budget = budget;
    }

    /** @throws GrammarException with the line, if it can't be read or lacks a rule */
    static Expr parse(String text, Rules rules, Budget budget) {
        if (text.length() > MAX_CHARS) {
            throw new GrammarException("ebnf: longer than " + MAX_CHARS + " characters");
        }
        EbnfParser parser = new EbnfParser(text, rules, budget);
        parser.skipSpace();
        while (parser.at < text.length()) {
            parser.rule();
        }
        parser.ruleOf.keySet().forEach(name -> {
            if (!parser.isDefined.containsKey(name)) {
                parser.at = parser.usedAt.getOrDefault(name, 0);
                throw parser.error("rule " + name + " is not defined");
            }
        });
        if (!parser.isDefined.containsKey("root")) {
            throw new GrammarException("ebnf: there is no rule root");
        }
        return parser.reference("root");
    }

    private GrammarException error(String what) {
        long line = 1
                + text.substring(0, Math.min(at, text.length()))
                        .chars()
                        .filter(c -> c == '\n')
                        .count();
        return new GrammarException("ebnf: " + what + " in line " + line);
    }

    private void skipSpace() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end;
            } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                at++;
            } else {
                return;
            }
        }
    }

    private boolean skip(String expected) {
        boolean isNext = text.startsWith(expected, at);
        if (isNext) {
            at += expected.length();
            skipSpace();
        }
        return isNext;
    }

    private static boolean isNameStart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }

    private static boolean isNamePart(char c) {
        return isNameStart(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
    }

    private String name() {
        int start = at;
        if (at == text.length() || !isNameStart(text.charAt(at))) {
            throw error("a rule's name is missing");
        }
        while (at < text.length() && isNamePart(text.charAt(at))) {
            at++;
        }
        String name = text.substring(start, at);
        skipSpace();
        return name;
    }

    private void rule() {
        int start = at;
        String name = name();
        if (!skip("::=")) {
            throw error("::= is missing behind " + name);
        }
        if (isDefined.put(name, true) != null) {
            at = start;
            throw error("rule " + name + " is defined twice");
        }
        Expr.Reference rule = (Expr.Reference) reference(name);
        rules.define(rule.rule(), choice());
        if (at < text.length() && !isRuleNext()) {
            throw error("'" + text.charAt(at) + "' is unexpected");
        }
    }

    private Expr reference(String name) {
        usedAt.putIfAbsent(name, at);
        Integer rule = ruleOf.get(name);
        if (rule == null) {
            rule = rules.reserve(name);
            ruleOf.put(name, rule);
        }
        return new Expr.Reference(rule);
    }

    private Expr choice() {
        if (++depth > MAX_DEPTH) {
            throw error("groups nest deeper than " + MAX_DEPTH);
        }
        List<Expr> options = new ArrayList<>();
        options.add(sequence());
        while (skip("|")) {
            options.add(sequence());
        }
        depth--;
        return options.size() == 1 ? options.get(0) : new Expr.Choice(options);
    }

    private Expr sequence() {
        List<Expr> parts = new ArrayList<>();
        while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')' && !isRuleNext()) {
            budget.spend(1);
            parts.add(repeated(item()));
        }
        return new Expr.Sequence(parts);
    }

    /** Whether a name and ::= follow, which end the rule before. */
    private boolean isRuleNext() {
        if (!isNameStart(text.charAt(at))) {
            return false;
        }
        int before = at;
        name();
        boolean isRule = text.startsWith("::=", at);
        at = before;
        return isRule;
    }

    private Expr item() {
        char c = text.charAt(at);
        if (c == '"') {
            return literal();
        } else if (c == '[') {
            return characterClass();
        } else if (skip(".")) {
            return oneOf(CodePointSet.ALL);
        } else if (skip("(")) {
            Expr inside = choice();
            if (!skip(")")) {
                throw error(") is missing");
            }
            return inside;
        } else if (isNameStart(c)) {
            int before = at;
            String name = name();
            usedAt.putIfAbsent(name, before);
            return reference(name);
        }
        throw error("'" + c + "' is unexpected");
    }

    private Expr repeated(Expr item) {
        Expr expr = item;
        while (at < text.length()) {
            if (skip("*")) {
                expr = new Expr.Repeat(expr, 0, Expr.UNBOUNDED);
            } else if (skip("+")) {
                expr = new Expr.Repeat(expr, 1, Expr.UNBOUNDED);
            } else if (skip("?")) {
                expr = Expr.optional(expr);
            } else if (skip("{")) {
                int min = bound(0);
                int max = skip(",") ? bound(Expr.UNBOUNDED) : min;
                if (!skip("}")) {
                    throw error("} is missing");
                } else if (min > max) {
                    throw error("bounds are out of order");
                }
                expr = new Expr.Repeat(expr, min, max);
            } else {
                break;
            }
        }
        return expr;
    }

    private int bound(int ifAbsent) {
        int start = at;
        while (at < text.length() && Character.isDigit(text.charAt(at))) {
            at++;
        }
        String digits = text.substring(start, at);
        skipSpace();
        if (digits.isEmpty()) {
            return ifAbsent;
        } else if (digits.length() > 7 || Integer.parseInt(digits) > MAX_BOUND) {
            throw error("a bound is above " + MAX_BOUND);
        }
        return Integer.parseInt(digits);
    }

    private Expr literal() {
        at++;
        StringBuilder value = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"') {
            value.appendCodePoint(character());
        }
        if (at == text.length()) {
            throw error("a closing quote is missing");
        }
        at++;
        skipSpace();
        return new Expr.Literal(value.toString().getBytes(StandardCharsets.UTF_8));
    }

    private Expr characterClass() {
        at++;
        boolean isNegated = text.startsWith("^", at);
        at += isNegated ? 1 : 0;
        CodePointSet set = CodePointSet.range(1, 0);
        while (at < text.length() && text.charAt(at) != ']') {
            int low = character();
            int high = low;
            if (at + 1 < text.length() && text.charAt(at) == '-' && text.charAt(at + 1) != ']') {
                at++;
                high = character();
            }
            if (low > high) {
                throw error("a range is out of order");
            }
            set = set.union(CodePointSet.range(low, high));
        }
        if (at == text.length()) {
            throw error("] is missing");
        }
        at++;
        skipSpace();
        return oneOf(isNegated ? set.complement() : set);
    }

    private Expr oneOf(CodePointSet set) {
        return new Expr.Automaton(Utf8.oneOf(set, budget));
    }

    private int character() {
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        if (c != '\\') {
            return checked(c);
        } else if (at == text.length()) {
            throw error("a backslash stands at the end");
        }
        c = text.codePointAt(at);
        at += Character.charCount(c);
        return switch (c) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'f' -> '\f';
            case 'b' -> '\b';
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            case 'U' -> hex(8);
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    throw error("escape \\" + Character.toString(c) + " is not known");
                }
                yield checked(c);
            }
        };
    }

    private int hex(int digits) {
        if (at + digits > text.length() || !text.substring(at, at + digits).matches("[0-9A-Fa-f]+")) {
            throw error("an escape needs " + digits + " hexadecimal digits");
        }
        long value = Long.parseLong(text.substring(at, at + digits), 16);
        at += digits;
        if (value > Character.MAX_CODE_POINT) {
            throw error("an escape is beyond Unicode");
        }
        return checked((int) value);
    }

    private int checked(int c) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            throw error("a lone surrogate can't be written in UTF-8");
        }
        return c;
    }
}
