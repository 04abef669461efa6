package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.engine.EngineException;
import io.radixflow.testkit.PropertyEvents;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Whatever is done to a tokenizer.json, it is refused in one line or gives a tokenizer whose ids stand for text. */
final class TokenizerJsonPropertyTest {

    private static final int EVENTS_OF_A_FILE = 100;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> FILES = files();
    private static final List<String> TEXTS = Goldens.strings(Goldens.json("texts.json"));
    private static final String[] VALUES = {
        "null",
        "true",
        "{}",
        "[]",
        "[[]]",
        "0",
        "-1",
        "1",
        "7",
        "2147483648",
        "1e400",
        "0.5",
        "\"\"",
        "\"a\"",
        "\"\\u2581\"",
        "\"<0xZZ>\"",
        "\"BPE\"",
        "\"Unigram\"",
        "\"ByteLevel\"",
        "\"Sequence\"",
        "{\"type\":\"ByteFallback\"}",
        "{\"type\":\"Metaspace\"}",
        "[\"a\",\"b\"]",
        "{\"Regex\":\"(\"}",
        "{\"String\":\"\"}",
        "{\"a\":0}",
        "[[\"a\",-1.5]]",
        "\"\\ud83d\\ude00\""
    };
    private static final String[] FRAGMENTS = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        "null",
        "0",
        "9999999999",
        "-",
        "\n",
        "\u0000",
        "\"id\":3",
        "[".repeat(200)
    };

    @Property(tries = PropertyEvents.TRIES)
    void mutatedFilesAreReadOrRefused(@ForAll long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_A_FILE; i++) {
            String file = FILES.get(random.nextInt(FILES.size()));
            check(random.nextInt(3) == 0 ? withOtherText(file, random) : withOtherValues(file, random), random);
        }
    }

    private static void check(String json, Random random) {
        try (HfTokenizer tokenizer = HfTokenizer.fromTokenizerJson(json)) {
            for (int i = 0; i < 3; i++) {
                int[] ids = tokenizer.encode(TEXTS.get(random.nextInt(TEXTS.size())));
                assertThat(HfTokenizerTest.decode(tokenizer, ids, random.nextBoolean()))
                        .isNotNull();
                for (int id : ids) {
                    assertThat(id).isBetween(0, tokenizer.vocabSize() - 1);
                }
            }
        } catch (EngineException e) {
            assertThat(e.category()).isEqualTo(EngineException.Category.CONFIGURATION);
            assertThat(e.getMessage()).matches("[^\\n]+");
        }
    }

    /** Still JSON: values exchanged, removed or added, anywhere. */
    private static String withOtherValues(String file, Random random) {
        JsonNode root = parse(file);
        for (int i = random.nextInt(3); i >= 0; i--) {
            List<JsonNode> containers = new ArrayList<>();
            collect(root, containers);
            mutate(containers.get(random.nextInt(containers.size())), random);
        }
        return root.toString();
    }

    private static void collect(JsonNode node, List<JsonNode> into) {
        if (node.isContainerNode() && !node.isEmpty()) {
            into.add(node);
            int numCollected = 0;
            for (JsonNode child : node) {
                if (numCollected++ < 20) { // a vocabulary is no more than other lists
                    collect(child, into);
                }
            }
        }
    }

    private static void mutate(JsonNode container, Random random) {
        JsonNode value = parse(VALUES[random.nextInt(VALUES.length)]);
        int at = random.nextInt(container.size());
        if (container instanceof ArrayNode array) {
            switch (random.nextInt(3)) {
                case 0 -> array.remove(at);
                case 1 -> array.insert(at, array.get(random.nextInt(array.size())));
                default -> array.set(at, value);
            }
        } else if (container instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            switch (random.nextInt(3)) {
                case 0 -> object.remove(names.get(at));
                case 1 -> object.set(names.get(at), object.get(names.get(random.nextInt(names.size()))));
                default -> object.set(names.get(at), value);
            }
        }
    }

    private static String withOtherText(String file, Random random) {
        StringBuilder text = new StringBuilder(file);
        for (int i = random.nextInt(3); i >= 0; i--) {
            int from = random.nextInt(text.length());
            int to = Math.min(text.length(), from + random.nextInt(12));
            switch (random.nextInt(4)) {
                case 0 -> text.delete(from, to);
                case 1 -> text.insert(from, FRAGMENTS[random.nextInt(FRAGMENTS.length)]);
                case 2 -> text.setLength(from + 1);
                default -> text.setCharAt(from, (char) random.nextInt(256));
            }
        }
        return text.toString();
    }

    private static List<String> files() {
        List<String> files =
                new ArrayList<>(List.of(Goldens.text("tiny-smollm.json"), Goldens.text("tiny-qwen2.json")));
        for (JsonNode kind : Goldens.json("kinds.json.gz")) {
            files.add(kind.get("tokenizer").textValue());
        }
        return files;
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
