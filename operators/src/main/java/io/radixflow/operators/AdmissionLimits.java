package io.radixflow.operators;

import java.io.Serializable;
import java.time.Duration;

/**
 * How much an inference subtask takes in beyond what runs, and how long it holds a record back before taking it in.
 *
 * <p>A checkpoint can't start while a record is held back, so the hold is short; the hard limits bound what that lets in.
 *
 * @param hold longest wait for room when the engine's queue is full; up to ten times as long near the hard limits
 * @param maxWaitingTokens prompt tokens of requests without a first token; above, a record waits until there is room
 * @param maxWaitingBytes values of such records in bytes; above, likewise
 */
public record AdmissionLimits(Duration hold, long maxWaitingTokens, long maxWaitingBytes) implements Serializable {

    public static final AdmissionLimits DEFAULT = new AdmissionLimits(Duration.ofMillis(50), 4L << 20, 64L << 20);

    public AdmissionLimits {
        if (hold.isNegative() || maxWaitingTokens < 1 || maxWaitingBytes < 1) {
            throw new IllegalArgumentException("admission limits must be positive, got hold " + hold + ", "
                    + maxWaitingTokens + " tokens, " + maxWaitingBytes + " bytes");
        }
    }
}
