package io.radixflow.backend;

/** K and V of every layer for a pool of KV slots, owned by one {@link Backend} and freed with it. */
public interface KvCache {
    KvLayout layout();
}
