package io.radixflow.job.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.job.kafka.EmbeddedBroker;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files through a real mini cluster to files, over fake engines. */
class LabelJobIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path dir;

    @Test
    @Timeout(120)
    void answersEachRowOnceAndASecondRunOnlyWhatIsNew() throws Exception {
        Path input = dir.resolve("rows.jsonl");
        Path output = Files.createDirectory(dir.resolve("out"));
        Files.writeString(
                input, "{\"q\": \"one\"}\n{\"q\": \"two\"}\n\n{broken\n{\"custom_id\": \"own\", \"q\": \"three\"}\n");

        assertThat(run(input, output)).isEqualTo(3);
        assertThat(ids(output, "answers")).containsExactlyInAnyOrder("rows.jsonl:1", "rows.jsonl:2", "own");
        assertThat(ids(output, "dead-letters")).containsExactly("rows.jsonl:4");
        assertThat(FinishedRows.read(output)).hasSize(4);

        Files.writeString(input, Files.readString(input) + "{\"q\": \"four\"}\n");
        assertThat(run(input, output)).isEqualTo(1);
        assertThat(ids(output, "answers"))
                .containsExactlyInAnyOrder("rows.jsonl:1", "rows.jsonl:2", "own", "rows.jsonl:6");
        assertThat(ids(output, "dead-letters")).containsExactly("rows.jsonl:4");
    }

    private long run(Path input, Path output) throws Exception {
        Configuration flink = JobEnvironment.configuration(Map.of(), Duration.ofMillis(300));
        Path state = Files.createTempDirectory(dir, "state");
        StreamExecutionEnvironment env = JobEnvironment.embedded(flink, 1, EmbeddedBroker.freePort(), state);
        RowsToRequests requests = new RowsToRequests(null, "say {q}", "{\"max_tokens\": 4}");
        LabelJob.build(
                env,
                List.of(input),
                output,
                requests,
                new FakeEngines(4, 500),
                PipelineOptions.defaults().withDeltaOutput(false));
        try (RunningJob job = RunningJob.submit(env, LabelJob.NAME)) {
            job.await();
            return job.count(LabelJob.ANSWERS);
        }
    }

    private static List<String> ids(Path output, String prefix) throws IOException {
        List<String> ids = new ArrayList<>();
        try (Stream<Path> files = Files.list(output)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith(prefix))
                    .toList()) {
                for (String line : Files.readAllLines(file)) {
                    JsonNode row = JSON.readTree(line);
                    ids.add(row.path("custom_id").asText());
                }
            }
        }
        return ids;
    }
}
