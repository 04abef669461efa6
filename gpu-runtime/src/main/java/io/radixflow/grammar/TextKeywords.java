package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What keywords of strings and numbers demand, and their opposites. */
final class TextKeywords {

    private final Budget budget;
    private final NumberLanguages numbers;
    private final Map<String, Dfa> patterns = new HashMap<>();
    private final Map<String, Dfa> formats = new HashMap<>();
    private @Nullable Dfa anyText;
    private boolean hasNarrowFormat;

    TextKeywords(Budget budget) {
        this.budget = budget;
        numbers = new NumberLanguages(budget);
    }

    NumberLanguages numbers() {
        return numbers;
    }

    Dfa anyText() {
        if (anyText == null) {
            anyText = RegexCompiler.anyText(budget);
        }
        return anyText;
    }

    Dfa complement(Dfa texts) {
        return DfaOps.minus(anyText(), texts, budget);
    }

    /** Texts in which the pattern matches. */
    Dfa pattern(String pattern) {
        return patterns.computeIfAbsent(pattern, p -> RegexCompiler.anywhere(p, budget));
    }

    private List<Shape> format(SchemaNode schema, boolean isHeld) {
        String name = SchemaAlgebra.text(schema, "format");
        String regex = Formats.regex(schema, name);
        if (regex == null) {
            return nothing(JsonType.STRING, isHeld);
        }
        hasNarrowFormat |= !Formats.isExact(name);
        String demanded = isHeld ? regex : Formats.wideRegex(name);
        Dfa texts = formats.computeIfAbsent(demanded, r -> RegexCompiler.wholeEcmaText(r, budget));
        return language(JsonType.STRING, texts, isHeld);
    }

    /** Whether a format was read that leaves out some of its texts, so that two shapes without a common text may yet have one. */
    boolean hasNarrowFormat() {
        return hasNarrowFormat;
    }

    Dfa allBut(JsonType type, List<JsonNode> values) {
        if (type == JsonType.STRING) {
            List<int[]> words = new ArrayList<>();
            values.forEach(value -> words.add(Words.codePoints(value.textValue())));
            return complement(Words.of(words, budget));
        }
        Dfa others = numbers.complement(numbers.equalTo(JsonValues.number(values.get(0))));
        for (JsonNode value : values) {
            others = DfaOps.minus(others, numbers.equalTo(JsonValues.number(value)), budget);
        }
        return others;
    }

    List<Shape> string(SchemaNode schema, String keyword, boolean isHeld) {
        return switch (keyword) {
            case "minLength" -> {
                int min = ArrayKeywords.count(schema, keyword);
                yield isHeld ? length(min, Expr.UNBOUNDED) : length(0, min - 1);
            }
            case "maxLength" -> {
                int max = ArrayKeywords.count(schema, keyword);
                yield isHeld ? length(0, max) : length(max + 1, Expr.UNBOUNDED);
            }
            case "pattern" -> language(JsonType.STRING, readPattern(schema), isHeld);
            case "format" -> format(schema, isHeld);
            default -> nothing(JsonType.STRING, isHeld);
        };
    }

    private Dfa readPattern(SchemaNode schema) {
        try {
            return pattern(SchemaAlgebra.text(schema, "pattern"));
        } catch (GrammarException e) {
            throw schema.refusal("pattern", "can't be used: " + e.getMessage());
        }
    }

    private List<Shape> nothing(JsonType type, boolean isHeld) {
        return isHeld ? List.of(Shape.anything(type, budget)) : List.of();
    }

    private static List<Shape> length(int min, int max) {
        return max < 0 ? List.of() : List.of(new TextShape(JsonType.STRING, null, min, max));
    }

    private List<Shape> language(JsonType type, Dfa language, boolean isHeld) {
        Dfa wanted = language;
        if (!isHeld) {
            wanted = type == JsonType.STRING ? complement(language) : numbers.complement(language);
        }
        return wanted.isEmpty() ? List.of() : List.of(TextShape.of(type, wanted));
    }

    List<Shape> number(SchemaNode schema, String keyword, boolean isHeld) {
        Dfa demanded = switch (keyword) {
            case "minimum" -> numbers.above(bound(schema, keyword), !isTrue(schema, "exclusiveMinimum"));
            case "maximum" -> numbers.below(bound(schema, keyword), !isTrue(schema, "exclusiveMaximum"));
            case "exclusiveMinimum" ->
                schema.get(keyword).isBoolean() ? null : numbers.above(bound(schema, keyword), false);
            case "exclusiveMaximum" ->
                schema.get(keyword).isBoolean() ? null : numbers.below(bound(schema, keyword), false);
            case "multipleOf" -> multiples(schema);
            default -> null;
        };
        return demanded == null ? nothing(JsonType.NUMBER, isHeld) : language(JsonType.NUMBER, demanded, isHeld);
    }

    private static boolean isTrue(SchemaNode schema, String keyword) {
        return schema.get(keyword).isBoolean() && schema.get(keyword).booleanValue();
    }

    private static BigDecimal bound(SchemaNode schema, String keyword) {
        if (!schema.get(keyword).isNumber()) {
            throw schema.refusal(keyword, "must be a number");
        }
        return JsonValues.number(schema.get(keyword));
    }

    private Dfa multiples(SchemaNode schema) {
        BigDecimal divisor = bound(schema, "multipleOf");
        if (divisor.signum() <= 0) {
            throw schema.refusal("multipleOf", "must be above 0");
        }
        Dfa multiples = numbers.multiplesOf(divisor);
        if (multiples == null) {
            throw schema.refusal("multipleOf", "is too fine or too large to be enforced: " + divisor);
        }
        return multiples;
    }
}
