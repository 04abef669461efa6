package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.text.TokenBytes;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import net.jqwik.api.lifecycle.AfterContainer;
import org.jspecify.annotations.Nullable;

/** Random schemas, random and adversarial walks, and a well-kept validator's word on what came out. */
class SchemaPropertyTest {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final String[] NAMES = {"a", "b", "id", "näme", "x y"};
    private static final int MAX_TOKENS = 400;
    private static final Map<String, Integer> WALKS = new TreeMap<>();

    /** What a model with one idea prefers to everything else, the end included; after a while all of them want to close. */
    private enum Taste {
        NEWLINE("\n"),
        QUOTE("\""),
        UNIFORM(""),
        LONGEST(""),
        CLOSING("}]\",");

        private final String first;

        Taste(String first) {
            this.first = first;
        }
    }

    private static final SchemaValidatorsConfig CONFIG =
            SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
    private static final JsonSchemaFactory FACTORY = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);

    private final TokenBytes tokens = Vocabularies.random(
            new Random(1),
            new String[] {
                "\"", "a", "b", "{", "}", "[", "]", ",", ":", " ", "0", "1", "2", "é", "\\", "true", "null", "id"
            },
            600);
    private final MaskBuilder masks =
            new MaskBuilder(tokens, new TokenTrie(tokens), new int[] {Vocabularies.end(tokens)});

    @Property(tries = 80)
    void walksThatEndAreInstances(@ForAll long seed) {
        walk(seed);
    }

    @Property(tries = 2000)
    @Tag("soak")
    void manyMoreWalksThatEndAreInstances(@ForAll long seed) {
        walk(seed);
    }

    private void walk(long seed) {
        Random random = new Random(seed);
        ObjectNode schema = root(random);
        CompiledGrammar grammar;
        try {
            grammar = GrammarCompiler.compile(new GrammarSpec(
                    GrammarSpec.Kind.JSON_SCHEMA,
                    schema.toString(),
                    false,
                    style(random),
                    GrammarSpec.Reasoning.NEVER));
        } catch (GrammarException e) {
            return; // impossible or refused; SchemaTest says which
        }
        JsonSchema validator = FACTORY.getSchema(schema, CONFIG);
        for (Taste taste : Taste.values()) {
            String text = walk(random, grammar, taste);
            WALKS.merge(taste + (text == null ? " cut off" : " ended"), 1, Integer::sum);
            if (text != null) {
                JsonNode value = read(text);
                assertThat(validator.validate(value))
                        .as("%s against %s", text, schema)
                        .isEmpty();
                assertThat(new Spellings(grammar).accept(value))
                        .as("%s of %s", text, schema)
                        .isTrue();
            }
        }
    }

    private static JsonStyle style(Random random) {
        return new JsonStyle(JsonStyle.DEFAULT.spacePattern(), random.nextInt(4) == 0);
    }

    @AfterContainer
    static void show() {
        System.out.println("walks: " + WALKS);
    }

    /** As clients read it: of a name that comes twice the last. */
    private static JsonNode read(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
        }
    }

    /** The text of a walk that ended, or null if it got too long. */
    private @Nullable String walk(Random random, CompiledGrammar grammar, Taste taste) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        MatchState state = masks.start(grammar);
        int shortest = 10 + random.nextInt(60);
        for (int i = 0; i < MAX_TOKENS; i++) {
            long[] mask = masks.mask(state);
            int token = choose(random, mask, i < shortest ? taste : Taste.CLOSING);
            if (token == Vocabularies.end(tokens)) {
                return text.toString(StandardCharsets.UTF_8);
            }
            text.write(tokens.bytes(), tokens.start(token), tokens.end(token) - tokens.start(token));
            MatchState next = masks.accept(state, token);
            if (next == null) {
                throw new AssertionError("a token of the mask is not accepted behind " + text);
            }
            state = next;
        }
        return null;
    }

    private int choose(Random random, long[] mask, Taste taste) {
        int end = Vocabularies.end(tokens);
        List<Integer> allowed = new ArrayList<>();
        for (int id = 0; id <= end; id++) {
            if (Vocabularies.isSet(mask, id)) {
                allowed.add(id);
            }
        }
        assertThat(allowed).as("a dead end").isNotEmpty();
        if (taste == Taste.CLOSING && allowed.contains(end)) {
            return end;
        }
        for (int i = 0; i < taste.first.length(); i++) {
            if (allowed.contains((int) taste.first.charAt(i))) {
                return taste.first.charAt(i);
            }
        }
        if (taste == Taste.LONGEST) {
            return allowed.stream()
                    .max((a, b) -> Integer.compare(len(a), len(b)))
                    .orElseThrow();
        }
        return allowed.get(random.nextInt(allowed.size()));
    }

    /** The end has no bytes of its own. */
    private int len(int id) {
        return id == Vocabularies.end(tokens) ? 0 : tokens.end(id) - tokens.start(id);
    }

    private static ObjectNode root(Random random) {
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
