package io.radixflow.loop;

import io.radixflow.engine.EngineStats;
import io.radixflow.schedule.Scheduler;
import io.radixflow.schedule.SchedulerCounters;
import java.util.concurrent.atomic.AtomicLongArray;

/** Where the engine thread leaves its counters for other threads to read: each value whole, together not of one instant. */
final class StatsBoard {

    private static final int RUNNING = 0;
    private static final int WAITING = 1;
    private static final int USED_TOKENS = 2;
    private static final int PROMPT_TOKENS = 3;
    private static final int CACHED_TOKENS = 4;
    private static final int GENERATED_TOKENS = 5;
    private static final int REQUESTS = 6;
    private static final int RETRACTED = 7;
    private static final int ABORTED = 8;
    private static final int GENERATION_RATE = 9;
    private static final int PREFILL_RATE = 10;
    private static final int STEPS = 11;
    private static final int PREFILL_TOKENS = 12;
    private static final int DECODE_STEPS = 13;
    private static final int REPLAYED_STEPS = 14;
    private static final int DEVICE_BYTES = 15;
    private static final int WAITING_FOR_GRAMMAR = 16;
    private static final int NUM_VALUES = 17;

    private final AtomicLongArray values = new AtomicLongArray(NUM_VALUES);
    private final int maxTotalTokens;

    // Engine thread only.
    long numRequests;
    long numAborted;
    long numSteps;
    long numDecodeSteps;
    long numReplayedSteps;
    long generatedTokens;

    StatsBoard(int maxTotalTokens) {
        this.maxTotalTokens = maxTotalTokens;
    }

    /** Engine thread. */
    void publish(Scheduler scheduler, GrammarQueue grammarQueue) {
        SchedulerCounters counters = scheduler.counters();
        values.setOpaque(RUNNING, scheduler.numRunning());
        values.setOpaque(WAITING, scheduler.numWaiting());
        values.setOpaque(WAITING_FOR_GRAMMAR, grammarQueue.size());
        values.setOpaque(USED_TOKENS, scheduler.numUsedTokens());
        values.setOpaque(PROMPT_TOKENS, counters.promptTokens());
        values.setOpaque(CACHED_TOKENS, counters.cachedTokens());
        values.setOpaque(PREFILL_TOKENS, counters.computedPromptTokens());
        values.setOpaque(GENERATED_TOKENS, generatedTokens);
        values.setOpaque(REQUESTS, numRequests);
        values.setOpaque(RETRACTED, counters.numRetractions());
        values.setOpaque(ABORTED, numAborted);
        values.setOpaque(STEPS, numSteps);
        values.setOpaque(DECODE_STEPS, numDecodeSteps);
        values.setOpaque(REPLAYED_STEPS, numReplayedSteps);
    }

    /** Engine thread: rates over the last interval, in tokens per second. */
    void publishRates(double generation, double prefill) {
        values.setOpaque(GENERATION_RATE, Double.doubleToLongBits(generation));
        values.setOpaque(PREFILL_RATE, Double.doubleToLongBits(prefill));
    }

    /** Whoever drives the device. */
    void publishDeviceBytes(long used) {
        values.setOpaque(DEVICE_BYTES, used);
    }

    /** Any thread. */
    EngineStats read() {
        return new EngineStats(
                (int) values.getOpaque(RUNNING),
                (int) values.getOpaque(WAITING),
                (int) values.getOpaque(WAITING_FOR_GRAMMAR),
                (int) values.getOpaque(USED_TOKENS),
                maxTotalTokens,
                values.getOpaque(PROMPT_TOKENS),
                values.getOpaque(CACHED_TOKENS),
                values.getOpaque(PREFILL_TOKENS),
                values.getOpaque(GENERATED_TOKENS),
                values.getOpaque(REQUESTS),
                values.getOpaque(RETRACTED),
                values.getOpaque(ABORTED),
                Double.longBitsToDouble(values.getOpaque(GENERATION_RATE)),
                Double.longBitsToDouble(values.getOpaque(PREFILL_RATE)),
                values.getOpaque(STEPS),
                values.getOpaque(DECODE_STEPS),
                values.getOpaque(REPLAYED_STEPS),
                values.getOpaque(DEVICE_BYTES));
    }
}
