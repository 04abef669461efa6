package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
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

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
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
        ObjectNode schema = RandomSchemas.root(random);
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
}
