package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.loop.Engines;
import io.radixflow.testkit.FakeEngine;
import io.radixflow.testkit.RecordingListener;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

class EngineMetricsTest {

    private static final String TIME_MODEL = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("bench/time-models/h100-qwen3-0.6b.json")
            .toString();

    @Test
    void registersTheContractsNames() {
        RecordingGroup group = new RecordingGroup("");
        FakeEngine engine = FakeEngine.stepped(4);
        EngineMetrics metrics = new EngineMetrics(group, engine.device(), engine::stats);
        metrics.onEngineRebuild();
        metrics.onDeadLetter();
        metrics.onFirstToken(1_500_000_000, 500_000_000);
        metrics.onToken(20_000_000);
        metrics.onFinish(3_000_000_000L);
        metrics.onGrammarCompiled(40_000_000);

        assertThat(group.metrics.keySet())
                .containsExactlyInAnyOrder(
                        "engine.num_running_reqs",
                        "engine.num_queue_reqs",
                        "engine.num_grammar_queue_reqs",
                        "engine.num_used_tokens",
                        "engine.max_total_num_tokens",
                        "engine.token_usage",
                        "engine.cache_hit_rate",
                        "engine.gen_throughput",
                        "engine.prefill_tokens_per_second",
                        "engine.prompt_tokens_total",
                        "engine.generation_tokens_total",
                        "engine.cached_tokens_total",
                        "engine.num_requests_total",
                        "engine.num_retracted_reqs",
                        "engine.num_aborted_requests_total",
                        "engine.gpu_memory_used_bytes",
                        "engine.cuda_graph_hit_rate",
                        "engine.num_dead_letters_total",
                        "engine.num_engine_rebuilds_total",
                        "engine.time_to_first_token_seconds",
                        "engine.inter_token_latency_seconds",
                        "engine.e2e_request_latency_seconds",
                        "engine.queue_time_seconds",
                        "engine.grammar_compile_seconds");
        assertThat(((Counter) group.metric("num_dead_letters_total")).getCount())
                .isEqualTo(1);
        assertThat(((Counter) group.metric("num_engine_rebuilds_total")).getCount())
                .isEqualTo(1);
        assertThat(((Gauge<?>) group.metric("max_total_num_tokens")).getValue()).isEqualTo(4_096);
        assertThat(group.median("time_to_first_token_seconds")).isEqualTo(1.5);
        assertThat(group.median("queue_time_seconds")).isEqualTo(0.5);
        assertThat(group.median("grammar_compile_seconds")).isEqualTo(0.04);
        assertThat(group.median("inter_token_latency_seconds")).isEqualTo(0.02);
        assertThat(group.median("e2e_request_latency_seconds")).isEqualTo(3.0);
    }

    @Test
    void figuresOfASimulatedDeviceHaveALabelOfTheirOwn() {
        RecordingGroup group = new RecordingGroup("");
        Map<String, String> options = Map.of("device", "simulated", "time-model", TIME_MODEL);
        try (Engine engine = Engines.start(EngineConfig.of(options))) {
            new EngineMetrics(group, engine.device(), engine::stats).onDeadLetter();
        }
        assertThat(group.metrics.keySet()).isNotEmpty().allMatch(name -> name.startsWith("engine.device.simulated."));
    }

    @Test
    void totalsGoOnOverAReplacedEngine() {
        EngineFigures figures = new EngineFigures();
        for (int i = 1; i <= 2; i++) {
            FakeEngine engine = FakeEngine.stepped(4);
            figures.attach(engine);
            engine.open(new RecordingListener())
                    .submit(new GenerationRequest(1, new int[] {1, 2, 3}, SamplingParams.greedy(9)));
            engine.step();
            assertThat(figures.stats().promptTokensTotal()).isEqualTo(3L * i);
            assertThat(figures.stats().numRunningReqs()).isEqualTo(1);
            figures.detach();
            assertThat(figures.stats().generationTokensTotal()).isEqualTo(i);
            assertThat(figures.stats().numRunningReqs()).isZero();
        }
    }

    @Test
    void readsDurationsInSeconds() {
        SecondsHistogram histogram = new SecondsHistogram();
        histogram.updateNanos(1_000_000_000);
        histogram.updateNanos(3_000_000_000L);

        assertThat(histogram.getCount()).isEqualTo(2);
        assertThat(histogram.getStatistics().getMean()).isEqualTo(2.0);
        assertThat(histogram.getStatistics().getMax()).isEqualTo(3);
        assertThat(histogram.getStatistics().getMin()).isEqualTo(1);
        assertThat(histogram.getStatistics().getValues()).containsExactlyInAnyOrder(1, 3);
        assertThat(histogram.getStatistics().size()).isEqualTo(2);
    }

    /** Keeps what is registered, by its full name. */
    private static final class RecordingGroup extends UnregisteredMetricsGroup {

        private final String prefix;
        private final Map<String, Metric> metrics;

        private RecordingGroup(String prefix) {
            this(prefix, new TreeMap<>());
        }

        private RecordingGroup(String prefix, Map<String, Metric> metrics) {
            this.prefix = prefix;
            this.metrics = metrics;
        }

        private Metric metric(String name) {
            Metric metric = metrics.get(EngineMetrics.GROUP + "." + name);
            if (metric == null) {
                throw new AssertionError(name + " is not registered");
            }
            return metric;
        }

        private double median(String name) {
            return ((Histogram) metric(name)).getStatistics().getQuantile(0.5);
        }

        @Override
        public MetricGroup addGroup(String name) {
            return new RecordingGroup(prefix + name + ".", metrics);
        }

        @Override
        public MetricGroup addGroup(String key, String value) {
            return new RecordingGroup(prefix + key + "." + value + ".", metrics);
        }

        @Override
        public Counter counter(String name) {
            Counter counter = super.counter(name);
            metrics.put(prefix + name, counter);
            return counter;
        }

        @Override
        public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
            metrics.put(prefix + name, gauge);
            return gauge;
        }

        @Override
        public <H extends Histogram> H histogram(String name, H histogram) {
            metrics.put(prefix + name, histogram);
            return histogram;
        }
    }
}
