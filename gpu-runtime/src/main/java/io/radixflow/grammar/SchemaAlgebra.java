package io.radixflow.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns claims into shapes: for each type of value, a list of demands of which one must be met. Claims that schemas are not valid are
 * turned into demands as well, as far as each keyword has an opposite; where it has none, that is refused by name. So {@code oneOf},
 * {@code not} and {@code if} are exact. Demands of elements and properties stay claims, hence recursion ends.
 */
final class SchemaAlgebra {

    private static final int MAX_SHAPES = 2_000;
    private static final int MAX_DEPTH = 300;
    private static final Set<String> REFUSED = Set.of("$dynamicRef", "$recursiveRef", "unevaluatedItems");
    private static final Set<String> APPLICATORS =
            Set.of("$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "dependencies");

    private final SchemaDocument document;
    private final Budget budget;
    private final TextKeywords texts;
    private final ArrayKeywords arrays;
    private final ObjectKeywords objects;
    private final SchemaCheck check;
    private final Map<List<Claim>, Map<JsonType, List<Shape>>> known = new HashMap<>();
    private Set<Claim> open = new LinkedHashSet<>(); // being turned, to notice circles

    /** @param isClosed objects that don't speak of additional properties have none */
    SchemaAlgebra(SchemaDocument document, Budget budget, boolean isClosed) {
        this.document = document;
        this.budget = budget;
        check = new SchemaCheck(this, budget);
        texts = new TextKeywords(budget);
        arrays = new ArrayKeywords(this);
        objects = new ObjectKeywords(this, budget, isClosed);
    }

    SchemaDocument document() {
        return document;
    }

    TextKeywords texts() {
        return texts;
    }

    /** The claim that a value is valid against what stands at a keyword. */
    Claim claim(SchemaNode parent, JsonNode json, String path) {
        if (json.isBoolean()) {
            return new Claim(document.always(), json.booleanValue());
        }
        return new Claim(document.child(parent, json, path), true);
    }

    /** What values of a type must be like to meet all claims; an empty list if none can. */
    List<Shape> shapes(JsonType type, List<Claim> claims) {
        Map<JsonType, List<Shape>> ofClaims = known.computeIfAbsent(claims, c -> new HashMap<>());
        List<Shape> shapes = ofClaims.get(type);
        if (shapes == null) {
            shapes = List.of(Shape.anything(type, budget));
            for (Claim claim : claims) {
                shapes = product(shapes, turn(type, claim));
            }
            ofClaims.put(type, shapes);
        }
        return shapes;
    }

    /** The same while other claims are being turned, for values inside of theirs. */
    List<Shape> shapesInside(JsonType type, List<Claim> claims) {
        Set<Claim> outside = open;
        open = new LinkedHashSet<>();
        try {
            return shapes(type, claims);
        } finally {
            open = outside;
        }
    }

    /** What one claim makes of values inside of those whose claims are being turned. */
    List<Shape> turnInside(JsonType type, Claim claim) {
        Set<Claim> outside = open;
        open = new LinkedHashSet<>();
        try {
            return turn(type, claim);
        } finally {
            open = outside;
        }
    }

    List<Shape> product(List<Shape> left, List<Shape> right) {
        budget.spend((long) left.size() * right.size());
        List<Shape> all = new ArrayList<>();
        for (Shape a : left) {
            for (Shape b : right) {
                Shape both = and(a, b);
                if (both != null) {
                    all.add(both);
                }
            }
        }
        return limited(all);
    }

    /** Listed values are looked at at once, so that a list never holds what another demand forbids. */
    private @Nullable Shape and(Shape a, Shape b) {
        if (a instanceof Shape.Values == b instanceof Shape.Values) {
            return a.and(b, budget);
        }
        Shape.Values listed = (Shape.Values) (a instanceof Shape.Values ? a : b);
        Shape demand = a instanceof Shape.Values ? b : a;
        List<JsonNode> values = new ArrayList<>(listed.values());
        values.removeIf(value -> !check.fits(value, demand));
        return values.isEmpty() ? null : new Shape.Values(listed.type(), values);
    }

    private static List<Shape> limited(List<Shape> shapes) {
        if (shapes.size() > MAX_SHAPES) {
            throw new GrammarException("JSON Schema: its options combine to more than " + MAX_SHAPES
                    + " cases; nest fewer anyOf, oneOf and if");
        }
        return shapes;
    }

    List<Shape> turn(JsonType type, Claim claim) {
        if (claim.schema().json().isBoolean()) {
            return nothing(type, claim.schema().json().booleanValue() == claim.isHeld());
        }
        budget.spend(16);
        if (!open.add(claim)) {
            throw claim.schema().refusal("$ref", "comes back to itself without going into the value");
        }
        if (open.size() > MAX_DEPTH) {
            throw claim.schema().refusal("schema", "is nested deeper than " + MAX_DEPTH);
        }
        try {
            return claim.isHeld() ? held(type, claim.schema()) : notHeld(type, claim.schema());
        } finally {
            open.remove(claim);
        }
    }

    private List<Shape> held(JsonType type, SchemaNode schema) {
        List<Shape> shapes = List.of(Shape.anything(type, budget));
        for (String keyword : keywords(schema)) {
            if (shapes.isEmpty()) {
                return shapes;
            }
            shapes = product(shapes, keyword(type, schema, keyword, true));
        }
        return shapes;
    }

    private List<Shape> notHeld(JsonType type, SchemaNode schema) {
        List<Shape> shapes = new ArrayList<>();
        for (String keyword : keywords(schema)) {
            shapes.addAll(keyword(type, schema, keyword, false));
        }
        return limited(shapes);
    }

    /** Keywords that demand something, those that cut off most first. */
    private List<String> keywords(SchemaNode schema) {
        if (document.hidesSiblings(schema)) {
            return List.of("$ref");
        }
        Map<String, Integer> found = new LinkedHashMap<>();
        schema.json().fieldNames().forEachRemaining(name -> {
            if (REFUSED.contains(name) && !isHarmless(schema, name)) {
                throw schema.refusal(name, "is not supported");
            }
            found.put(name, 0);
        });
        List<String> first = new ArrayList<>();
        for (String early : List.of("type", "const", "enum")) {
            if (found.remove(early) != null) {
                first.add(early);
            }
        }
        first.addAll(found.keySet());
        return first;
    }

    /** Nothing but the schema's own keywords can have looked at the rest. */
    private static boolean isHarmless(SchemaNode schema, String name) {
        return name.equals("unevaluatedItems") && APPLICATORS.stream().noneMatch(schema::has);
    }

    /** What the keyword, or its opposite, demands. A keyword of another type demands nothing, and its opposite can't be met. */
    private List<Shape> keyword(JsonType type, SchemaNode schema, String keyword, boolean isHeld) {
        JsonNode value = schema.get(keyword);
        return switch (keyword) {
            case "type" -> typeIs(type, schema, isHeld);
            case "enum" -> values(type, schema, keyword, isHeld);
            case "const" -> values(type, schema, keyword, isHeld);
            case "$ref" -> turn(type, new Claim(document.target(schema, text(schema, keyword)), isHeld));
            case "allOf" -> isHeld ? all(type, options(schema, keyword)) : any(type, opposites(schema, keyword));
            case "anyOf" -> isHeld ? any(type, options(schema, keyword)) : all(type, opposites(schema, keyword));
            case "oneOf" -> isHeld ? one(type, schema) : notOne(type, options(schema, keyword));
            case "not" -> {
                Claim claim = claim(schema, value, "/not");
                yield turn(type, isHeld ? claim.opposite() : claim);
            }
            case "if" -> condition(type, schema, isHeld);
            default -> ofType(type, schema, keyword, isHeld);
        };
    }

    List<Shape> nothing(JsonType type, boolean isHeld) {
        return isHeld ? List.of(Shape.anything(type, budget)) : List.of();
    }

    private List<Shape> ofType(JsonType type, SchemaNode schema, String keyword, boolean isHeld) {
        return switch (type) {
            case NULL, BOOLEAN -> nothing(type, isHeld);
            case NUMBER -> texts.number(schema, keyword, isHeld);
            case STRING -> texts.string(schema, keyword, isHeld);
            case ARRAY -> arrays.shapes(schema, keyword, isHeld);
            case OBJECT -> objects.shapes(schema, keyword, isHeld);
        };
    }

    static String text(SchemaNode schema, String keyword) {
        if (!schema.get(keyword).isTextual()) {
            throw schema.refusal(keyword, "must be a string");
        }
        return schema.get(keyword).textValue();
    }

    private List<Shape> typeIs(JsonType type, SchemaNode schema, boolean isHeld) {
        JsonNode value = schema.get("type");
        Set<String> names = new LinkedHashSet<>();
        if (value.isTextual()) {
            names.add(value.textValue());
        }
        value.forEach(one -> names.add(one.asText()));
        for (String name : names) {
            if (!Set.of("null", "boolean", "number", "integer", "string", "array", "object")
                    .contains(name)) {
                throw schema.refusal("type", "names no type of JSON: " + name);
            }
        }
        if (names.isEmpty()) {
            throw schema.refusal("type", "must be a string or an array of strings");
        }
        String name = type.name().toLowerCase(Locale.ROOT);
        if (type == JsonType.NUMBER && names.contains("integer") && !names.contains("number")) {
            return List.of(TextShape.of(type, texts.numbers().integers(isHeld)));
        }
        return names.contains(name) == isHeld ? List.of(Shape.anything(type, budget)) : List.of();
    }

    private List<Shape> values(JsonType type, SchemaNode schema, String keyword, boolean isHeld) {
        List<JsonNode> values = new ArrayList<>();
        JsonNode listed = schema.get(keyword);
        if (keyword.equals("const")) {
            addOfType(type, listed, values);
        } else if (listed.isArray()) {
            listed.forEach(value -> addOfType(type, value, values));
        } else {
            throw schema.refusal(keyword, "must be an array");
        }
        budget.spend(listed.size());
        if (isHeld) {
            return values.isEmpty() ? List.of() : List.of(new Shape.Values(type, values));
        } else if (values.isEmpty()) {
            return List.of(Shape.anything(type, budget));
        }
        return switch (type) {
            case NULL -> List.of();
            case BOOLEAN -> {
                Shape.Values both = (Shape.Values) Shape.anything(type, budget);
                List<JsonNode> others = new ArrayList<>(both.values());
                others.removeAll(values);
                yield others.isEmpty() ? List.of() : List.of(new Shape.Values(type, others));
            }
            case NUMBER, STRING -> List.of(TextShape.of(type, texts.allBut(type, values)));
            case ARRAY, OBJECT ->
                throw schema.refusal(keyword, "can't be excluded, as not and oneOf would, for arrays and objects");
        };
    }

    private static void addOfType(JsonType type, JsonNode value, List<JsonNode> into) {
        if (JsonType.of(value) == type) {
            into.add(value);
        }
    }

    private List<Claim> options(SchemaNode schema, String keyword) {
        JsonNode listed = schema.get(keyword);
        if (!listed.isArray() || listed.isEmpty()) {
            throw schema.refusal(keyword, "must be an array of schemas");
        }
        List<Claim> options = new ArrayList<>();
        for (int i = 0; i < listed.size(); i++) {
            options.add(claim(schema, listed.get(i), "/" + keyword + "/" + i));
        }
        return options;
    }

    private List<Claim> opposites(SchemaNode schema, String keyword) {
        return options(schema, keyword).stream().map(Claim::opposite).toList();
    }

    private List<Shape> all(JsonType type, List<Claim> claims) {
        List<Shape> shapes = List.of(Shape.anything(type, budget));
        for (Claim claim : claims) {
            if (!shapes.isEmpty()) {
                shapes = product(shapes, turn(type, claim));
            }
        }
        return shapes;
    }

    private List<Shape> any(JsonType type, List<Claim> claims) {
        List<Shape> shapes = new ArrayList<>();
        for (Claim claim : claims) {
            shapes.addAll(turn(type, claim));
        }
        return limited(shapes);
    }

    private List<Shape> one(JsonType type, SchemaNode schema) {
        List<Claim> options = options(schema, "oneOf");
        List<List<Shape>> each = new ArrayList<>();
        options.forEach(option -> each.add(turn(type, option)));
        List<Shape> shapes = new ArrayList<>();
        for (int i = 0; i < options.size(); i++) {
            List<Shape> only = each.get(i);
            for (int j = 0; j < options.size() && !only.isEmpty(); j++) {
                if (i != j && canBoth(only, each.get(j))) {
                    only = product(only, turn(type, options.get(j).opposite()));
                }
            }
            shapes.addAll(only);
        }
        return limited(shapes);
    }

    /** False only if no value meets both for sure. */
    private boolean canBoth(List<Shape> left, List<Shape> right) {
        List<Shape> both = product(left, right);
        both.removeIf(shape -> shape instanceof ObjectShape object && objects.isImpossible(object));
        return !both.isEmpty() || texts.hasNarrowFormat();
    }

    private List<Shape> notOne(JsonType type, List<Claim> options) {
        List<Shape> shapes =
                new ArrayList<>(all(type, options.stream().map(Claim::opposite).toList()));
        for (int i = 0; i < options.size(); i++) {
            for (int j = i + 1; j < options.size(); j++) {
                shapes.addAll(product(turn(type, options.get(i)), turn(type, options.get(j))));
            }
        }
        return limited(shapes);
    }

    private List<Shape> condition(JsonType type, SchemaNode schema, boolean isHeld) {
        Claim condition = claim(schema, schema.get("if"), "/if");
        List<Shape> shapes = new ArrayList<>();
        for (String keyword : List.of("then", "else")) {
            List<Shape> given = turn(type, keyword.equals("then") ? condition : condition.opposite());
            if (given.isEmpty()) {
                continue;
            }
            if (schema.has(keyword)) {
                Claim then = claim(schema, schema.get(keyword), "/" + keyword);
                shapes.addAll(product(given, turn(type, isHeld ? then : then.opposite())));
            } else if (isHeld) {
                shapes.addAll(given);
            }
        }
        return limited(shapes);
    }
}
