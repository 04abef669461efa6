package io.radixflow.model;

import io.radixflow.backend.Rope;

/**
 * How a model encodes positions by rotation.
 *
 * @param base of the rotation's frequencies
 * @param pairing which numbers of a head rotate together, as the weights' rows lie
 * @param scaling what makes the frequencies fit for longer sequences
 */
public record RopeConfig(float base, Rope.Pairing pairing, RopeScaling scaling) {

    /** @throws IllegalArgumentException if the base is impossible */
    public RopeConfig {
        if (!(base > 0) || Float.isInfinite(base)) {
            throw new IllegalArgumentException("rope base " + base);
        }
    }
}
