package io.radixflow.engine;

import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * Who may share cached prefixes: requests with equal namespaces. Each part has a place of its own, so the same text as salt and as adapter
 * makes two namespaces.
 *
 * @param cacheSalt chosen by the client to keep its prefixes apart, or null
 * @param extraKey chosen by the host of the engine, for what changes the KV beside the tokens, or null
 * @param adapter name of the adapter that computes the KV, or null
 */
public record CacheNamespace(
        @Nullable String cacheSalt,
        @Nullable String extraKey,
        @Nullable String adapter) implements Comparable<CacheNamespace> {

    /** Of requests that ask for nothing else. */
    public static final CacheNamespace COMMON = new CacheNamespace(null, null, null);

    private static final Comparator<@Nullable String> TEXTS = Comparator.nullsFirst(Comparator.naturalOrder());

    /** The namespace of a salt alone; null is the common one. */
    public static CacheNamespace ofSalt(@Nullable String cacheSalt) {
        return cacheSalt == null ? COMMON : new CacheNamespace(cacheSalt, null, null);
    }

    @Override
    public int compareTo(CacheNamespace other) {
        int order = TEXTS.compare(cacheSalt, other.cacheSalt);
        if (order == 0) {
            order = TEXTS.compare(extraKey, other.extraKey);
        }
        return order == 0 ? TEXTS.compare(adapter, other.adapter) : order;
    }
}
