package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.radixflow.job.rows.ColumnType;
import io.radixflow.job.rows.Row;
import io.radixflow.job.rows.RowInput;
import io.radixflow.job.rows.RowReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code label --schema} on the simulated device, whose random answers fit the schema and reach their columns. */
class LabelSchemaIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final RowInput BY_NAME = new RowInput(null, null, false);
    private static final String SCHEMA = """
            {"type": "object",
             "properties": {
               "category": {"enum": ["bug", "praise", "question"]},
               "priority": {"type": "integer", "minimum": 1, "maximum": 5},
               "share": {"enum": [0.25, 0.5, 1]},
               "urgent": {"type": "boolean"},
               "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
               "text": {"type": ["string", "null"], "maxLength": 5}},
             "required": ["category", "priority", "share", "urgent", "tags", "text"]}
            """;
    private static final String TIME_MODEL = """
            {"name": "fast", "about": ["for a test"],
             "model": {"name": "fast", "vocab_size": 264, "context_length": 1024, "kv_cache_tokens": 20000},
             "step": {"fixed_us": 10, "body": {"weights_us": 1, "row_us": 0}, "head": {"weights_us": 1, "row_us": 0},
              "corner_exponent": 3, "elementwise_token_us": 0, "kv_read_token_us": 0, "attention_pair_us": 0,
              "reads_shared_prefix_once": true}}
            """;
    private static final Path MODEL = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("gpu-runtime/src/test/resources/golden/tiny-llama/tied-q8_0.gguf");

    @TempDir
    private Path dir;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "csv"})
    @Timeout(120)
    void eachPropertyIsAColumn(String format) throws Exception {
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            rows.append("{\"custom_id\": \"r").append(i).append("\", \"prompt\": \"ab\", \"max_tokens\": 400}\n");
        }
        rows.append("{\"custom_id\": \"cut\", \"prompt\": \"ab\", \"max_tokens\": 5}\n");
        rows.append("{\"custom_id\": \"bad\", \"prompt\": \"ab\", \"max_tokens\": -1}\n");
        Files.writeString(dir.resolve("rows.jsonl"), rows);
        Files.writeString(dir.resolve("schema.json"), SCHEMA);
        Files.writeString(dir.resolve("time-model.json"), TIME_MODEL);

        assertThat(label(format)).as(said.toString(UTF_8)).isZero();

        Map<String, JsonNode> labels = read(format);
        assertThat(labels).hasSize(22);
        AnswerCheck check = new AnswerCheck(SCHEMA);
        for (int i = 0; i < 20; i++) {
            JsonNode row = labels.getOrDefault("r" + i, MissingNode.getInstance());
            assertThat(row.path("finish_reason").asText()).isEqualTo("stop");
            assertThat(check.isValid(row.path("text").asText())).isTrue();
            JsonNode answer = JSON.readTree(row.path("text").asText());
            assertThat(row.path("category").asText())
                    .isEqualTo(answer.path("category").textValue());
            assertThat(row.path("priority").asText())
                    .isEqualTo(answer.path("priority").asText());
            assertThat(row.path("share").asDouble())
                    .isEqualTo(answer.path("share").doubleValue());
            assertThat(row.path("urgent").asText())
                    .isEqualTo(answer.path("urgent").asText());
            assertThat(row.path("tags").asText()).isEqualTo(answer.path("tags").toString());
            assertThat(row.path("answer_text").asText(""))
                    .isEqualTo(answer.path("text").asText(""));
        }
        assertThat(labels.getOrDefault("cut", MissingNode.getInstance())
                        .path("finish_reason")
                        .asText())
                .isEqualTo("length");
        assertThat(labels.getOrDefault("bad", MissingNode.getInstance())
                        .path("error_code")
                        .asText())
                .isEqualTo("invalid_request");
        for (String failed : new String[] {"cut", "bad"}) {
            JsonNode row = labels.getOrDefault(failed, MissingNode.getInstance());
            assertThat(row.path("category").asText("")).isEmpty();
            assertThat(row.path("priority").asText("")).isEmpty();
        }
    }

    private int label(String format) {
        PrintStream out = new PrintStream(said, true, UTF_8);
        String line = "label --input ROWS --output OUT --schema SCHEMA --output-format " + format
                + " --device simulated --time-model TIME --model-path " + MODEL.toAbsolutePath()
                + " --dashboard-port 0";
        return Main.commandLine(out, out)
                .execute(line.replace("ROWS", dir.resolve("rows.jsonl").toString())
                        .replace("OUT", dir.resolve("out").toString())
                        .replace("SCHEMA", dir.resolve("schema.json").toString())
                        .replace("TIME", dir.resolve("time-model.json").toString())
                        .split(" "));
    }

    private Map<String, JsonNode> read(String format) throws IOException {
        Map<String, JsonNode> labels = new HashMap<>();
        try (Stream<Path> files = Files.list(dir.resolve("out"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith("." + format)).toList()) {
                org.apache.flink.core.fs.Path path = new org.apache.flink.core.fs.Path(file.toUri());
                if (format.equals("parquet")) {
                    assertThat(BY_NAME.columns(path))
                            .containsEntry("category", ColumnType.TEXT)
                            .containsEntry("priority", ColumnType.LONG)
                            .containsEntry("share", ColumnType.DOUBLE)
                            .containsEntry("urgent", ColumnType.BOOLEAN)
                            .containsEntry("tags", ColumnType.JSON)
                            .containsEntry("answer_text", ColumnType.TEXT);
                }
                try (RowReader reader = BY_NAME.open(path)) {
                    for (Row row = reader.next(); row != null; row = reader.next()) {
                        JsonNode label = JSON.readTree(row.value());
                        assertThat(labels.put(label.path("custom_id").asText(), label))
                                .isNull();
                    }
                }
            }
        }
        return labels;
    }
}
