package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Ids and decoded texts in Qwen's real vocabularies are the Python library's, for every text of {@code models/qwen3-tokenizer/cases.jsonl},
 * which {@code dev/golden/qwen_vocabulary.py} writes. CONTRIBUTING.md says how to fetch the vocabularies.
 */
@Tag("qwen")
final class QwenVocabularyTest {

    private static final Path MODELS = Path.of(System.getProperty("radixflow.models"));
    private static final Path QWEN3 = MODELS.resolve("qwen3-tokenizer");
    private static final int MIN_CASES = 100_000;
    private static final int QWEN3_COLUMN = 1;
    private static final int QWEN25_COLUMN = 2; // null where it says what Qwen3's does

    @Test
    void encodesAndDecodesInQwen3sTokenizerJsonAsThePythonLibraryDoes() throws IOException {
        try (HfTokenizer tokenizer = HfTokenizer.fromTokenizerJson(QWEN3.resolve("tokenizer.json"))) {
            assertThat(tokenizer.vocabSize()).isEqualTo(151_669);
            assertThat(tokenizer.tokenBytes().isSpecial(tokenizer.idOf("<|im_end|>")))
                    .isTrue();
            assertThat(tokenizer.tokenBytes().isSpecial(tokenizer.idOf("</think>")))
                    .isFalse();
            check(tokenizer, QWEN3_COLUMN);
        }
    }

    @Test
    void encodesAndDecodesInQwen25sGgufVocabularyAsThePythonLibraryDoes() throws IOException {
        try (ModelFiles files = ModelFiles.open(MODELS.resolve("qwen2.5-coder-0.5b-instruct"))) {
            Vocabulary v = Objects.requireNonNull(files.text().vocabulary());
            VocabularySpec spec = new VocabularySpec(v.kind(), v.pre(), v.tokens(), v.types(), v.merges());
            try (HfTokenizer tokenizer = HfTokenizer.fromVocabulary(spec)) {
                assertThat(tokenizer.vocabSize()).isEqualTo(151_936);
                check(tokenizer, QWEN25_COLUMN);
            }
        }
    }

    private static void check(HfTokenizer tokenizer, int column) throws IOException {
        ObjectMapper json = new ObjectMapper();
        int numCases = 0;
        try (Stream<String> lines = Files.lines(QWEN3.resolve("cases.jsonl"))) {
            for (String line : (Iterable<String>) lines::iterator) {
                JsonNode one = json.readTree(line);
                String text = one.get(0).textValue();
                check(tokenizer, text, one.get(one.get(column).isNull() ? QWEN3_COLUMN : column));
                numCases++;
            }
        }
        assertThat(numCases).isGreaterThanOrEqualTo(MIN_CASES);
    }

    private static void check(HfTokenizer tokenizer, String text, JsonNode expected) {
        int[] ids = Goldens.ints(expected.get(0));
        assertThat(tokenizer.encode(text)).as("ids of \"%s\"", text).isEqualTo(ids);
        for (boolean skipsSpecialTokens : List.of(false, true)) {
            JsonNode decoded = expected.get(skipsSpecialTokens ? 2 : 1);
            assertThat(HfTokenizerTest.decode(tokenizer, ids, skipsSpecialTokens))
                    .as("decoding of %s", expected.get(0))
                    .isEqualTo(decoded.isNull() ? text : decoded.textValue());
        }
    }
}
