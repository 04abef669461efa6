package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What keywords of objects demand, and their opposites. */
final class ObjectKeywords {

    private static final int MAX_PROPERTIES = 5_000;
    private static final int MAX_DISJOINT_DEPTH = 6;

    private final SchemaAlgebra algebra;
    private final Budget budget;
    private final boolean isClosed;
    private int disjointDepth;

    ObjectKeywords(SchemaAlgebra algebra, Budget budget, boolean isClosed) {
        this.algebra = algebra;
        this.budget = budget;
        this.isClosed = isClosed;
    }

    List<Shape> shapes(SchemaNode schema, String keyword, boolean isHeld) {
        return switch (keyword) {
            case "required" -> required(schema, isHeld);
            case "minProperties" -> {
                int min = ArrayKeywords.count(schema, keyword);
                yield isHeld ? size(min, Expr.UNBOUNDED) : size(0, min - 1);
            }
            case "maxProperties" -> {
                int max = ArrayKeywords.count(schema, keyword);
                yield isHeld ? size(0, max) : size(max + 1, Expr.UNBOUNDED);
            }
            case "propertyNames" -> {
                if (!isHeld) {
                    throw schema.refusal(keyword, "has no opposite that can be enforced");
                }
                Claim claim = algebra.claim(schema, schema.get(keyword), "/propertyNames");
                yield List.of(new ObjectShape(List.of(), Set.of(), List.of(claim), 0, Expr.UNBOUNDED));
            }
            case "dependentRequired", "dependentSchemas", "dependencies" -> dependencies(schema, keyword, isHeld);
            case "unevaluatedProperties" -> unevaluated(schema, isHeld);
            case "properties", "patternProperties", "additionalProperties" -> {
                boolean isFirst = keyword.equals(firstOfGroup(schema));
                yield isFirst ? group(schema, isHeld) : algebra.nothing(JsonType.OBJECT, isHeld);
            }
            default -> algebra.nothing(JsonType.OBJECT, isHeld);
        };
    }

    private static String firstOfGroup(SchemaNode schema) {
        for (String keyword : List.of("properties", "patternProperties")) {
            if (schema.has(keyword)) {
                return keyword;
            }
        }
        return "additionalProperties";
    }

    private List<Shape> unevaluated(SchemaNode schema, boolean isHeld) {
        EvaluatedProperties seen = EvaluatedProperties.of(schema, algebra);
        Claim rest = algebra.claim(schema, schema.get("unevaluatedProperties"), "/unevaluatedProperties");
        Claim always = new Claim(algebra.document().always(), true);
        if (seen.isAll() || rest.equals(always)) {
            return algebra.nothing(JsonType.OBJECT, isHeld);
        } else if (!isHeld) {
            throw schema.refusal(
                    "unevaluatedProperties", "has no opposite that can be enforced, as not and oneOf would need");
        }
        Map<String, Claim> names = new LinkedHashMap<>();
        seen.names().forEach(name -> names.put(name, always));
        List<ObjectShape.Pattern> patterns = new ArrayList<>();
        seen.patterns()
                .forEach(pattern ->
                        patterns.add(new ObjectShape.Pattern(algebra.texts().pattern(pattern), always)));
        return List.of(ObjectShape.of(new ObjectShape.Group(names, patterns, List.of(rest)), Set.of()));
    }

    private static List<Shape> size(int min, int max) {
        return max < 0 ? List.of() : List.of(ObjectShape.size(min, max));
    }

    private List<Shape> required(SchemaNode schema, boolean isHeld) {
        JsonNode value = schema.get("required");
        if (value.isBoolean()) {
            return algebra.nothing(JsonType.OBJECT, isHeld); // draft 3, of the property itself
        }
        Set<String> names = names(schema, "required", value);
        if (isHeld) {
            return List.of(ObjectShape.requiring(names));
        }
        List<Shape> shapes = new ArrayList<>();
        for (String name : names) {
            shapes.add(ObjectShape.property(name, algebra.document().never(), Set.of()));
        }
        return shapes;
    }

    private static Set<String> names(SchemaNode schema, String keyword, JsonNode list) {
        Set<String> names = new LinkedHashSet<>();
        for (JsonNode name : list) {
            if (!name.isTextual()) {
                throw schema.refusal(keyword, "must hold names");
            }
            names.add(name.textValue());
        }
        if (!list.isArray()) {
            throw schema.refusal(keyword, "must be an array of names");
        }
        return names;
    }

    private List<Shape> dependencies(SchemaNode schema, String keyword, boolean isHeld) {
        List<Shape> all = List.of(ObjectShape.ANY);
        List<Shape> any = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : (Iterable<Map.Entry<String, JsonNode>>)
                () -> schema.get(keyword).fields()) {
            String name = entry.getKey();
            ObjectShape present = ObjectShape.requiring(Set.of(name));
            Shape absent = ObjectShape.property(name, algebra.document().never(), Set.of());
            List<Shape> dependent;
            if (entry.getValue().isArray()) {
                Set<String> names = names(schema, keyword, entry.getValue());
                dependent = isHeld ? List.of(ObjectShape.requiring(names)) : someAbsent(names);
            } else {
                String path = "/" + keyword + "/" + SchemaDocument.escaped(name);
                Claim claim = algebra.claim(schema, entry.getValue(), path);
                dependent = algebra.turn(JsonType.OBJECT, isHeld ? claim : claim.opposite());
            }
            List<Shape> both = algebra.product(List.of(present), dependent);
            if (isHeld) {
                List<Shape> options = new ArrayList<>(both);
                options.add(absent);
                all = algebra.product(all, options);
            } else {
                any.addAll(both);
            }
        }
        return isHeld ? all : any;
    }

    private List<Shape> someAbsent(Set<String> names) {
        List<Shape> shapes = new ArrayList<>();
        names.forEach(
                name -> shapes.add(ObjectShape.property(name, algebra.document().never(), Set.of())));
        return shapes;
    }

    private List<Shape> group(SchemaNode schema, boolean isHeld) {
        Map<String, Claim> properties = new LinkedHashMap<>();
        forEach(schema, "properties", (name, claim) -> properties.put(name, claim));
        List<ObjectShape.Pattern> patterns = new ArrayList<>();
        forEach(
                schema,
                "patternProperties",
                (pattern, claim) ->
                        patterns.add(new ObjectShape.Pattern(algebra.texts().pattern(pattern), claim)));
        if (properties.size() > MAX_PROPERTIES) {
            throw schema.refusal("properties", "has more than " + MAX_PROPERTIES + " names");
        }
        String rest = "additionalProperties";
        List<Claim> additional = List.of();
        if (schema.has(rest)) {
            additional = List.of(algebra.claim(schema, schema.get(rest), "/" + rest));
        } else if (isClosed && isHeld && schema.has("properties") && !schema.has("unevaluatedProperties")) {
            additional = List.of(algebra.document().never());
        }
        if (isHeld) {
            return List.of(ObjectShape.of(new ObjectShape.Group(properties, patterns, additional), Set.of()));
        }
        boolean isTrivial = patterns.isEmpty()
                && additional.stream()
                        .allMatch(claim ->
                                claim.equals(new Claim(algebra.document().always(), true)));
        if (!isTrivial) {
            throw schema.refusal(
                    patterns.isEmpty() ? rest : "patternProperties",
                    "has no opposite that can be enforced, as not and oneOf would need");
        }
        List<Shape> shapes = new ArrayList<>();
        properties.forEach((name, claim) -> shapes.add(ObjectShape.property(name, claim.opposite(), Set.of(name))));
        return shapes;
    }

    /** Takes a name and the claim of its schema. */
    private interface NamedClaim {
        void accept(String name, Claim claim);
    }

    private void forEach(SchemaNode schema, String keyword, NamedClaim action) {
        if (schema.has(keyword) && !schema.get(keyword).isObject()) {
            throw schema.refusal(keyword, "must be an object");
        }
        schema.get(keyword).fields().forEachRemaining(entry -> {
            budget.spend(4);
            String path = "/" + keyword + "/" + SchemaDocument.escaped(entry.getKey());
            action.accept(entry.getKey(), algebra.claim(schema, entry.getValue(), path));
        });
    }

    /** True only if no object is like that: a required property that nothing can be. */
    boolean isImpossible(ObjectShape object) {
        if (disjointDepth >= MAX_DISJOINT_DEPTH) {
            return false;
        }
        disjointDepth++;
        try {
            for (String name : object.required()) {
                List<Claim> claims = object.at(name);
                if (claims.contains(algebra.document().never()) || isImpossible(claims)) {
                    return true;
                }
            }
            return false;
        } finally {
            disjointDepth--;
        }
    }

    private boolean isImpossible(List<Claim> claims) {
        for (JsonType type : JsonType.values()) {
            for (Shape shape : algebra.shapesInside(type, claims)) {
                if (!(shape instanceof ObjectShape object && isImpossible(object))) {
                    return false;
                }
            }
        }
        return true;
    }
}
