package io.radixflow.job.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.kafka.EmbeddedBroker;
import io.radixflow.job.rows.ColumnType;
import io.radixflow.job.rows.Row;
import io.radixflow.job.rows.RowInput;
import io.radixflow.job.rows.RowReader;
import io.radixflow.job.rows.TableReader;
import io.radixflow.operators.PipelineOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files through a real mini cluster to files, over fake engines. */
class LabelJobIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path dir;

    @ParameterizedTest(name = "in prefix order: {0}")
    @ValueSource(booleans = {false, true})
    @Timeout(120)
    void answersEachRowOnceAndASecondRunOnlyWhatIsNew(boolean isOrdered) throws Exception {
        Path input = dir.resolve("rows.jsonl");
        Path output = Files.createDirectory(dir.resolve("out"));
        Files.writeString(
                input,
                "{\"q\": \"one\", \"k\": 1}\n{\"q\": \"two\"}\n\n{broken\n{\"custom_id\": \"own\", \"q\": \"three\"}\n");

        assertThat(run(input, output, OutputFormat.JSONL, isOrdered)).isEqualTo(3);
        assertThat(ids(output, "answers")).containsExactlyInAnyOrder("rows.jsonl:1", "rows.jsonl:2", "own");
        assertThat(ids(output, "dead-letters")).containsExactly("rows.jsonl:4");
        assertThat(FinishedRows.read(output.toUri().toString()).numRows()).isEqualTo(4);
        assertThat(rows(output, "answers"))
                .filteredOn(row -> row.path("custom_id").asText().equals("rows.jsonl:1"))
                .allSatisfy(row -> assertThat(row.path("columns").toString()).isEqualTo("{\"key\":1}"));

        Files.writeString(input, Files.readString(input) + "{\"q\": \"four\"}\n");
        assertThat(run(input, output, OutputFormat.JSONL, isOrdered)).isEqualTo(1);
        assertThat(ids(output, "answers"))
                .containsExactlyInAnyOrder("rows.jsonl:1", "rows.jsonl:2", "own", "rows.jsonl:6");
        assertThat(ids(output, "dead-letters")).containsExactly("rows.jsonl:4");
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "JSONL")
    @Timeout(120)
    void aTableHasARowForEachInputRowAnsweredOrNot(OutputFormat format) throws Exception {
        Path input = dir.resolve("rows.csv");
        Path output = Files.createDirectory(dir.resolve("out"));
        Files.writeString(input, "q,k\n\"one, or \"\"two\"\"\",7\nonly\nthree,8\n");

        assertThat(run(input, output, format, false)).isEqualTo(2);
        List<JsonNode> rows = table(output);
        assertThat(rows).extracting(row -> row.path("row").asInt()).containsExactlyInAnyOrder(1, 2, 3);
        for (JsonNode row : rows) {
            assertThat(row.path("custom_id").asText())
                    .isEqualTo("rows.csv:" + row.path("row").asInt());
            if (row.path("row").asInt() == 2) {
                assertThat(row.path("error_code").asText()).isEqualTo("invalid_request");
                assertThat(row.path("error_message").asText())
                        .isEqualTo("the row has 1 values, the first line names 2 columns");
                assertThat(row.hasNonNull("text")).isFalse();
            } else {
                assertThat(row.path("text").asText()).isNotEmpty();
                assertThat(row.path("finish_reason").asText()).isEqualTo("length");
                assertThat(row.path("completion_tokens").asInt()).isEqualTo(4);
                assertThat(row.path("key").asText()).isEqualTo(row.path("row").asInt() == 1 ? "7" : "8");
                assertThat(row.hasNonNull("error_code")).isFalse();
            }
        }
        assertThat(FinishedRows.read(output.toUri().toString()).numRows()).isEqualTo(3);
        assertThat(run(input, output, format, false)).isZero();
    }

    private long run(Path input, Path output, OutputFormat format, boolean isOrdered) throws Exception {
        Configuration flink = JobEnvironment.configuration(Map.of(), Duration.ofMillis(300));
        Path state = Files.createTempDirectory(dir, "state");
        StreamExecutionEnvironment env = JobEnvironment.embedded(flink, 1, EmbeddedBroker.freePort(), state);
        LabelPlan plan = new LabelPlan(
                List.of(input.toUri().toString()),
                new RowInput(null, null, false),
                new RowsToRequests(null, "say {q}", null, "{\"max_tokens\": 4}"),
                output.toUri().toString(),
                format,
                List.of(new LabelPlan.Carried("key", "k", ColumnType.TEXT)),
                AnswerColumns.NONE);
        PipelineOptions options = PipelineOptions.defaults().withDeltaOutput(false);
        if (isOrdered) {
            org.apache.flink.core.fs.Path folder = new org.apache.flink.core.fs.Path(
                    Files.createTempDirectory(dir, "order").toUri());
            order(plan, options, folder);
            LabelJob.buildOrdered(env, plan, new FakeEngines(4, 500), options, folder);
        } else {
            LabelJob.build(env, plan, new FakeEngines(4, 500), options);
        }
        try (RunningJob job = RunningJob.submit(env, LabelJob.NAME)) {
            job.await();
            return job.count(LabelJob.ANSWERS);
        }
    }

    private void order(LabelPlan plan, PipelineOptions options, org.apache.flink.core.fs.Path folder) throws Exception {
        Configuration flink = JobEnvironment.sorting(JobEnvironment.configuration(Map.of(), Duration.ofMillis(300)));
        StreamExecutionEnvironment env = JobEnvironment.embedded(flink, 1, 0, Files.createTempDirectory(dir, "state"));
        LabelJob.buildOrder(env, plan, new FakeEngines(4, 500), options, folder);
        try (RunningJob job = RunningJob.submit(env, "order")) {
            job.await();
        }
    }

    private static List<String> ids(Path output, String prefix) throws IOException {
        return rows(output, prefix).stream()
                .map(row -> row.path("custom_id").asText())
                .toList();
    }

    private static List<JsonNode> rows(Path output, String prefix) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (Path file : files(output, prefix)) {
            for (String line : Files.readAllLines(file)) {
                rows.add(JSON.readTree(line));
            }
        }
        return rows;
    }

    private static List<JsonNode> table(Path output) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (Path file : files(output, "answers")) {
            org.apache.flink.core.fs.Path path = new org.apache.flink.core.fs.Path(file.toUri());
            boolean isCsv = path.getName().endsWith(".csv");
            try (RowReader reader = isCsv ? TableReader.csv(path) : new RowInput(null, null, false).open(path)) {
                for (Row row = reader.next(); row != null; row = reader.next()) {
                    rows.add(JSON.readTree(row.value()));
                }
            }
        }
        return rows;
    }

    private static List<Path> files(Path output, String prefix) throws IOException {
        try (Stream<Path> files = Files.list(output)) {
            return files.filter(file -> file.getFileName().toString().startsWith(prefix))
                    .toList();
        }
    }
}
