package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a value of one type must be like: one of several demands, of which a value has to meet any. Immutable; all that merges makes another.
 */
interface Shape {

    JsonType type();

    /** Meets both, or null if none can; {@code other} is of the same class and type. */
    @Nullable
    Shape and(Shape other, Budget budget);

    /** One of a list of values. */
    record Values(JsonType type, List<JsonNode> values) implements Shape {
        @Override
        public @Nullable Shape and(Shape other, Budget budget) {
            List<JsonNode> others = ((Values) other).values;
            budget.spend((long) values.size() * others.size());
            List<JsonNode> common = new ArrayList<>(values);
            common.removeIf(value -> !JsonValues.contains(others, value));
            return common.isEmpty() ? null : new Values(type, common);
        }
    }

    /** No demand beyond the type; the starting point of null and booleans is their values. */
    static Shape anything(JsonType type, Budget budget) {
        return switch (type) {
            case NULL -> new Values(type, List.of(NullNode.instance));
            case BOOLEAN -> new Values(type, List.of(BooleanNode.TRUE, BooleanNode.FALSE));
            case NUMBER -> new TextShape(type, null, 0, Expr.UNBOUNDED);
            case STRING -> new TextShape(type, null, 0, Expr.UNBOUNDED);
            case ARRAY -> ArrayShape.ANY;
            case OBJECT -> ObjectShape.ANY;
        };
    }
}
