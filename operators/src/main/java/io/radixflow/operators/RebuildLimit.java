package io.radixflow.operators;

import java.io.Serializable;
import java.time.Duration;

/**
 * How often a subtask may rebuild its engine before it gives up and fails.
 *
 * @param maxRebuilds so many failures within the window are healed; 0 heals none
 * @param window how long a failure counts
 */
public record RebuildLimit(int maxRebuilds, Duration window) implements Serializable {

    public RebuildLimit {
        if (maxRebuilds < 0 || window.isNegative() || window.isZero()) {
            throw new IllegalArgumentException(
                    "rebuilds must be 0 or more in a window above 0, got " + maxRebuilds + " in " + window);
        }
    }
}
