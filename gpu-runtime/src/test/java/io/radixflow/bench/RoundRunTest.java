package io.radixflow.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.bench.WorkloadItem.Sampling;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.loop.Engines;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RoundRunTest {

    private static final String TIMES = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("bench/time-models/h100-qwen3-8b.json")
            .toString();

    private static Engine start(String... options) {
        Map<String, String> texts =
                new HashMap<>(Map.of("device", "simulated", "time-model", TIMES, "simulated-clock", "virtual"));
        for (int i = 0; i < options.length; i += 2) {
            texts.put(options[i], options[i + 1]);
        }
        return Engines.start(EngineConfig.of(texts));
    }

    private static Turn turn(String name, int len, int outputLen) {
        return new Turn(new TokenStream(name).tokens(len, 1000, 2000), outputLen);
    }

    private static Round round(List<List<Turn>> conversations) {
        return new Round("r", "r", true, conversations);
    }

    private static RoundFigures run(Engine engine, Round round) throws InterruptedException {
        return RoundRun.run(engine, round, Sampling.GREEDY, done -> {});
    }

    @Test
    void timesOfALoneRequestAreThoseOfItsSteps() throws InterruptedException {
        try (Engine engine = start("chunked-prefill-size", "100")) {
            RoundFigures figures = run(engine, round(List.of(List.of(turn("a", 150, 11)))));
            assertThat(figures.counts()).isEqualTo(new RoundFigures.Counts(1, 150, 11, 0, 150, 12, 0));
            Map<String, Double> keys = figures.keys();
            double ttft = figures.ttft().mean();
            double tpot = figures.tpot().mean();
            assertThat(keys.get("median_itl_ms")).isEqualTo(tpot, within(0.01)).isBetween(6.0, 7.0);
            assertThat(keys.get("mean_e2e_latency_ms")).isEqualTo(ttft + 10 * tpot, within(0.001));
            assertThat(keys.get("duration")).isEqualTo(figures.e2e().mean() / 1e3, within(1e-6));
            assertThat(keys.get("output_throughput")).isEqualTo(11 / figures.seconds(), within(1e-6));
            assertThat(keys.get("concurrency")).isEqualTo(1, within(1e-6));
            double shown = 0;
            for (double rate : figures.outputRates()) {
                shown += rate * figures.seconds() / figures.outputRates().length;
            }
            assertThat(shown).isEqualTo(11, within(1e-6));
        }
    }

    /** A turn's prompt is all that was said before and the new message; the cache has all of it but the answer's last token. */
    @Test
    void aConversationsTurnsFollowEachOtherAndHitTheCache() throws InterruptedException {
        List<List<Turn>> conversations = new ArrayList<>();
        for (int c = 0; c < 5; c++) {
            conversations.add(List.of(turn(c + "/0", 30, 8), turn(c + "/1", 20, 8), turn(c + "/2", 20, 8)));
        }
        Round round = round(conversations);
        try (Engine engine = start()) {
            RoundFigures.Counts counts = run(engine, round).counts();
            assertThat(counts.completed()).isEqualTo(15);
            assertThat(counts.inputTokens()).isEqualTo(5 * (30 + 58 + 86)).isEqualTo(round.numPromptTokens());
            assertThat(counts.cachedTokens()).isEqualTo(5 * (37 + 65));
            assertThat(counts.prefillTokens()).isEqualTo(PrefixOptimum.prefillTokens(round));
            assertThat(counts.outputTokens()).isEqualTo(120);
        }
    }

    @Test
    void theSameRoundGivesTheSameFiguresOnTheVirtualClock() throws InterruptedException {
        List<List<Turn>> conversations = new ArrayList<>();
        for (int c = 0; c < 300; c++) {
            conversations.add(List.of(turn("p" + c % 7, 200, 30 + c % 13), turn("q" + c, 40, 50)));
        }
        Map<String, Double> first;
        try (Engine engine = start("max-total-tokens", "3000", "schedule-conservativeness", "0.01")) {
            first = run(engine, round(conversations)).keys();
            assertThat(first.get("retractions")).isPositive();
            assertThat(engine.flushCache()).isTrue();
        }
        try (Engine engine = start("max-total-tokens", "3000", "schedule-conservativeness", "0.01")) {
            assertThat(run(engine, round(conversations)).keys()).isEqualTo(first);
        }
    }

    @Test
    void aRequestThatOutgrowsThePoolIsNotCompletedAndItsLaterTurnsAreNotAsked() throws InterruptedException {
        try (Engine engine = start("max-total-tokens", "100")) {
            List<List<Turn>> conversations =
                    List.of(List.of(turn("a", 60, 60), turn("b", 5, 4)), List.of(turn("c", 10, 5)));
            RoundFigures.Counts counts = run(engine, round(conversations)).counts();
            assertThat(counts.completed()).isEqualTo(1);
            assertThat(counts.outputTokens()).isEqualTo(41 + 5);
        }
    }

    @Test
    void quantilesAreInterpolated() {
        Distribution values = new Distribution(new long[] {4_000_000, 1_000_000, 2_000_000, 3_000_000});
        assertThat(values.mean()).isEqualTo(2.5);
        assertThat(values.quantile(0.5)).isEqualTo(2.5);
        assertThat(values.quantile(0.99)).isEqualTo(3.97, within(1e-9));
        assertThat(values.std()).isEqualTo(Math.sqrt(1.25), within(1e-9));
        assertThat(values.percentiles()).hasSize(101).startsWith(1.0).endsWith(4.0);
        assertThat(new Distribution(new long[0]).mean()).isZero();
    }
}
