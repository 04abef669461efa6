package io.radixflow.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnswerSchemaTest {

    @TempDir
    Path folder;

    private Path write(String schema) throws IOException {
        return Files.writeString(folder.resolve("s.json"), schema);
    }

    @Test
    void becomesADefaultThatOthersStandBeside() throws IOException {
        assertThat(AnswerSchema.read(write("{\"type\":\"null\"}")).addTo("{\"max_tokens\":8}"))
                .isEqualTo("{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\","
                        + "\"strict\":true,\"schema\":{\"type\":\"null\"}}},\"max_tokens\":8}");
    }

    @Test
    void isRefusedAtTheStartIfItCannotBeEnforced() throws IOException {
        Path file = write("{\"properties\":{\"a\":{\"$dynamicRef\":\"#x\"}}}");
        assertThatThrownBy(() -> AnswerSchema.read(file))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("s.json: JSON Schema: $dynamicRef at #/properties/a");
    }

    @Test
    void isRefusedBesideADefaultThatSaysTheSame() throws IOException {
        AnswerSchema schema = AnswerSchema.read(write("true"));
        assertThatThrownBy(() -> schema.addTo("{\"regex\":\"a\"}"))
                .isInstanceOf(UserException.class)
                .hasMessage(
                        "--schema and the regex of --defaults both say what an answer must be; leave one of them out");
    }
}
