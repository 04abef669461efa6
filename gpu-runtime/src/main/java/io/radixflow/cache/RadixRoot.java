package io.radixflow.cache;

import org.jspecify.annotations.Nullable;

/** The root of one namespace of a {@link RadixTree}. */
final class RadixRoot extends RadixNode {

    /** Null is the common namespace. */
    final @Nullable String namespace;

    RadixRoot(@Nullable String namespace) {
        super(null, NOTHING, NOTHING);
        this.namespace = namespace;
    }

    boolean isUnused() {
        return lockRef == 0 && numChildren() == 0;
    }
}
