package io.radixflow.operators;

import io.radixflow.engine.EngineDevice;
import io.radixflow.engine.EngineStats;
import java.util.function.Supplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** The contract's metrics of one inference subtask, in the group {@code engine}. */
final class EngineMetrics {

    static final String GROUP = "engine";
    static final String DEAD_LETTERS = "num_dead_letters_total";

    private final Counter deadLetters;
    private final Counter rebuilds;
    private final SecondsHistogram timeToFirstToken = new SecondsHistogram();
    private final SecondsHistogram interToken = new SecondsHistogram();
    private final SecondsHistogram endToEnd = new SecondsHistogram();
    private final SecondsHistogram queueTime = new SecondsHistogram();
    private final SecondsHistogram grammarCompile = new SecondsHistogram();

    /** @param stats of the subtask's engines, read by metric threads */
    EngineMetrics(MetricGroup operatorGroup, EngineDevice device, Supplier<EngineStats> stats) {
        MetricGroup group = group(operatorGroup, device);
        gauge(group, "num_running_reqs", () -> stats.get().numRunningReqs());
        gauge(group, "num_queue_reqs", () -> stats.get().numQueueReqs());
        gauge(group, "num_grammar_queue_reqs", () -> stats.get().numGrammarQueueReqs());
        gauge(group, "num_used_tokens", () -> stats.get().numUsedTokens());
        gauge(group, "max_total_num_tokens", () -> stats.get().maxTotalNumTokens());
        gauge(group, "token_usage", () -> stats.get().tokenUsage());
        gauge(group, "cache_hit_rate", () -> stats.get().cacheHitRate());
        gauge(group, "gen_throughput", () -> stats.get().genThroughput());
        gauge(group, "prefill_tokens_per_second", () -> stats.get().prefillThroughput());
        gauge(group, "prompt_tokens_total", () -> stats.get().promptTokensTotal());
        gauge(group, "generation_tokens_total", () -> stats.get().generationTokensTotal());
        gauge(group, "cached_tokens_total", () -> stats.get().cachedTokensTotal());
        gauge(group, "num_requests_total", () -> stats.get().numRequestsTotal());
        gauge(group, "num_retracted_reqs", () -> stats.get().numRetractedReqs());
        gauge(group, "num_aborted_requests_total", () -> stats.get().numAbortedRequestsTotal());
        gauge(group, "gpu_memory_used_bytes", () -> stats.get().deviceUsedBytes());
        gauge(group, "cuda_graph_hit_rate", () -> stats.get().cudaGraphHitRate());
        deadLetters = group.counter(DEAD_LETTERS);
        rebuilds = group.counter("num_engine_rebuilds_total");
        group.histogram("time_to_first_token_seconds", timeToFirstToken);
        group.histogram("inter_token_latency_seconds", interToken);
        group.histogram("e2e_request_latency_seconds", endToEnd);
        group.histogram("queue_time_seconds", queueTime);
        group.histogram("grammar_compile_seconds", grammarCompile);
    }

    /** Figures of a device that isn't there carry a label of their own, so that no dashboard takes them for measurements. */
    private static MetricGroup group(MetricGroup operatorGroup, EngineDevice device) {
        MetricGroup group = operatorGroup.addGroup(GROUP);
        return device.isSimulated() ? group.addGroup("device", "simulated") : group;
    }

    private static void gauge(MetricGroup group, String name, Gauge<Number> value) {
        group.gauge(name, value);
    }

    void onDeadLetter() {
        deadLetters.inc();
    }

    void onEngineRebuild() {
        rebuilds.inc();
    }

    void onFirstToken(long sinceAdmissionNanos, long queuedNanos) {
        timeToFirstToken.updateNanos(sinceAdmissionNanos);
        queueTime.updateNanos(queuedNanos);
    }

    void onToken(long sinceLastTokenNanos) {
        interToken.updateNanos(sinceLastTokenNanos);
    }

    void onGrammarCompiled(long nanos) {
        grammarCompile.updateNanos(nanos);
    }

    void onFinish(long sinceAdmissionNanos) {
        endToEnd.updateNanos(sinceAdmissionNanos);
    }
}
