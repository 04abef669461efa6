package io.radixflow.job.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SlowdownsTest {

    private static final BenchReport.Subject ENGINE = new BenchReport.Subject("Radixflow", "1", "m", "cpu", false);
    private static final double TOLERANCE = 0.03;

    private static BenchReport.Item item(String name, Map<String, Double> median) {
        return new BenchReport.Item(name, name, median, List.of(), null);
    }

    private static BenchReport report(BenchReport.Item... items) {
        return new BenchReport(ENGINE, "small", "", "", "", Map.of(), List.of(items));
    }

    private static Slowdowns of(String key, double before, double now) {
        return Slowdowns.of(report(item("w1", Map.of(key, now))), report(item("w1", Map.of(key, before))), TOLERANCE);
    }

    @Test
    void aTimeIsWorseWhenItGrows() {
        assertThat(of("median_tpot_ms", 10, 10.2).all()).hasSize(1);
        assertThat(of("median_tpot_ms", 10, 10.2).isBeyondTolerance()).isFalse();
        assertThat(of("median_tpot_ms", 10, 10.4).isBeyondTolerance()).isTrue();
        assertThat(of("median_tpot_ms", 10, 9).all()).isEmpty();
        assertThat(of("median_tpot_ms", 10, 10).all()).isEmpty();
    }

    @Test
    void aRateIsWorseWhenItFalls() {
        assertThat(of("output_throughput", 1000, 1100).all()).isEmpty();
        assertThat(of("output_throughput", 1000, 975).isBeyondTolerance()).isFalse();
        assertThat(of("output_throughput", 1000, 970).isBeyondTolerance()).isTrue(); // 3.1 % more time a token
        assertThat(of("output_throughput", 1000, 970).lines("old.json"))
                .anySatisfy(line ->
                        assertThat(line.replaceAll(" +", " ")).isEqualTo(" w1 output, tok/s 1,000 970 0.970 SLOWER"));
    }

    @Test
    void oneSlowStepJudgesNothing() {
        Slowdowns slowdowns = of("p99_itl_ms", 10, 20);
        assertThat(slowdowns.all()).hasSize(1);
        assertThat(slowdowns.isBeyondTolerance()).isFalse();
        assertThat(slowdowns.lines("old.json")).anyMatch(line -> line.endsWith("(not judged)"));
    }

    @Test
    void whatOneResultLacksIsNotCompared() {
        BenchReport kept =
                report(item("w1", Map.of("duration", 1.0, "median_tpot_ms", 0.0)), item("w2", Map.of("duration", 1.0)));
        BenchReport now =
                report(item("w1", Map.of("duration", 1.0, "median_tpot_ms", 5.0)), item("w3", Map.of("duration", 9.0)));
        Slowdowns slowdowns = Slowdowns.of(now, kept, TOLERANCE);
        assertThat(slowdowns.all()).isEmpty();
        assertThat(slowdowns.numCompared()).isEqualTo(1);
        assertThat(slowdowns.lines("old.json"))
                .contains("not run, so not compared: w2", "0 of 1 figures got slower by more than 3.00 %");
    }

    @Test
    void timesOfAnotherDeviceOrModelAreNoMeasure() {
        BenchReport kept = report(item("w1", Map.of("duration", 1.0)));
        assertThat(Slowdowns.mismatch(ENGINE, "small", kept)).isNull();
        assertThat(Slowdowns.mismatch(ENGINE, "large", kept))
                .isEqualTo("its 'workload' is 'small', this run's is 'large'");
        assertThat(Slowdowns.mismatch(new BenchReport.Subject("Radixflow", "2", "m", "cuda", false), "small", kept))
                .isEqualTo("its 'engine.device' is 'cpu', this run's is 'cuda'");
        assertThat(Slowdowns.mismatch(new BenchReport.Subject("Radixflow", "2", "n", "cpu", false), "small", kept))
                .contains("engine.model");
        assertThat(Slowdowns.mismatch(new BenchReport.Subject("Radixflow", "2", "m", "cpu", true), "small", kept))
                .contains("engine.simulated");
    }
}
