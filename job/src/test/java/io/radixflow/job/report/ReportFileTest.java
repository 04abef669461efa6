package io.radixflow.job.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.job.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReportFileTest {

    private static final Path PEERS = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("bench")
            .resolve("peers");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vllm-0.26.0-qwen3-8b",
                "sglang-0.5.16-qwen3-8b",
                "vllm-0.26.0-qwen3-0.6b",
                "sglang-0.5.16-qwen3-0.6b"
            })
    void shippedPeersAreReadable(String name) {
        BenchReport report = ReportFile.read(PEERS.resolve(name + ".json"));
        assertThat(report.engine().isSimulated()).isFalse();
        assertThat(report.item("w3")).isNotNull();
        assertThat(report.items()).allSatisfy(item -> assertThat(item.median()).isNotEmpty());
    }

    @Test
    void whatIsWrittenReadsBackToSixDigits() throws IOException {
        Map<String, Double> figures =
                Map.of("duration", 1234.56789, "completed", 7.0, "median_ttft_ms", 0.000123456789);
        BenchReport.Subject engine = new BenchReport.Subject("Radixflow", "1", "m", "cpu", false);
        BenchReport.Item item = new BenchReport.Item("w3", "W3 <labelling>", figures, List.of(figures), null);
        BenchReport report = new BenchReport(engine, "small", "2026-11-24", "cmd", "here", Map.of(), List.of(item));
        Path file = folder.resolve("report.json");
        ReportFile.write(report, file);
        BenchReport read = ReportFile.read(file);
        assertThat(read.engine()).isEqualTo(engine);
        assertThat(read.items().get(0).title()).isEqualTo("W3 <labelling>");
        assertThat(read.items().get(0).value("duration")).isEqualTo(1234.57, within(1e-9));
        assertThat(read.items().get(0).value("completed")).isEqualTo(7);
        assertThat(read.items().get(0).value("median_ttft_ms")).isEqualTo(0.000123457, within(1e-12));
        assertThat(read.items().get(0).value("nothing")).isNaN();
        assertThat(ReportHtml.page(report, List.of(read)))
                .contains("W3 &lt;labelling&gt;")
                .doesNotContain("<labelling>");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"format\": \"x\"} | needs \"format\": \"radixflow-bench/1\"",
                "{\"format\": \"radixflow-bench/1\"} | needs a text in 'name'",
                "{\"format\": \"radixflow-bench/1\", \"engine\": {\"name\": \"a\", \"version\": \"b\", \"model\": \"c\","
                        + " \"device\": \"d\"}} | has no 'items'",
                "{\"format\": \"radixflow-bench/1\", \"engine\": {\"name\": \"a\", \"version\": \"b\", \"model\": \"c\","
                        + " \"device\": \"d\"}, \"items\": [{\"name\": \"w3\", \"title\": \"t\", \"median\": {\"duration\": \"1\"}}]}"
                        + " | needs a number in 'duration' of item 'w3'",
            })
    void aWrongFileIsRefusedByFieldName(String text, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("peer.json"), text);
        assertThatThrownBy(() -> ReportFile.read(file))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("peer.json")
                .hasMessageContaining(message);
    }

    @Test
    void anAdvantageIsAboveOneWhereOursIsBetter() {
        assertThat(Metric.DURATION.advantage(2, 4)).isEqualTo(2);
        assertThat(Metric.OUTPUT.advantage(2, 4)).isEqualTo(0.5);
        assertThat(Metric.HIT_RATE.advantage(0, 0)).isNaN();
        assertThat(Metric.headline("w1-b8-steady")).isEqualTo(Metric.MEDIAN_TPOT);
        assertThat(Metric.headline("w3")).isEqualTo(Metric.DURATION);
    }
}
