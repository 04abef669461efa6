package io.radixflow.backend;

import org.jspecify.annotations.Nullable;

/**
 * How one layer's projected q, k and v become what attention reads: bias, then a norm of each q and k head, then rotation. Parts that an
 * architecture lacks are null.
 *
 * @param bias added to q, k and v, {@code [1, (numHeads + 2 * numKvHeads) * headDim]}
 * @param queryNorm RMS norm weights of each q head, {@code [1, headDim]}; together with {@code keyNorm}
 * @param keyNorm of each k head, {@code [1, headDim]}
 * @param eps of both norms
 * @param rope of q and k
 */
public record QkvTransform(
        @Nullable Tensor bias,
        @Nullable Tensor queryNorm,
        @Nullable Tensor keyNorm,
        float eps,
        Rope rope) {

    /** @throws IllegalArgumentException if one of the norms is there alone */
    public QkvTransform {
        if ((queryNorm == null) != (keyNorm == null)) {
            throw new IllegalArgumentException("queries and keys are normalised both or not at all");
        }
    }

    /** Rotation alone. */
    public static QkvTransform rotation(Rope rope) {
        return new QkvTransform(null, null, null, 0, rope);
    }
}
