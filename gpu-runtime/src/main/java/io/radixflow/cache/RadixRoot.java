package io.radixflow.cache;

import io.radixflow.engine.CacheNamespace;

/** The root of one namespace of a {@link RadixTree}. */
final class RadixRoot extends RadixNode {

    final CacheNamespace namespace;

    RadixRoot(CacheNamespace namespace) {
        super(null, NOTHING, NOTHING, 0);
        this.namespace = namespace;
    }

    boolean isUnused() {
        return lockRef == 0 && numChildren() == 0;
    }
}
