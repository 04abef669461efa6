package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.GrammarSpec.Kind;
import io.radixflow.engine.JsonStyle;
import io.radixflow.grammar.MatchState;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written without draws is what a walk that draws every token would have written, and cut as the tokenizer cuts. */
class JumpForwardPropertyTest {

    private static final String[] WORDS = {
        "customer",
        "_id",
        "Category",
        "of the",
        "urgency",
        " ",
        "  ",
        "naïve",
        "日本語",
        "😀",
        "1234",
        "{\"",
        "\":",
        "-->",
        "x"
    };
    private static final int GRAMMARS = 4;
    private static final int MAX_LEN = 200;

    @Property(tries = 6)
    void jumpsWriteWhatDrawsWouldHaveWritten(@ForAll long seed) {
        Random random = new Random(seed);
        for (String kind : JumpScene.KINDS) {
            try (JumpScene scene = new JumpScene(kind)) {
                int numJumps = 0;
                for (int i = 0; i < GRAMMARS; i++) {
                    numJumps += walk(scene, i % 2 == 0 ? schema(random) : regex(random), random);
                }
                assertThat(numJumps).as("jumps with %s", kind).isPositive();
            }
        }
    }

    private static GrammarSpec regex(Random random) {
        StringBuilder pattern = new StringBuilder("[a-z]");
        for (int i = 0; i < 6; i++) {
            pattern.append(random.nextInt(3) == 0 ? "(" + words(random) + "|" + words(random) + ")" : words(random));
            pattern.append(random.nextInt(4) == 0 ? "[0-9a-f]*" : "");
        }
        return GrammarSpec.of(Kind.REGEX, pattern.toString().replace("{", "\\{"));
    }

    private static String words(Random random) {
        StringBuilder all = new StringBuilder();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            all.append(WORDS[random.nextInt(WORDS.length)]);
        }
        return all.toString();
    }

    private static GrammarSpec schema(Random random) {
        StringBuilder properties = new StringBuilder();
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < 4; i++) {
            String name = "\"" + words(random).replace("\"", "\\\"") + i + "\"";
            properties.append(i == 0 ? "" : ",").append(name).append(": ");
            properties.append(
                    random.nextBoolean()
                            ? "{\"type\": \"string\", \"maxLength\": 3}"
                            : "{\"enum\": [\"billing office\", \"bill\", 17]}");
            names.append(i == 0 ? "" : ",").append(name);
        }
        String text = "{\"type\": \"object\", \"properties\": {" + properties + "}, \"required\": [" + names + "]}";
        JsonStyle style = random.nextBoolean() ? JsonStyle.DEFAULT : new JsonStyle("", random.nextBoolean());
        return new GrammarSpec(Kind.JSON_SCHEMA, text, true, style, GrammarSpec.Reasoning.NEVER);
    }

    /** Returns the number of jumps. */
    private static int walk(JumpScene scene, GrammarSpec grammar, Random random) {
        MatchState state = scene.start(grammar);
        int before = JumpForward.NONE;
        int numJumps = 0;
        for (int len = 0; len < MAX_LEN && !state.isFinal(); len++) {
            int drawn = draw(scene, state, random);
            if (drawn == scene.end) {
                break;
            }
            MatchState after = scene.accept(state, drawn);
            int num = scene.jumps.find(before, drawn, after, MAX_LEN);
            List<Integer> found = num == 0 ? List.of(drawn) : scene.found(num);
            if (num > 0) {
                numJumps++;
                check(scene, drawn, after, found, random);
            }
            for (int id : found) {
                assertThat(scene.allowed(state)).contains(id);
                state = scene.accept(state, id);
                before = id;
            }
        }
        return numJumps;
    }

    /** A walk from the drawn token on that draws at random comes by the same bytes. */
    private static void check(JumpScene scene, int drawn, MatchState after, List<Integer> found, Random random) {
        byte[] jumped = scene.bytesOf(found);
        List<Integer> plain = new ArrayList<>(List.of(drawn));
        assertThat(jumped.length).isGreaterThan(scene.bytesOf(plain).length);
        MatchState at = after;
        while (scene.bytesOf(plain).length < jumped.length) {
            int next = draw(scene, at, random);
            plain.add(next);
            at = scene.accept(at, next);
        }
        assertThat(scene.bytesOf(plain)).startsWith(jumped);
    }

    private static int draw(JumpScene scene, MatchState state, Random random) {
        List<Integer> allowed = scene.allowed(state);
        return allowed.get(random.nextInt(allowed.size()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-smollm", "tiny-qwen2", "gpt2", "llama3"})
    void aTextThatIsForcedToItsEndIsCutAsTheTokenizerCutsIt(String kind) {
        try (JumpScene scene = new JumpScene(kind)) {
            String text = "{\"customer_category\": \"the\", \"naïve 日本語\": 1234}";
            int[] whole = scene.tokenizer.encode(text);
            String choice = "[\"" + text.replace("\"", "\\\"") + "\"]";
            MatchState after = scene.accept(scene.start(GrammarSpec.of(Kind.CHOICE, choice)), whole[0]);
            int num = scene.jumps.find(JumpForward.NONE, whole[0], after, MAX_LEN);
            assertThat(scene.found(num))
                    .containsExactlyElementsOf(Arrays.stream(whole).boxed().toList());
            assertThat(scene.jumps.find(JumpForward.NONE, whole[0], after, num - 1))
                    .as("no room for all")
                    .isZero();
        }
    }

    @Test
    void specialTokensSpelledInAForcedTextAreNotJumpedTo() {
        try (JumpScene scene = new JumpScene("tiny-smollm")) {
            MatchState start = scene.start(GrammarSpec.of(Kind.CHOICE, "[\"a" + JumpScene.END + "b\"]"));
            int first = scene.tokenizer.encode("a")[0];
            assertThat(scene.jumps.find(JumpForward.NONE, first, scene.accept(start, first), MAX_LEN))
                    .isZero();
        }
    }

    @Test
    void theEndOfAForcedTextIsLeftToTheModelWhereALongerTokenMayCome() {
        try (JumpScene scene = new JumpScene("gpt2")) {
            int[] ids = scene.tokenizer.encode("the customer of the");
            MatchState start = scene.start(GrammarSpec.of(Kind.REGEX, "the customer of th[a-z]+"));
            int num = scene.jumps.find(JumpForward.NONE, ids[0], scene.accept(start, ids[0]), MAX_LEN);
            assertThat(new String(scene.bytesOf(scene.found(num)), StandardCharsets.UTF_8))
                    .isEqualTo("the customer of");
        }
    }
}
