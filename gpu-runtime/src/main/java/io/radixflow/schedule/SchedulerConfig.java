package io.radixflow.schedule;

import io.radixflow.cache.EvictionOrder;

/**
 * What the scheduler may use and how it chooses.
 *
 * @param numSlots KV slots of the pool, a multiple of the page size
 * @param contextLen most tokens of one sequence
 * @param maxRunning most sequences in one step
 * @param chunkedPrefillSize most prompt tokens that one step computes
 * @param maxPrefillTokens most prompt tokens that one step admits
 * @param policy order of waiting requests
 * @param conservativeness factor on the share of future tokens for which slots are kept free
 * @param hasRadixCache whether prefixes are shared
 * @param retractEverySteps retracts a sequence every so many steps although nothing is short, a test's switch; 0 is off
 * @param pageSize KV slots that are handed out and shared together, a power of two
 * @param evictionOrder which cached prefixes go first
 */
public record SchedulerConfig(
        int numSlots,
        int contextLen,
        int maxRunning,
        int chunkedPrefillSize,
        int maxPrefillTokens,
        Policy policy,
        double conservativeness,
        boolean hasRadixCache,
        int retractEverySteps,
        int pageSize,
        EvictionOrder evictionOrder) {

    /** Order of waiting requests. */
    public enum Policy {
        /** Longest prefix match. */
        LPM,
        /** Depth first through the tree of waiting prompts, where most wait first. */
        DFS_WEIGHT,
        /** First come, first served. */
        FCFS,
        /** Longest output first. */
        LOF,
        /** Without pattern. */
        RANDOM,
        /** Highest priority first. */
        PRIORITY
    }

    /** Pages of one slot, the least recently used prefix evicted first. */
    @SuppressWarnings("checkstyle:ParameterNumber") // the record's, in its order
    public SchedulerConfig(
            int numSlots,
            int contextLen,
            int maxRunning,
            int chunkedPrefillSize,
            int maxPrefillTokens,
            Policy policy,
            double conservativeness,
            boolean hasRadixCache,
            int retractEverySteps) {
        this(
                numSlots,
                contextLen,
                maxRunning,
                chunkedPrefillSize,
                maxPrefillTokens,
                policy,
                conservativeness,
                hasRadixCache,
                retractEverySteps,
                1,
                EvictionOrder.LRU);
    }

    public SchedulerConfig {
        if (numSlots < 1 || contextLen < 1 || maxRunning < 1 || chunkedPrefillSize < 1 || maxPrefillTokens < 1) {
            throw new IllegalArgumentException("scheduler limits must be at least 1: slots " + numSlots + ", context "
                    + contextLen + ", running " + maxRunning + ", chunk " + chunkedPrefillSize + ", prefill "
                    + maxPrefillTokens);
        }
        if (Integer.bitCount(pageSize) != 1 || pageSize < 1 || numSlots % pageSize != 0) {
            throw new IllegalArgumentException("pages must be a power of two slots and the pool a multiple of it; got "
                    + numSlots + " slots in pages of " + pageSize);
        }
    }

    /** The same with other pages and another order of eviction. */
    public SchedulerConfig withCache(int otherPageSize, EvictionOrder otherOrder) {
        return new SchedulerConfig(
                numSlots,
                contextLen,
                maxRunning,
                chunkedPrefillSize,
                maxPrefillTokens,
                policy,
                conservativeness,
                hasRadixCache,
                retractEverySteps,
                otherPageSize,
                otherOrder);
    }

    /** The same, with a sequence retracted every so many steps. */
    public SchedulerConfig withRetractionEvery(int steps) {
        return new SchedulerConfig(
                numSlots,
                contextLen,
                maxRunning,
                chunkedPrefillSize,
                maxPrefillTokens,
                policy,
                conservativeness,
                hasRadixCache,
                steps,
                pageSize,
                evictionOrder);
    }

    /** Most tokens that one step computes: a chunk of prompts, and one token of each decoding sequence. */
    public int maxStepTokens() {
        return chunkedPrefillSize + maxRunning;
    }

    /** Most tokens whose KV one sequence can have in slots. */
    int maxRowLen() {
        return Math.min(numSlots, contextLen);
    }

    /** Slots of a row: the longest sequence's, in whole pages. */
    public int rowStride() {
        return (maxRowLen() + pageSize - 1) & -pageSize;
    }
}
