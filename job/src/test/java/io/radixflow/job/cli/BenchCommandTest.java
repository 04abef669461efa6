package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {

    private static final Path BENCH =
            Path.of(System.getProperty("radixflow.models")).resolveSibling("bench");
    private static final String SMALL = BENCH.resolve("workloads/small.json").toString();
    private static final String TIMES =
            BENCH.resolve("time-models/h100-qwen3-8b.json").toString();
    private static final List<String> LATENCIES = List.of("e2e_latency", "ttft", "tpot", "itl");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    private int run(String... arguments) {
        String[] all = Stream.concat(
                        Stream.of(
                                "bench", "--device", "simulated", "--time-model", TIMES, "--output", folder.toString()),
                        Stream.of(arguments))
                .toArray(String[]::new);
        return Main.commandLine(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8))
                .execute(all);
    }

    private JsonNode report() throws IOException {
        return new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("report.json")));
    }

    @Test
    void runsAllItemsOfAFileAndReportsTheKeysOfServingBenches() throws IOException {
        assertThat(run("--workload", SMALL, "--repeats", "2", "--warmup", "1")).isZero();
        assertThat(err.toString(UTF_8)).isEmpty();
        JsonNode items = report().path("items");
        assertThat(items.findValuesAsText("name"))
                .containsExactly(
                        "w1-b1-cold",
                        "w1-b1-steady",
                        "w1-b8-cold",
                        "w1-b8-steady",
                        "w1-b32-cold",
                        "w1-b32-steady",
                        "w1-b1-sampled-steady",
                        "w1-b8-sampled-steady",
                        "w1-b32-sampled-steady",
                        "w2-1x1024",
                        "w2-8x256",
                        "w3",
                        "w4",
                        "w4-sampled",
                        "w5",
                        "w6");
        for (JsonNode item : items) {
            assertThat(item.path("repeats")).hasSize(2);
            for (String latency : LATENCIES) {
                for (String statistic : List.of("mean", "median", "std", "p99")) {
                    assertThat(item.path("median").has(statistic + "_" + latency + "_ms"))
                            .isTrue();
                }
            }
            assertThat(item.path("median").path("duration").doubleValue()).isPositive();
        }
        JsonNode steady = items.get(3).path("median");
        assertThat(steady.path("completed").intValue()).isEqualTo(8);
        assertThat(steady.path("total_output_tokens").intValue()).isEqualTo(8 * 48);
        assertThat(steady.path("hit_rate").doubleValue()).isBetween(0.99, 1.0);
    }

    @Test
    void everyFormOfAReportSaysThatItIsSimulated() throws IOException {
        assertThat(run("--workload", SMALL, "--items", "w3,w5")).isZero();
        assertThat(out.toString(UTF_8)).contains("SIMULATED, no measurement").contains("round (simulated)");
        JsonNode engine = report().path("engine");
        assertThat(engine.path("simulated").booleanValue()).isTrue();
        assertThat(engine.path("device").textValue()).startsWith("simulated: ");
        String page = Files.readString(folder.resolve("report.html"));
        assertThat(page).contains("<b>Simulated.</b>").contains("(simulated)");
        assertThat(page.split("<article>"))
                .hasSize(3)
                .allSatisfy(part -> assertThat(part).contains("imulated"));
    }

    /** A page that needs the network would be empty where there is none. */
    @Test
    void thePageNeedsNothingElse() throws IOException {
        assertThat(run("--workload", SMALL, "--items", "w6", "--against", BENCH + "/peers/vllm-0.26.0-qwen3-8b.json"))
                .isZero();
        String page = Files.readString(folder.resolve("report.html"));
        assertThat(page)
                .doesNotContain("http")
                .doesNotContain("src=")
                .doesNotContain("@import")
                .contains("vLLM 0.26.0");
        assertThat(out.toString(UTF_8)).contains("vLLM 0.26.0").contains("advantage, simulated");
    }

    /** A report of ours can be set beside a later one: everything is then as good as before. */
    @Test
    void anOwnResultFileIsAPeerToo() throws IOException {
        assertThat(run("--workload", SMALL, "--items", "w1-b8")).isZero();
        Path earlier = Files.move(folder.resolve("report.json"), folder.resolve("earlier.json"));
        out.reset();
        assertThat(run("--workload", SMALL, "--items", "w1-b8", "--against", earlier.toString()))
                .isZero();
        assertThat(out.toString(UTF_8).lines().filter(line -> line.contains("advantage, simulated")))
                .hasSize(2)
                .allSatisfy(line -> assertThat(
                                line.replaceAll("[^0-9.]+", " ").strip().split(" "))
                        .containsOnly("1.00"));
    }

    /** A result of two items that was kept, with one figure of the first one changed as if it had been better or worse. */
    private Path kept(String field, double factor) throws IOException {
        assertThat(run("--workload", SMALL, "--items", "w1-b8")).isZero();
        ObjectNode report = (ObjectNode) report();
        ObjectNode median = (ObjectNode) report.path("items").get(0).path("median");
        median.put(field, factor * median.path(field).doubleValue());
        out.reset();
        return Files.writeString(folder.resolve("kept.json"), report.toString());
    }

    @Test
    void whatGotSlowerThanAKeptResultFailsTheCommand() throws IOException {
        String kept = kept("median_tpot_ms", 0.9).toString();
        assertThat(run("--workload", SMALL, "--items", "w1-b8", "--against", kept))
                .isEqualTo(Main.FAILED);
        assertThat(out.toString(UTF_8))
                .contains("Against " + kept + ", tolerance 3.00 %:")
                .containsPattern("w1-b8-cold +TPOT median, ms .* 1\\.111 +SLOWER")
                .contains("1 of 16 figures got slower by more than 3.00 %");
        assertThat(run("--workload", SMALL, "--items", "w1-b8", "--against", kept, "--tolerance", "0.2"))
                .isZero();
    }

    @Test
    void whatGotFasterThanAKeptResultDoesNot() throws IOException {
        String kept = kept("output_throughput", 0.9).toString();
        assertThat(run("--workload", SMALL, "--items", "w1-b8", "--against", kept, "--tolerance", "0"))
                .isZero();
        assertThat(out.toString(UTF_8)).contains("0 of 16 figures got slower");
    }

    @Test
    void aToleranceNeedsAComparableResult() throws IOException {
        String kept = kept("duration", 1).toString();
        String peer = BENCH + "/peers/vllm-0.26.0-qwen3-8b.json";
        assertThat(run("--workload", SMALL, "--items", "w3", "--against", kept, "--tolerance", "0.03"))
                .isEqualTo(Main.WRONG_USE);
        assertThat(run("--workload", SMALL, "--against", kept, "--tolerance", "-1"))
                .isEqualTo(Main.WRONG_USE);
        assertThat(run("--workload", SMALL, "--against", peer, "--tolerance", "0.03"))
                .isEqualTo(Main.WRONG_USE);
        Files.writeString(Path.of(kept), Files.readString(Path.of(kept)).replace("simulated: ", "another: "));
        assertThat(run("--workload", SMALL, "--items", "w1-b8", "--against", kept, "--tolerance", "0.03"))
                .isEqualTo(Main.WRONG_USE);
        assertThat(err.toString(UTF_8))
                .contains("its 'items' has none of those to run; it has w1-b8-cold, w1-b8-steady")
                .contains("--tolerance takes a share of 0 or more, such as 0.03 for 3 %, got -1.0")
                .contains("--tolerance needs a result file of Radixflow")
                .contains("its 'engine.device' is 'another: ");
        assertThat(run("--workload", SMALL, "--items", "w1-b8", "--against", kept))
                .isZero();
        assertThat(out.toString(UTF_8)).contains("Not judged by " + kept + ": its 'engine.device' is");
    }

    @Test
    void depthFirstOrderComputesEachPrefixOnceEvenWithoutPolicyAndRoom() throws IOException {
        String[] tight = {
            "--workload",
            SMALL,
            "--items",
            "w6",
            "--schedule-policy",
            "fcfs",
            "--max-total-tokens",
            "700",
            "--max-running-requests",
            "2"
        };
        assertThat(run(tight)).isZero();
        JsonNode given = report().path("items").get(0).path("median");
        assertThat(run(Stream.concat(Stream.of(tight), Stream.of("--order", "dfs"))
                        .toArray(String[]::new)))
                .isZero();
        JsonNode dfs = report().path("items").get(0).path("median");
        assertThat(dfs.path("prefill_tokens").intValue())
                .isEqualTo(dfs.path("optimal_prefill_tokens").intValue());
        assertThat(given.path("prefill_tokens").intValue())
                .isGreaterThan(2 * given.path("optimal_prefill_tokens").intValue());
    }

    @Test
    void tokensOrSequencesThatDontFitAreRefusedBeforeAnythingRuns() {
        assertThat(run("--workload", SMALL, "--items", "w2", "--max-total-tokens", "500"))
                .isEqualTo(2);
        assertThat(err.toString(UTF_8))
                .contains("item w2-1x1024 has sequences of 1025 tokens, the engine has room for 500");
    }
}
