package io.radixflow.schedule;

/**
 * The share of their remaining tokens that running sequences are expected to need, from which admission decides whether another one fits.
 * Decays while all goes well and rises when a retraction shows that it was too low; values as SGLang's.
 */
final class NewTokenRatio {

    private static final double INIT = 0.7;
    private static final double MIN_FACTOR = 0.14;
    private static final int DECAY_STEPS = 600;
    /** Decode steps that a sequence that survives a retraction shall have room for. */
    private static final int STEPS_AFTER_RETRACTION = 20;

    private final double init;
    private final double min;
    private final double decay;
    private double current;

    NewTokenRatio(double conservativeness) {
        init = Math.min(INIT * conservativeness, 1);
        min = Math.min(init * MIN_FACTOR, 1);
        decay = (init - min) / DECAY_STEPS;
        current = init;
    }

    double current() {
        return current;
    }

    void decayStep() {
        current = Math.max(min, current - decay);
    }

    /** Nothing runs any more: past luck says nothing about what comes. */
    void reset() {
        current = init;
    }

    /**
     * After a retraction: sets the ratio to what the sequences that go on running are likely to need.
     *
     * @param outputLen tokens that they have generated
     * @param maxOutputLen tokens that they may generate in all
     */
    void raise(long outputLen, long maxOutputLen, int numSequences) {
        double estimate = (outputLen + (double) STEPS_AFTER_RETRACTION * numSequences) / Math.max(1, maxOutputLen);
        current = Math.min(1, Math.max(current, estimate));
    }
}
