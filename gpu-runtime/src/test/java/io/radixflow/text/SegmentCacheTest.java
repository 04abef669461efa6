package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SegmentCacheTest {

    private static final String SYSTEM = "<|im_start|>system\nYou are brief. ".repeat(20) + "<|im_end|>\n";

    /** Counts what is asked of the tokenizer below. */
    private record Counting(Tokenizer tokenizer, List<String> asked) implements Tokenizer {

        @Override
        public int[] encode(String text) {
            asked.add(text);
            return tokenizer.encode(text);
        }

        @Override
        public List<String> separators() {
            return tokenizer.separators();
        }

        @Override
        public int vocabSize() {
            return tokenizer.vocabSize();
        }

        @Override
        public int idOf(String token) {
            return tokenizer.idOf(token);
        }

        @Override
        public TokenBytes tokenBytes() {
            return tokenizer.tokenBytes();
        }

        @Override
        public void close() {
            tokenizer.close();
        }
    }

    @Test
    void encodesASharedSystemPromptOnce() {
        try (Counting tokenizer =
                new Counting(HfTokenizer.fromVocabulary(HfTokenizerTest.tinySpec("smollm")), new ArrayList<>())) {
            SegmentCache cache = new SegmentCache(tokenizer, 1 << 20);
            for (int i = 0; i < 5; i++) {
                cache.encode(SYSTEM + "<|im_start|>user\nQuestion " + i + "<|im_end|>\n<|im_start|>assistant\n");
            }

            assertThat(tokenizer.asked)
                    .containsExactly(
                            "system\nYou are brief. ",
                            "\n",
                            "user\nQuestion 0",
                            "assistant\n",
                            "user\nQuestion 1",
                            "user\nQuestion 2",
                            "user\nQuestion 3",
                            "user\nQuestion 4");
        }
    }

    @Test
    void forgetsWhatWasUsedLongestAgoAndKeepsNothingHuge() {
        try (HfTokenizer tokenizer = HfTokenizer.fromVocabulary(HfTokenizerTest.tinySpec("smollm"))) {
            SegmentCache cache = new SegmentCache(tokenizer, 4_000);
            for (int i = 0; i < 1_000; i++) {
                cache.encode("number " + i);
                assertThat(cache.bytes()).isLessThanOrEqualTo(4_000);
            }
            assertThat(cache.numSegments()).isBetween(10, 25);
            int before = cache.numSegments();
            cache.encode("word ".repeat(1_000));
            assertThat(cache.numSegments()).isEqualTo(before);
        }
    }

    /** In these files encoding a piece by itself may give other ids than in its text. */
    @ParameterizedTest
    @CsvSource({
        "'\"lstrip\":false', '\"lstrip\":true'",
        "'\"rstrip\":false', '\"rstrip\":true'",
        "'\"single_word\":false', '\"single_word\":true'",
        "'\"dropout\":null', '\"dropout\":0.1'",
        "'{\"type\":\"Digits\",\"individual_digits\":true}', '{\"type\":\"Metaspace\",\"prepend_scheme\":\"first\"}'",
        "'{\"type\":\"Digits\"', '{\"type\":\"Novel\"'",
    })
    void isOffWhereAPieceDependsOnItsPlace(String plain, String special) {
        String json = Goldens.text("tiny-smollm.json");
        assertThat(TokenizerJsonReader.read(json).separators()).contains("<|im_start|>", "<|im_end|>");
        assertThat(json).contains(plain);

        assertThat(TokenizerJsonReader.read(json.replace(plain, special)).separators())
                .isEmpty();
    }
}
