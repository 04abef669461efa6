package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineDevice;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** The contract's metrics of one inference subtask, in the group {@code engine}. */
final class EngineMetrics {

    static final String GROUP = "engine";
    static final String DEAD_LETTERS = "num_dead_letters_total";

    private final Counter deadLetters;
    private final SecondsHistogram timeToFirstToken = new SecondsHistogram();
    private final SecondsHistogram interToken = new SecondsHistogram();
    private final SecondsHistogram endToEnd = new SecondsHistogram();
    private final SecondsHistogram queueTime = new SecondsHistogram();

    EngineMetrics(MetricGroup operatorGroup, Engine engine) {
        MetricGroup group = group(operatorGroup, engine.device());
        gauge(group, "num_running_reqs", () -> engine.stats().numRunningReqs());
        gauge(group, "num_queue_reqs", () -> engine.stats().numQueueReqs());
        gauge(group, "num_used_tokens", () -> engine.stats().numUsedTokens());
        gauge(group, "max_total_num_tokens", () -> engine.stats().maxTotalNumTokens());
        gauge(group, "token_usage", () -> engine.stats().tokenUsage());
        gauge(group, "cache_hit_rate", () -> engine.stats().cacheHitRate());
        gauge(group, "gen_throughput", () -> engine.stats().genThroughput());
        gauge(group, "prefill_tokens_per_second", () -> engine.stats().prefillThroughput());
        gauge(group, "prompt_tokens_total", () -> engine.stats().promptTokensTotal());
        gauge(group, "generation_tokens_total", () -> engine.stats().generationTokensTotal());
        gauge(group, "cached_tokens_total", () -> engine.stats().cachedTokensTotal());
        gauge(group, "num_requests_total", () -> engine.stats().numRequestsTotal());
        gauge(group, "num_retracted_reqs", () -> engine.stats().numRetractedReqs());
        gauge(group, "num_aborted_requests_total", () -> engine.stats().numAbortedRequestsTotal());
        deadLetters = group.counter(DEAD_LETTERS);
        group.histogram("time_to_first_token_seconds", timeToFirstToken);
        group.histogram("inter_token_latency_seconds", interToken);
        group.histogram("e2e_request_latency_seconds", endToEnd);
        group.histogram("queue_time_seconds", queueTime);
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

    void onFirstToken(long sinceAdmissionNanos, long queuedNanos) {
        timeToFirstToken.updateNanos(sinceAdmissionNanos);
        queueTime.updateNanos(queuedNanos);
    }

    void onToken(long sinceLastTokenNanos) {
        interToken.updateNanos(sinceLastTokenNanos);
    }

    void onFinish(long sinceAdmissionNanos) {
        endToEnd.updateNanos(sinceAdmissionNanos);
    }
}
