package io.radixflow.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process of {@code label} is killed half way and run again. */
@Tag("slow")
class LabelKillIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NUM_ROWS = 400;
    private static final int NUM_TOKENS = 40;

    /** 10 ms a step: with 16 rows at a time, all take 10 s. */
    private static final String TIME_MODEL = """
            {"name": "slow", "about": ["for a test"],
             "model": {"name": "slow", "vocab_size": 264, "context_length": 512, "kv_cache_tokens": 20000},
             "step": {"fixed_us": 10000, "body": {"weights_us": 1, "row_us": 0}, "head": {"weights_us": 1, "row_us": 0},
              "corner_exponent": 3, "elementwise_token_us": 0, "kv_read_token_us": 0, "attention_pair_us": 0,
              "reads_shared_prefix_once": true}}
            """;

    private static final Path MODEL = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("gpu-runtime/src/test/resources/golden/tiny-llama/tied-q8_0.gguf");

    @TempDir
    private Path dir;

    @Test
    @Timeout(180)
    void eachRowIsAnsweredOnceThoughTheFirstRunIsKilled() throws Exception {
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < NUM_ROWS; i++) {
            rows.append("{\"custom_id\": \"row-")
                    .append(i)
                    .append("\", \"q\": \"say ")
                    .append(i)
                    .append("\"}\n");
        }
        Files.writeString(dir.resolve("rows.jsonl"), rows);
        Files.writeString(dir.resolve("time-model.json"), TIME_MODEL);

        Process first = start("first.log");
        while (answers().size() < NUM_ROWS / 4) {
            assertThat(first.isAlive()).as(() -> log("first.log")).isTrue();
            first.waitFor(50, TimeUnit.MILLISECONDS);
        }
        first.destroyForcibly().waitFor();

        Process second = start("second.log");
        assertThat(second.waitFor()).as(() -> log("second.log")).isZero();
        assertThat(log("second.log")).contains("going on from the last checkpoint");
        assertThat(log("second.log")).contains(NUM_ROWS + " of " + NUM_ROWS);
        Map<String, Integer> times = new HashMap<>();
        for (JsonNode answer : answers()) {
            times.merge(answer.path("custom_id").asText(), 1, Integer::sum);
            assertThat(answer.path("usage").path("completion_tokens").asInt()).isEqualTo(NUM_TOKENS);
        }
        assertThat(times).hasSize(NUM_ROWS);
        assertThat(times.values()).containsOnly(1);
        try (Stream<Path> files = Files.list(dir.resolve("out"))) {
            assertThat(files)
                    .allSatisfy(
                            file -> assertThat(file.getFileName().toString()).doesNotContain("inprogress"));
        }
    }

    private Process start(String log) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--add-"))
                .forEach(command::add);
        command.addAll(List.of(
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(
                "label",
                "--input",
                "rows.jsonl",
                "--output",
                "out",
                "--prompt-column",
                "q",
                "--defaults",
                "{\"max_tokens\": " + NUM_TOKENS + ", \"ignore_eos\": true}",
                "--device",
                "simulated",
                "--time-model",
                "time-model.json",
                "--model-path",
                MODEL.toAbsolutePath().toString(),
                "--max-running-requests",
                "16",
                "--checkpoint-interval",
                "300ms",
                "--dashboard-port",
                "0"));
        return new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve(log).toFile())
                .start();
    }

    private String log(String name) {
        try {
            return Files.readString(dir.resolve(name));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Of the files that are final. */
    private List<JsonNode> answers() throws IOException {
        List<JsonNode> answers = new ArrayList<>();
        Path output = dir.resolve("out");
        if (!Files.isDirectory(output)) {
            return answers;
        }
        try (Stream<Path> files = Files.list(output)) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("answers"))
                    .toList()) {
                for (String line : Files.readAllLines(file)) {
                    answers.add(JSON.readTree(line));
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        }
        return answers;
    }
}
