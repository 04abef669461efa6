package io.radixflow.grammar;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Random;

/** Small random schemas of most keywords, with recursion through two definitions. */
final class RandomSchemas {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String[] NAMES = {"a", "b", "id", "näme", "x y"};

    private RandomSchemas() {}

    static ObjectNode root(Random random) {
        ObjectNode root = schema(random, 3);
        ObjectNode defs = JSON.objectNode();
        defs.set("one", schema(random, 2));
        defs.set("two", schema(random, 2));
        root.set("$defs", defs);
        return root;
    }

    private static ObjectNode schema(Random random, int depth) {
        ObjectNode schema = JSON.objectNode();
        if (depth == 0) {
            return scalar(random, schema);
        }
        switch (random.nextInt(9)) {
            case 0 -> scalar(random, schema);
            case 1 -> schema.put("$ref", random.nextBoolean() ? "#/$defs/one" : "#/$defs/two");
            case 2 -> schema.set(random.nextBoolean() ? "anyOf" : "oneOf", list(random, depth - 1));
            case 3 -> schema.set("allOf", list(random, depth - 1));
            case 4 -> array(random, schema, depth);
            case 5 -> {
                schema.set("not", schema(random, 0));
                schema.put("type", random.nextBoolean() ? "string" : "number");
            }
            default -> object(random, schema, depth);
        }
        return schema;
    }

    private static ArrayNode list(Random random, int depth) {
        ArrayNode list = JSON.arrayNode();
        for (int i = 0; i < 2; i++) {
            list.add(schema(random, depth));
        }
        return list;
    }

    private static ObjectNode scalar(Random random, ObjectNode schema) {
        switch (random.nextInt(6)) {
            case 0 ->
                schema.put("type", "string")
                        .put("minLength", random.nextInt(3))
                        .put("maxLength", 3 + random.nextInt(20));
            case 1 ->
                schema.put("type", "integer")
                        .put("minimum", random.nextInt(100) - 50)
                        .put("maximum", 60 + random.nextInt(100));
            case 2 -> schema.put("type", "number").put("exclusiveMaximum", random.nextInt(100) / 8.0);
            case 3 ->
                schema.set(
                        "enum",
                        JSON.arrayNode()
                                .add("a")
                                .add(random.nextInt(5))
                                .add(true)
                                .add("é\"\n"));
            case 4 -> schema.put("type", "string").put("pattern", random.nextBoolean() ? "^[ab]+$" : "a1");
            default -> schema.put("type", random.nextBoolean() ? "boolean" : "null");
        }
        return schema;
    }

    private static void array(Random random, ObjectNode schema, int depth) {
        schema.put("type", "array");
        if (random.nextBoolean()) {
            schema.set("items", schema(random, depth - 1));
        }
        if (random.nextInt(3) == 0) {
            schema.set("prefixItems", list(random, depth - 1));
        }
        if (random.nextInt(3) == 0) {
            schema.set("contains", schema(random, 0));
        }
        if (random.nextBoolean()) {
            schema.put("minItems", random.nextInt(3)).put("maxItems", 2 + random.nextInt(20));
        }
    }

    private static void object(Random random, ObjectNode schema, int depth) {
        schema.put("type", "object");
        ObjectNode properties = JSON.objectNode();
        ArrayNode required = JSON.arrayNode();
        for (String name : NAMES) {
            if (random.nextBoolean()) {
                properties.set(name, schema(random, depth - 1));
            }
            if (random.nextInt(3) == 0) {
                required.add(name);
            }
        }
        schema.set("properties", properties);
        schema.set("required", required);
        switch (random.nextInt(5)) {
            case 0 -> schema.put("additionalProperties", false);
            case 1 -> schema.set("additionalProperties", schema(random, 0));
            case 2 -> schema.set("patternProperties", JSON.objectNode().set("^a", schema(random, 0)));
            case 3 -> schema.put("minProperties", random.nextInt(3)).put("maxProperties", 3 + random.nextInt(3));
            default ->
                schema.set(
                        "dependentRequired",
                        JSON.objectNode().set("a", JSON.arrayNode().add("b")));
        }
        if (random.nextInt(4) == 0) {
            schema.set(
                    "if", JSON.objectNode().set("properties", JSON.objectNode().set("a", schema(random, 0))));
            schema.set(
                    "then", JSON.objectNode().set("required", JSON.arrayNode().add("id")));
        }
    }
}
