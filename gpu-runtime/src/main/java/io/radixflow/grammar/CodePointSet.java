package io.radixflow.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Set of Unicode scalar values as sorted, disjoint ranges; surrogates are in none. Immutable. */
final class CodePointSet {

    static final int MAX = Character.MAX_CODE_POINT;

    static final CodePointSet ALL = new CodePointSet(List.of(new Range(0, 0xD7FF), new Range(0xE000, MAX)));
    static final CodePointSet DIGITS = range('0', '9');
    static final CodePointSet WORD =
            range('a', 'z').union(range('A', 'Z')).union(DIGITS).union(range('_', '_'));
    /** ECMA-262's WhiteSpace and LineTerminator. */
    static final CodePointSet SPACES = range(9, 13)
            .union(range(' ', ' '))
            .union(range(0xA0, 0xA0))
            .union(range(0x1680, 0x1680))
            .union(range(0x2000, 0x200A))
            .union(range(0x2028, 0x2029))
            .union(range(0x202F, 0x202F))
            .union(range(0x205F, 0x205F))
            .union(range(0x3000, 0x3000))
            .union(range(0xFEFF, 0xFEFF));

    /** Both ends inclusive. */
    record Range(int low, int high) {}

    private final List<Range> ranges;

    private CodePointSet(List<Range> ranges) {
        this.ranges = List.copyOf(ranges);
    }

    static CodePointSet range(int low, int high) {
        List<Range> ranges = new ArrayList<>();
        if (low <= Math.min(high, 0xD7FF)) {
            ranges.add(new Range(low, Math.min(high, 0xD7FF)));
        }
        if (Math.max(low, 0xE000) <= high) {
            ranges.add(new Range(Math.max(low, 0xE000), high));
        }
        return new CodePointSet(ranges);
    }

    List<Range> ranges() {
        return ranges;
    }

    CodePointSet union(CodePointSet other) {
        List<Range> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        all.sort((a, b) -> Integer.compare(a.low, b.low));
        List<Range> joined = new ArrayList<>();
        for (Range range : all) {
            int last = joined.size() - 1;
            if (last >= 0 && joined.get(last).high >= range.low - 1) {
                joined.set(last, new Range(joined.get(last).low, Math.max(joined.get(last).high, range.high)));
            } else {
                joined.add(range);
            }
        }
        return new CodePointSet(joined);
    }

    CodePointSet complement() {
        List<Range> gaps = new ArrayList<>();
        int from = 0;
        for (Range range : ranges) {
            gaps.addAll(range(from, range.low - 1).ranges);
            from = range.high + 1;
        }
        gaps.addAll(range(from, MAX).ranges);
        return new CodePointSet(gaps);
    }

    CodePointSet minus(CodePointSet other) {
        return complement().union(other).complement();
    }

    /** The set of a Unicode property: a general category, or a script behind {@code Script=} or {@code sc=}. */
    static CodePointSet property(String name, String pattern) {
        int equals = name.indexOf('=');
        String key = equals < 0 ? "gc" : name.substring(0, equals);
        String value = name.substring(equals + 1);
        return switch (key) {
            case "gc", "General_Category" -> where(category(value, pattern));
            case "sc", "Script" -> {
                Character.UnicodeScript script = script(value, pattern);
                yield where(codePoint -> Character.UnicodeScript.of(codePoint) == script);
            }
            default -> throw unknown(name, pattern);
        };
    }

    private static Character.UnicodeScript script(String value, String pattern) {
        try {
            return Character.UnicodeScript.forName(value);
        } catch (IllegalArgumentException e) {
            throw unknown(value, pattern);
        }
    }

    private static GrammarException unknown(String name, String pattern) {
        return new GrammarException("regex: Unicode property " + name + " is not known, in " + pattern);
    }

    private static CodePointSet where(IntPredicate contains) {
        List<Range> ranges = new ArrayList<>();
        int from = -1;
        for (int codePoint = 0; codePoint <= MAX + 1; codePoint++) {
            boolean isIn = codePoint <= MAX && (codePoint < 0xD800 || codePoint > 0xDFFF) && contains.test(codePoint);
            if (isIn && from < 0) {
                from = codePoint;
            } else if (!isIn && from >= 0) {
                ranges.add(new Range(from, codePoint - 1));
                from = -1;
            }
        }
        return new CodePointSet(ranges);
    }

    private static IntPredicate category(String value, String pattern) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "any" -> codePoint -> true;
            case "ascii" -> codePoint -> codePoint < 128;
            case "l", "letter", "alphabetic" -> Character::isLetter;
            case "lu", "uppercase_letter" -> type(Character.UPPERCASE_LETTER);
            case "ll", "lowercase_letter" -> type(Character.LOWERCASE_LETTER);
            case "lt", "titlecase_letter" -> type(Character.TITLECASE_LETTER);
            case "lm", "modifier_letter" -> type(Character.MODIFIER_LETTER);
            case "lo", "other_letter" -> type(Character.OTHER_LETTER);
            case "m", "mark" ->
                types(Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK);
            case "n", "number" ->
                types(Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER);
            case "nd", "decimal_number", "digit" -> type(Character.DECIMAL_DIGIT_NUMBER);
            case "nl", "letter_number" -> type(Character.LETTER_NUMBER);
            case "p", "punctuation", "punct" ->
                types(
                        Character.CONNECTOR_PUNCTUATION,
                        Character.DASH_PUNCTUATION,
                        Character.START_PUNCTUATION,
                        Character.END_PUNCTUATION,
                        Character.INITIAL_QUOTE_PUNCTUATION,
                        Character.FINAL_QUOTE_PUNCTUATION,
                        Character.OTHER_PUNCTUATION);
            case "s", "symbol" ->
                types(
                        Character.MATH_SYMBOL,
                        Character.CURRENCY_SYMBOL,
                        Character.MODIFIER_SYMBOL,
                        Character.OTHER_SYMBOL);
            case "sc", "currency_symbol" -> type(Character.CURRENCY_SYMBOL);
            case "sm", "math_symbol" -> type(Character.MATH_SYMBOL);
            case "z", "separator" ->
                types(Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR);
            case "zs", "space_separator" -> type(Character.SPACE_SEPARATOR);
            case "cc", "control" -> type(Character.CONTROL);
            default -> throw unknown(value, pattern);
        };
    }

    private static IntPredicate type(int type) {
        return codePoint -> Character.getType(codePoint) == type;
    }

    private static IntPredicate types(int... types) {
        return codePoint -> {
            int own = Character.getType(codePoint);
            for (int type : types) {
                if (own == type) {
                    return true;
                }
            }
            return false;
        };
    }
}
