package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ids of a text are the tokenizer's own, whatever was encoded before: for each kind of tokenizer, with a cache that overflows. */
class SegmentCachePropertyTest {

    private static final int MAX_BYTES = 12_000;
    private static final List<String> TEXTS = Goldens.strings(Goldens.json("texts.json"));
    private static final List<String> KINDS = List.of("gpt2", "llama3", "llama2", "mistral", "gemma", "t5");
    private static final List<String> PIECES = List.of(
            "<|im_start|>",
            "<|im_end|>",
            "<|endoftext|>",
            "<think>",
            "</think>",
            "<|im_start",
            "|>",
            "<",
            "<s>",
            "</s>",
            " ",
            "  ",
            "\n",
            "\n\n",
            "\t",
            "system\nBe brief.",
            "user",
            "é",
            "e\u0301",
            "\uD83D\uDE00",
            "\uD83D",
            "\uDE00",
            "▁",
            "1234",
            "don't",
            "\u0000",
            "ﬁ",
            "\u200B",
            "x ");

    @Property(tries = 60)
    void encodesAsTheTokenizerDoes(@ForAll long seed) {
        Random random = new Random(seed);
        for (Tokenizer tokenizer : TOKENIZERS) {
            SegmentCache cache = new SegmentCache(tokenizer, MAX_BYTES);
            for (int i = 0; i < 6; i++) {
                String text = text(random);
                assertThat(cache.encode(text)).as(text).isEqualTo(tokenizer.encode(text));
                assertThat(cache.encode(text)).as(text).isEqualTo(tokenizer.encode(text));
                assertThat(cache.bytes()).isBetween(0L, (long) MAX_BYTES);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {MAX_BYTES, 0})
    void encodesAllGoldenTextsAsTheTokenizerDoes(long maxBytes) {
        for (Tokenizer tokenizer : TOKENIZERS) {
            SegmentCache cache = new SegmentCache(tokenizer, maxBytes);
            for (String text : TEXTS) {
                assertThat(cache.encode(text)).as(text).isEqualTo(tokenizer.encode(text));
                String chat = "<|im_start|>system\n" + text + "<|im_end|>\n<|im_start|>user\n" + text + " <|im_end|>";
                assertThat(cache.encode(chat)).as(chat).isEqualTo(tokenizer.encode(chat));
            }
        }
    }

    private static final List<Tokenizer> TOKENIZERS = tokenizers();

    private static List<Tokenizer> tokenizers() {
        List<Tokenizer> all = new ArrayList<>();
        for (String pre : List.of("smollm", "qwen2")) {
            all.add(HfTokenizer.fromTokenizerJson(Goldens.text("tiny-" + pre + ".json")));
            all.add(HfTokenizer.fromVocabulary(HfTokenizerTest.tinySpec(pre)));
        }
        for (String kind : KINDS) {
            all.add(HfTokenizer.fromTokenizerJson(
                    Goldens.json("kinds.json.gz").get(kind).get("tokenizer").textValue()));
        }
        return all;
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(14); i >= 0; i--) {
            text.append(
                    random.nextInt(3) == 0
                            ? TEXTS.get(random.nextInt(TEXTS.size()))
                            : PIECES.get(random.nextInt(PIECES.size())));
        }
        return text.toString();
    }
}
