package io.radixflow.schedule;

/**
 * What the scheduler may use and how it chooses.
 *
 * @param numSlots KV slots of the pool
 * @param contextLen most tokens of one sequence
 * @param maxRunning most sequences in one step
 * @param chunkedPrefillSize most prompt tokens that one step computes
 * @param maxPrefillTokens most prompt tokens that one step admits
 * @param policy order of waiting requests
 * @param conservativeness factor on the share of future tokens for which slots are kept free
 * @param hasRadixCache whether prefixes are shared
 * @param retractEverySteps retracts a sequence every so many steps although nothing is short, a test's switch; 0 is off
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
        int retractEverySteps) {

    /** Order of waiting requests. */
    public enum Policy {
        /** Longest prefix match. */
        LPM,
        /** First come, first served. */
        FCFS
    }

    public SchedulerConfig {
        if (numSlots < 1 || contextLen < 1 || maxRunning < 1 || chunkedPrefillSize < 1 || maxPrefillTokens < 1) {
            throw new IllegalArgumentException("scheduler limits must be at least 1: slots " + numSlots + ", context "
                    + contextLen + ", running " + maxRunning + ", chunk " + chunkedPrefillSize + ", prefill "
                    + maxPrefillTokens);
        }
    }

    /** Most tokens that one step computes: a chunk of prompts, and one token of each decoding sequence. */
    public int maxStepTokens() {
        return chunkedPrefillSize + maxRunning;
    }

    /** Most tokens whose KV one sequence can have in slots. */
    int maxRowLen() {
        return Math.min(numSlots, contextLen);
    }
}
