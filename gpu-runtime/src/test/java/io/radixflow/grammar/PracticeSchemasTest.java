package io.radixflow.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.text.TokenBytes;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each schema like those of practice compiles, and walks through it end in its instances. */
class PracticeSchemasTest {

    private static final int WALKS = 6;
    private static final int MAX_TOKENS = 4_000;
    private static final int BYTES = 256;
    /** Its paths must end in the name of a file type. */
    private static final Set<String> NEVER_ENDED_BY_CHANCE = Set.of("unanchored-patterns");

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final TokenBytes TOKENS = Vocabularies.random(
            new Random(1),
            new String[] {"\"", "a", "b", "{", "}", "[", "]", ",", ":", " ", "0", "1", "é", "\\", "true", "name"},
            500);

    private final MaskBuilder masks =
            new MaskBuilder(TOKENS, new TokenTrie(TOKENS), new int[] {Vocabularies.end(TOKENS)});

    static Stream<Arguments> schemas() {
        return PracticeSchemas.all().entrySet().stream().map(one -> Arguments.of(one.getKey(), one.getValue()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("schemas")
    void walksEndInInstances(String name, String schema) throws JsonProcessingException {
        CompiledGrammar grammar = GrammarCompiler.compile(GrammarSpec.of(Kind.JSON_SCHEMA, schema));
        JsonSchema validator =
                JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(MAPPER.readTree(schema));
        int numEnded = 0;
        for (int seed = 0; seed < WALKS; seed++) {
            String text = walk(grammar, new Random(seed));
            if (text != null) {
                numEnded++;
                JsonNode value = MAPPER.readTree(text);
                assertThat(validator.validate(value)).as("%s", text).isEmpty();
            }
        }
        assertThat(numEnded > 0 || NEVER_ENDED_BY_CHANCE.contains(name))
                .as("a walk of %s ends", name)
                .isTrue();
    }

    /** Closes what it may after some tokens; null if it doesn't come to its end. */
    private @Nullable String walk(CompiledGrammar grammar, Random random) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        MatchState state = masks.start(grammar);
        int end = Vocabularies.end(TOKENS);
        for (int i = 0; i < MAX_TOKENS; i++) {
            long[] mask = masks.mask(state);
            if (Vocabularies.isSet(mask, end)) {
                return text.toString(StandardCharsets.UTF_8);
            }
            int token = i > 60 ? closing(mask, random) : any(mask, random, end);
            text.write(TOKENS.bytes(), TOKENS.start(token), TOKENS.end(token) - TOKENS.start(token));
            MatchState next = masks.accept(state, token);
            if (next == null) {
                throw new AssertionError("a token of the mask is not accepted behind " + text);
            }
            state = next;
        }
        return null;
    }

    private static int closing(long[] mask, Random random) {
        for (char value : new char[] {'"', '}', ']'}) {
            if (Vocabularies.isSet(mask, value) && random.nextInt(8) > 0) {
                return value;
            }
        }
        return any(mask, random, BYTES);
    }

    private static int any(long[] mask, Random random, int numIds) {
        IntList allowed = new IntList();
        for (int id = 0; id < numIds; id++) {
            if (Vocabularies.isSet(mask, id)) {
                allowed.add(id);
            }
        }
        return allowed.get(random.nextInt(allowed.size()));
    }
}
