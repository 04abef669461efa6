package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ids in SmolLM2's real vocabulary. */
@Tag("model")
final class HfTokenizerModelTest {

    private static final Path MODELS = Path.of(System.getProperty("radixflow.models"));

    @Test
    void encodesSmolLm2AsThePythonLibraryDoes() {
        try (ModelFiles files = ModelFiles.open(MODELS.resolve("smollm2-135m-instruct"))) {
            Vocabulary v = Objects.requireNonNull(files.text().vocabulary());
            VocabularySpec spec = new VocabularySpec(v.kind(), v.pre(), v.tokens(), v.types(), v.merges());
            try (HfTokenizer tokenizer = HfTokenizer.fromVocabulary(spec)) {
                JsonNode golden = Goldens.json("smollm2-ids.json");
                assertThat(tokenizer.vocabSize()).isEqualTo(49_152);
                HfTokenizerTest.assertIdsMatch(tokenizer, golden);
                assertDecodesToItself(tokenizer);
                assertThat(tokenizer.tokenBytes().isSpecial(tokenizer.idOf("<|im_end|>")))
                        .isTrue();
            }
        }
    }

    /** But for bytes that the vocabulary has no token for: the library leaves them out. */
    private static void assertDecodesToItself(HfTokenizer tokenizer) {
        boolean[] isKnown = knownBytes(tokenizer.tokenBytes());
        for (String text : Goldens.strings(Goldens.json("texts.json"))) {
            ByteArrayOutputStream known = new ByteArrayOutputStream();
            for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
                if (isKnown[b & 0xFF]) {
                    known.write(b);
                }
            }
            assertThat(HfTokenizerTest.decode(tokenizer, tokenizer.encode(text), false))
                    .isEqualTo(NaiveStreamDecoder.decode(known.toByteArray(), true));
        }
    }

    private static boolean[] knownBytes(TokenBytes tokens) {
        boolean[] isKnown = new boolean[256];
        for (int id = 0; id < tokens.vocabSize(); id++) {
            if (tokens.end(id) - tokens.start(id) == 1) {
                isKnown[tokens.bytes()[tokens.start(id)] & 0xFF] = true;
            }
        }
        return isKnown;
    }
}
