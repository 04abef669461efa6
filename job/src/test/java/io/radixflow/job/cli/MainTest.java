package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineOption;
import io.radixflow.engine.EngineOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... arguments) {
        return Main.commandLine(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8))
                .execute(arguments);
    }

    private String errors() {
        return err.toString(UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "label", "generate", "bench", "quickstart"})
    void helpOfACommandThatStartsAnEngineShowsEachRowOfTheOptionTable(String command) {
        assertThat(run(command, "--help")).isZero();
        for (EngineOption<?> option : EngineOptions.all()) {
            assertThat(out.toString(UTF_8)).contains("--" + option.name());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "topic"})
    void helpOfTheOthersNamesTheirSubcommands(String command) {
        assertThat(run(command, "--help")).isZero();
        assertThat(out.toString(UTF_8)).contains("Commands:");
        assertThat(out.toString(UTF_8)).doesNotContain("--mem-fraction-static");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "serve|unknown subcommand 'serve'",
                "model make-tea|unknown subcommand 'make-tea'",
                "model make-random tiny-qwen9 target/x|tiny-qwen9",
                "generate --no-such-flag|unknown option --no-such-flag",
                "generate hi|--model-path is required",
                "generate hi --model-path nowhere|no model at 'nowhere'",
                "generate hi --model-path x --schedule-policy lifo|--schedule-policy takes one of lpm, dfs-weight, fcfs, lof, random, priority, got 'lifo'",
                "generate hi --model-path x --cpu-threads 0|--cpu-threads takes a whole number of at least 1, got '0'",
                "generate --model-path . --temperature -1 hi|--temperature must be 0 or more, got -1.0",
                "generate --model-path . --tools nowhere.json hi|the tools in nowhere.json cannot be read",
                "generate --model-path . --tools pom.xml hi|the tools in pom.xml are no JSON",
                "generate --model-path . --tools x.json --raw hi|--tools needs the chat template that --raw leaves out",
                "stream|Missing required option: '--bootstrap-servers=",
                "stream --bootstrap-servers x:1 --delivery twice|Invalid value for option '--delivery'",
                "stream --bootstrap-servers x:1 --checkpoint-interval soon|takes a number and a unit",
                "stream --bootstrap-servers x:1 --device simulated --time-model ../bench/time-models/h100-qwen3-0.6b.json --transaction-timeout 10min|--transaction-timeout 600 s must be above",
                "stream --bootstrap-servers x:1 --device simulated --time-model ../bench/time-models/h100-qwen3-0.6b.json --kafka-property group.id=x|give it by --group-id",
                "stream --bootstrap-servers x:1 --format xml|--format takes json, avro or avro-confluent, got 'xml'",
                "stream --bootstrap-servers x:1 --format avro-confluent|needs --schema-registry URL",
                "stream --bootstrap-servers x:1 --schema-registry http://x|belong to --format avro-confluent",
                "stream --bootstrap-servers x:1 --format avro-confluent --schema-registry x|takes an address such as http",
                "stream --bootstrap-servers x:1 --format avro-confluent --schema-registry http://x --schema-registry-user u|needs a password in",
                "stream --bootstrap-servers x:1 --format avro-confluent --schema-registry http://x --schema-registry-user u --schema-registry-password-file nowhere|nowhere cannot be read",
                "stream --bootstrap-servers x:1 --device simulated --time-model ../bench/time-models/h100-qwen3-0.6b.json --format avro-confluent --schema-registry http://127.0.0.1:1|the schema registry http://127.0.0.1:1: it does not answer",
                "label --input pom.xml --output target/out --format avro|--format is for stream; label has --input-format and --output-format",
                "label --input pom.xml --output target/out|pom.xml: its name does not tell its format; name it with --input-format jsonl, csv, parquet or avro",
                "label --input pom.xml --input-format xml --output target/out|--input-format takes jsonl, csv, parquet or avro, got 'xml'",
                "label --input pom.xml --input-format avro --output target/out|--input pom.xml: it is no Avro container file",
                "label --input pom.xml --input-format parquet --output target/out|--input pom.xml: it is no whole Parquet file: ",
                "label --input src --output target/out|--input src holds no files of jsonl, csv, parquet or avro",
                "label --input ../examples/tickets.jsonl --output target/out --output-format xml|--output-format takes jsonl, parquet or csv, got 'xml'",
                "label --input ../examples/tickets.jsonl --output target/out --csv-delimiter ab|--csv-delimiter takes one character",
                "label --input ../examples/tickets.jsonl --output target/out --output-columns text|the output has a column 'text' already; give this one another name, such as input_text=text",
                "label --input ../examples/tickets.jsonl --output target/out --schema x.json|--schema x.json does not exist or cannot be read",
                "label --input ../examples/tickets.jsonl --output target/out --schema pom.xml|--schema pom.xml: JSON Schema: ",
                "topic produce prompts --format xml|--format takes json or avro, got 'xml'",
                "label --input nowhere.jsonl --output target/out|--input nowhere.jsonl does not exist",
                "quickstart --prompts nowhere.jsonl|the prompts in nowhere.jsonl cannot be read",
                "quickstart --model nowhere --prompts pom.xml|no model at 'nowhere'",
                "bench --workload nowhere --device simulated|nowhere.json can't be read",
                "bench --device simulated --workload ../bench/workloads/small.json|--time-model is required",
                "bench --repeats 0|--repeats takes 1 or more",
                "bench --workload ../bench/workloads/small.json --items w9|has no item 'w9'; it has w1-b1, ",
                "bench --against pom.xml|result file pom.xml is no JSON text",
                "bench --against nowhere.json|result file nowhere.json can't be read",
                "bench --workload ../bench/workloads/small.json|--model-path is required",
                "model fetch gpt-9|unknown model 'gpt-9'",
                "model inspect nowhere|no model at 'nowhere'",
            })
    void wrongUseIsOneLineWithStatus2(String line, String message) {
        assertThat(run(line.split(" "))).isEqualTo(2);
        assertThat(errors()).startsWith("radixflow: ").contains(message);
        assertThat(errors().lines()).hasSize(1);
    }

    @Test
    void debugShowsTheStackTrace() {
        assertThat(run("--debug", "generate", "hi", "--model-path", "nowhere")).isEqualTo(2);
        assertThat(errors()).contains("no model at 'nowhere'").contains("\tat io.radixflow.job");
    }

    @Test
    void refusesAFileThatIsNoModel(@TempDir Path dir) throws Exception {
        Path file = Files.writeString(dir.resolve("notes.gguf"), "no weights here");
        assertThat(run("model", "inspect", file.toString())).isEqualTo(2);
        assertThat(errors().lines()).hasSize(1);
        assertThat(errors()).contains("notes.gguf");
    }

    @Test
    void versionIsOneLine() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString(UTF_8).lines()).hasSize(1).first().asString().startsWith("radixflow ");
    }
}
