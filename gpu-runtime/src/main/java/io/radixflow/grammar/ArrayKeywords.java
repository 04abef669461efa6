package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** What keywords of arrays demand, and their opposites. */
final class ArrayKeywords {

    private final SchemaAlgebra algebra;

    ArrayKeywords(SchemaAlgebra algebra) {
        this.algebra = algebra;
    }

    List<Shape> shapes(SchemaNode schema, String keyword, boolean isHeld) {
        return switch (keyword) {
            case "minItems" -> {
                int min = count(schema, keyword);
                yield isHeld ? length(min, Expr.UNBOUNDED) : length(0, min - 1);
            }
            case "maxItems" -> {
                int max = count(schema, keyword);
                yield isHeld ? length(0, max) : length(max + 1, Expr.UNBOUNDED);
            }
            case "uniqueItems" -> unique(schema, isHeld);
            case "contains" -> contains(schema, isHeld);
            case "prefixItems" -> items(schema, isHeld);
            case "items" -> schema.has("prefixItems") ? algebra.nothing(JsonType.ARRAY, isHeld) : items(schema, isHeld);
            case "unevaluatedItems" -> unevaluated(schema, isHeld);
            default -> algebra.nothing(JsonType.ARRAY, isHeld);
        };
    }

    private List<Shape> unevaluated(SchemaNode schema, boolean isHeld) {
        boolean isAllSeen = schema.has("items") && !schema.get("items").isArray();
        if (schema.has("contains") && !isAllSeen) {
            throw schema.refusal("unevaluatedItems", "is not supported beside contains");
        }
        boolean isDone = schema.has("items") || schema.has("prefixItems");
        return isDone ? algebra.nothing(JsonType.ARRAY, isHeld) : items(schema, isHeld);
    }

    static int count(SchemaNode schema, String keyword) {
        JsonNode value = schema.get(keyword);
        boolean isCount = value.isNumber()
                && JsonValues.number(value).signum() >= 0
                && JsonValues.number(value).stripTrailingZeros().scale() <= 0;
        if (!isCount) {
            throw schema.refusal(keyword, "must be an integer from 0 up");
        }
        return JsonValues.number(value)
                .min(BigDecimal.valueOf(Expr.UNBOUNDED - 1))
                .intValue();
    }

    private static List<Shape> length(int min, int max) {
        return max < 0 ? List.of() : List.of(ArrayShape.length(min, max));
    }

    private List<Shape> unique(SchemaNode schema, boolean isHeld) {
        if (!schema.get("uniqueItems").asBoolean(false)) {
            return algebra.nothing(JsonType.ARRAY, isHeld);
        } else if (!isHeld) {
            throw schema.refusal("uniqueItems", "has no opposite that can be enforced, as not and oneOf would need");
        }
        return List.of(new ArrayShape(List.of(), List.of(), 0, Expr.UNBOUNDED, true));
    }

    private List<Shape> contains(SchemaNode schema, boolean isHeld) {
        Claim claim = algebra.claim(schema, schema.get("contains"), "/contains");
        int min = schema.has("minContains") ? count(schema, "minContains") : 1;
        int max = schema.has("maxContains") ? count(schema, "maxContains") : Expr.UNBOUNDED;
        List<Shape> shapes = new ArrayList<>();
        if (isHeld) {
            addContains(claim, min, max, shapes);
        } else {
            addContains(claim, 0, min - 1, shapes);
            if (max < Expr.UNBOUNDED) {
                addContains(claim, max + 1, Expr.UNBOUNDED, shapes);
            }
        }
        return shapes;
    }

    private static void addContains(Claim claim, int min, int max, List<Shape> into) {
        if (min == 0 && max == Expr.UNBOUNDED) {
            into.add(ArrayShape.ANY);
        } else if (max == 0) {
            into.add(ArrayShape.of(new ArrayShape.Group(List.of(), List.of(claim.opposite()))));
        } else if (min <= max) {
            into.add(new ArrayShape(
                    List.of(), List.of(new ArrayShape.Contains(claim, min, max)), min, Expr.UNBOUNDED, false));
        }
    }

    /** Both spellings of tuples: prefixItems with items, and an array of items with additionalItems. */
    private List<Shape> items(SchemaNode schema, boolean isHeld) {
        String first = schema.has("prefixItems") ? "prefixItems" : "items";
        boolean isTuple = schema.get(first).isArray();
        String rest = !isTuple
                ? (schema.has("items") ? "items" : "unevaluatedItems")
                : first.equals("items") ? "additionalItems" : "items";
        if (isTuple && !schema.has(rest) && schema.has("unevaluatedItems")) {
            rest = "unevaluatedItems";
        }
        List<Claim> prefix = new ArrayList<>();
        if (isTuple) {
            for (int i = 0; i < schema.get(first).size(); i++) {
                prefix.add(algebra.claim(schema, schema.get(first).get(i), "/" + first + "/" + i));
            }
        }
        List<Claim> others =
                schema.has(rest) ? List.of(algebra.claim(schema, schema.get(rest), "/" + rest)) : List.of();
        if (isHeld) {
            List<List<Claim>> each = prefix.stream().map(List::of).toList();
            return List.of(ArrayShape.of(new ArrayShape.Group(each, others)));
        }
        return someItemFails(schema, prefix, others);
    }

    private List<Shape> someItemFails(SchemaNode schema, List<Claim> prefix, List<Claim> others) {
        List<Shape> shapes = new ArrayList<>();
        for (int i = 0; i < prefix.size(); i++) {
            List<List<Claim>> each = new ArrayList<>();
            for (int j = 0; j < i; j++) {
                each.add(List.of());
            }
            each.add(List.of(prefix.get(i).opposite()));
            shapes.add(new ArrayShape(
                    List.of(new ArrayShape.Group(each, List.of())), List.of(), i + 1, Expr.UNBOUNDED, false));
        }
        for (Claim claim : others) {
            if (claim.schema().equals(algebra.document().always())) {
                if (!claim.isHeld()) {
                    shapes.add(ArrayShape.length(prefix.size() + 1, Expr.UNBOUNDED));
                }
            } else if (prefix.isEmpty()) {
                addContains(claim.opposite(), 1, Expr.UNBOUNDED, shapes);
            } else {
                throw schema.refusal("items", "behind a tuple has no opposite that can be enforced");
            }
        }
        return shapes;
    }
}
