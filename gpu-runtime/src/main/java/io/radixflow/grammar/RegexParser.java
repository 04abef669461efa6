package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the regular expressions of ECMA-262 as JSON Schema's {@code pattern} uses them, and what Python's have in common with them.
 * What isn't regular, or depends on flags, is refused by name. Not thread-safe.
 */
final class RegexParser {

    /** Deepest nesting of groups. */
    private static final int MAX_DEPTH = 200;

    /** Longest pattern in UTF-16 units. */
    static final int MAX_CHARS = 1 << 20;

    private static final int[] NO_QUANTIFIER = {};

    private final String pattern;
    private final boolean isPython;
    private int at;
    private int depth;

    private RegexParser(String pattern, boolean isPython) {
        this.pattern = pattern;
        this.isPython = isPython;
    }

    /** @throws GrammarException if it is not well-formed, or not supported */
    static Regex parse(String pattern, boolean isPython) {
        if (pattern.length() > MAX_CHARS) {
            throw new GrammarException("regex: longer than " + MAX_CHARS + " characters");
        }
        RegexParser parser = new RegexParser(pattern, isPython);
        Regex regex = parser.choice();
        if (parser.at < pattern.length()) {
            throw parser.error("unbalanced )");
        }
        return regex;
    }

    private GrammarException error(String what) {
        String shown = pattern.length() <= 80 ? pattern : pattern.substring(0, 80) + "…";
        return new GrammarException("regex: " + what + " at character " + at + " of " + shown);
    }

    private boolean hasNext() {
        return at < pattern.length();
    }

    private boolean skip(String text) {
        boolean isNext = pattern.startsWith(text, at);
        at += isNext ? text.length() : 0;
        return isNext;
    }

    private Regex choice() {
        if (++depth > MAX_DEPTH) {
            throw error("groups nest deeper than " + MAX_DEPTH);
        }
        List<Regex> options = new ArrayList<>();
        options.add(sequence());
        while (skip("|")) {
            options.add(sequence());
        }
        depth--;
        return options.size() == 1 ? options.get(0) : new Regex.Choice(options);
    }

    private Regex sequence() {
        List<Regex> parts = new ArrayList<>();
        while (hasNext() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')') {
            parts.add(quantified());
        }
        return parts.size() == 1 ? parts.get(0) : new Regex.Sequence(parts);
    }

    private Regex quantified() {
        Regex atom = atom();
        boolean isQuantified = false;
        while (hasNext()) {
            int[] bounds = quantifier();
            if (bounds.length == 0) {
                break;
            }
            if (atom instanceof Regex.Begin || atom instanceof Regex.End || atom instanceof Regex.Ahead) {
                throw error("a quantifier of an assertion");
            }
            if (isQuantified) {
                throw error("a quantifier of a quantifier");
            }
            skip("?"); // lazy: the same language
            atom = new Regex.Repeat(atom, bounds[0], bounds[1]);
            isQuantified = true;
        }
        return atom;
    }

    private int[] quantifier() {
        if (skip("*")) {
            return new int[] {0, Regex.UNBOUNDED};
        } else if (skip("+")) {
            return new int[] {1, Regex.UNBOUNDED};
        } else if (skip("?")) {
            return new int[] {0, 1};
        } else if (pattern.charAt(at) != '{') {
            return NO_QUANTIFIER;
        }
        int close = pattern.indexOf('}', at);
        String inside = close < 0 ? "" : pattern.substring(at + 1, close);
        if (!inside.matches(isPython ? "\\d+|\\d*,\\d*" : "\\d+(,\\d*)?")) {
            return NO_QUANTIFIER; // a brace that stands for itself
        }
        at = close + 1;
        int comma = inside.indexOf(',');
        int min = number(comma < 0 ? inside : inside.substring(0, comma), 0);
        int max = comma < 0 ? min : number(inside.substring(comma + 1), Regex.UNBOUNDED);
        if (min > max) {
            throw error("bounds out of order in {" + inside + "}");
        }
        return new int[] {min, max};
    }

    private int number(String digits, int ifEmpty) {
        if (digits.isEmpty()) {
            return ifEmpty;
        }
        if (digits.length() > 7) {
            throw error("a bound above 9999999");
        }
        return Integer.parseInt(digits);
    }

    private Regex atom() {
        int c = pattern.codePointAt(at);
        if (c == '(') {
            return group();
        } else if (c == '*' || c == '+' || c == '?') {
            throw error("nothing to repeat");
        } else if (c >= 0xD800 && c <= 0xDFFF) {
            throw error("a lone surrogate");
        }
        at += Character.charCount(c);
        return switch (c) {
            case '[' -> new Regex.OneOf(new RegexClassParser().parse());
            case '.' -> new Regex.OneOf(anyButNewline());
            case '^' -> new Regex.Begin();
            case '$' -> new Regex.End();
            case '\\' -> escape();
            default -> new Regex.OneOf(CodePointSet.range(c, c));
        };
    }

    private CodePointSet anyButNewline() {
        CodePointSet newlines = CodePointSet.range('\n', '\n');
        if (!isPython) {
            newlines = newlines.union(CodePointSet.range('\r', '\r')).union(CodePointSet.range(0x2028, 0x2029));
        }
        return CodePointSet.ALL.minus(newlines);
    }

    private Regex group() {
        at++;
        boolean isAhead = false;
        boolean isNegative = false;
        if (skip("?")) {
            if (skip("=")) {
                isAhead = true;
            } else if (skip("!")) {
                isAhead = true;
                isNegative = true;
            } else if (skip("<=") || skip("<!")) {
                throw error("lookbehind is not supported");
            } else if (skip("P<") || skip("<")) {
                int close = pattern.indexOf('>', at);
                if (close < 0 || !pattern.substring(at, close).matches("[A-Za-z_$][A-Za-z0-9_$]*")) {
                    throw error("a group's name is not well-formed");
                }
                at = close + 1;
            } else if (!skip(":")) {
                throw error("flags, conditions and atomic groups are not supported");
            }
        }
        Regex body = choice();
        if (!skip(")")) {
            throw error("missing )");
        }
        return isAhead ? new Regex.Ahead(body, isNegative) : body;
    }

    private Regex escape() {
        if (!hasNext()) {
            throw error("a backslash at the end");
        }
        char c = pattern.charAt(at);
        if (c == 'b' || c == 'B') {
            throw error("word boundary \\" + c + " is not supported");
        } else if ((c >= '1' && c <= '9') || c == 'k') {
            throw error("back reference \\" + c + " is not supported");
        } else if (isPython && (c == 'A' || c == 'Z')) {
            at++;
            return c == 'A' ? new Regex.Begin() : new Regex.End();
        }
        return new Regex.OneOf(escapedSet());
    }

    /** Behind a backslash: a class or a single code point, in and outside of brackets. */
    private CodePointSet escapedSet() {
        if (!hasNext()) {
            throw error("a backslash at the end");
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return switch (c) {
            case 'd' -> CodePointSet.DIGITS;
            case 'D' -> CodePointSet.DIGITS.complement();
            case 'w' -> CodePointSet.WORD;
            case 'W' -> CodePointSet.WORD.complement();
            case 's' -> CodePointSet.SPACES;
            case 'S' -> CodePointSet.SPACES.complement();
            case 'p' -> property();
            case 'P' -> property().complement();
            case 't' -> single('\t');
            case 'n' -> single('\n');
            case 'r' -> single('\r');
            case 'f' -> single('\f');
            case 'v' -> single(0x0B);
            case 'a' -> isPython ? single(7) : unknownEscape(c);
            case '0' -> single(octalZero());
            case 'c' -> single(controlLetter());
            case 'x' -> single(hex(2));
            case 'u' -> single(unicode());
            case 'U' -> isPython ? single(hex(8)) : unknownEscape(c);
            default -> Character.isLetterOrDigit(c) ? unknownEscape(c) : single(c);
        };
    }

    private CodePointSet unknownEscape(int c) {
        throw error("escape \\" + Character.toString(c) + " is not known");
    }

    private int octalZero() {
        if (hasNext() && Character.isDigit(pattern.charAt(at))) {
            throw error("octal escapes are not supported");
        }
        return 0;
    }

    private int controlLetter() {
        char c = hasNext() ? pattern.charAt(at) : 0;
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) {
            throw error("\\c needs a letter");
        }
        at++;
        return c % 32;
    }

    private int unicode() {
        if (skip("{")) {
            int close = pattern.indexOf('}', at);
            if (close < at + 1 || close > at + 6) {
                throw error("\\u{ is not well-formed");
            }
            int value = hex(close - at);
            at++;
            return value;
        }
        int unit = hex(4);
        if (Character.isHighSurrogate((char) unit) && pattern.startsWith("\\u", at)) {
            int before = at;
            at += 2;
            int second = hex(4);
            if (Character.isLowSurrogate((char) second)) {
                return Character.toCodePoint((char) unit, (char) second);
            }
            at = before;
        }
        return unit;
    }

    private int hex(int digits) {
        if (at + digits > pattern.length()
                || !pattern.substring(at, at + digits).matches("[0-9A-Fa-f]+")) {
            throw error("an escape needs " + digits + " hexadecimal digits");
        }
        long value = Long.parseLong(pattern.substring(at, at + digits), 16);
        at += digits;
        if (value > Character.MAX_CODE_POINT) {
            throw error("an escape beyond Unicode");
        }
        return (int) value;
    }

    private CodePointSet single(int c) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            throw error("a lone surrogate");
        }
        return CodePointSet.range(c, c);
    }

    private CodePointSet property() {
        int close = pattern.indexOf('}', at);
        if (!skip("{") || close < 0) {
            throw error("\\p needs a name in braces");
        }
        String name = pattern.substring(at, close);
        at = close + 1;
        return CodePointSet.property(name, pattern);
    }

    /** What stands in brackets. */
    private final class RegexClassParser {

        CodePointSet parse() {
            boolean isNegated = skip("^");
            CodePointSet set = CodePointSet.range(1, 0);
            boolean isFirst = true;
            while (true) {
                if (!hasNext()) {
                    throw error("missing ]");
                }
                if (pattern.charAt(at) == ']' && !(isFirst && isPython)) {
                    break;
                }
                isFirst = false;
                set = set.union(item());
            }
            at++;
            return isNegated ? set.complement() : set;
        }

        private CodePointSet item() {
            CodePointSet from = member();
            boolean isRange = at + 1 < pattern.length() && pattern.charAt(at) == '-' && pattern.charAt(at + 1) != ']';
            if (!isRange) {
                return from;
            }
            at++;
            CodePointSet to = member();
            if (!isSingle(from) || !isSingle(to)) {
                throw error("a class as the end of a range");
            }
            int low = from.ranges().get(0).low();
            int high = to.ranges().get(0).low();
            if (low > high) {
                throw error("a range out of order");
            }
            return CodePointSet.range(low, high);
        }

        private CodePointSet member() {
            int c = pattern.codePointAt(at);
            at += Character.charCount(c);
            if (c != '\\') {
                return single(c);
            }
            return skip("b") ? single('\b') : skip("-") ? single('-') : escapedSet();
        }

        private boolean isSingle(CodePointSet set) {
            return set.ranges().size() == 1
                    && set.ranges().get(0).low() == set.ranges().get(0).high();
        }
    }
}
