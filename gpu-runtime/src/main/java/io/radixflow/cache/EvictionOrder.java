package io.radixflow.cache;

/** Which cached prefixes go first when slots are needed. Among equals the least recently used goes first. */
public enum EvictionOrder {
    /** Least recently used. */
    LRU,
    /** Least frequently used, counted in sequences that ran on the prefix, up to 255. */
    LFU,
    /** Least needed by the requests known to come, counted up to 255; those ahead of all others whose announced users are all done. */
    KNOWN_USES
}
