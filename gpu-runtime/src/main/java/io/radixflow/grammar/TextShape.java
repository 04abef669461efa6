package io.radixflow.grammar;

import org.jspecify.annotations.Nullable;

/**
 * Demands of a string, or of a number seen as its numeral.
 *
 * @param language what it must be; null for anything
 * @param minLen fewest code points of a string, beside {@code language}
 * @param maxLen most code points
 */
record TextShape(JsonType type, @Nullable Dfa language, int minLen, int maxLen) implements Shape {

    static TextShape of(JsonType type, Dfa language) {
        return new TextShape(type, language, 0, Expr.UNBOUNDED);
    }

    @Override
    public @Nullable Shape and(Shape other, Budget budget) {
        TextShape text = (TextShape) other;
        Dfa both = language;
        if (both == null) {
            both = text.language;
        } else if (text.language != null) {
            both = DfaOps.intersect(both, text.language, budget);
        }
        int min = Math.max(minLen, text.minLen);
        int max = Math.min(maxLen, text.maxLen);
        return min > max || (both != null && both.isEmpty()) ? null : new TextShape(type, both, min, max);
    }
}
