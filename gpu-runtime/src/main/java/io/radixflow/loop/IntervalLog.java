package io.radixflow.loop;

import io.radixflow.schedule.Scheduler;
import io.radixflow.schedule.SchedulerCounters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A line about prefill and one about decode for each interval in which there was any, and the rates of each second. Engine thread only. */
final class IntervalLog {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    private static final double NANOS_PER_SECOND = 1e9;
    /** Between two readings of the rates, if lines are not more frequent. */
    private static final long RATES_NANOS = 1_000_000_000L;

    private final String label;
    private final Scheduler scheduler;
    private final StatsBoard stats;
    private final int maxTotalTokens;
    private final long intervalNanos;

    private long startNanos;
    private long generatedAtStart;
    private long computedAtStart;
    private long cachedAtStart;
    private long startedAtStart;

    private long ratesNanos;
    private long generatedAtRates;
    private long computedAtRates;

    /** @param label in front of each line */
    IntervalLog(
            String label,
            Scheduler scheduler,
            StatsBoard stats,
            int maxTotalTokens,
            double intervalSeconds,
            long nowNanos) {
        this.label = label;
        this.scheduler = scheduler;
        this.stats = stats;
        this.maxTotalTokens = maxTotalTokens;
        intervalNanos = (long) (intervalSeconds * NANOS_PER_SECOND);
        startNanos = nowNanos;
        ratesNanos = nowNanos;
    }

    /** Cheap until rates or an interval are due; at an interval's end logs, starts the next and answers true. */
    boolean tick(long nowNanos) {
        if (nowNanos - ratesNanos >= Math.min(RATES_NANOS, intervalNanos)) {
            publishRates(nowNanos);
        }
        if (nowNanos - startNanos < intervalNanos) {
            return false;
        }
        log(nowNanos);
        return true;
    }

    private void publishRates(long nowNanos) {
        double seconds = (nowNanos - ratesNanos) / NANOS_PER_SECOND;
        long computed = scheduler.counters().computedPromptTokens();
        stats.publishRates(
                (stats.generatedTokens - generatedAtRates) / seconds, (computed - computedAtRates) / seconds);
        ratesNanos = nowNanos;
        generatedAtRates = stats.generatedTokens;
        computedAtRates = computed;
    }

    private void log(long nowNanos) {
        SchedulerCounters counters = scheduler.counters();
        double seconds = (nowNanos - startNanos) / NANOS_PER_SECOND;
        long generated = stats.generatedTokens - generatedAtStart;
        long computed = counters.computedPromptTokens() - computedAtStart;
        double generationRate = generated / seconds;
        double usage = (double) scheduler.numUsedTokens() / maxTotalTokens;
        if (computed > 0) {
            LOG.info(
                    "{}Prefill batch. #new-seq: {}, #new-token: {}, #cached-token: {}, token usage: {}, #running-req: {},"
                            + " #queue-req: {}",
                    label,
                    counters.numStarted() - startedAtStart,
                    computed,
                    counters.cachedTokens() - cachedAtStart,
                    twoDigits(usage),
                    scheduler.numRunning(),
                    scheduler.numWaiting());
        }
        if (generated > 0) {
            LOG.info(
                    "{}Decode batch. #running-req: {}, #token: {}, token usage: {}, gen throughput (token/s): {},"
                            + " #queue-req: {}",
                    label,
                    scheduler.numRunning(),
                    scheduler.numUsedTokens(),
                    twoDigits(usage),
                    twoDigits(generationRate),
                    scheduler.numWaiting());
        }
        startNanos = nowNanos;
        generatedAtStart = stats.generatedTokens;
        computedAtStart = counters.computedPromptTokens();
        cachedAtStart = counters.cachedTokens();
        startedAtStart = counters.numStarted();
    }

    private static double twoDigits(double value) {
        return Math.round(100 * value) / 100.0;
    }
}
