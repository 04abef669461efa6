package io.radixflow.schedule;

import org.jspecify.annotations.Nullable;

/** The order in which a policy admits sequences that have not run yet. Its owner is the {@link WaitingQueue}. */
abstract class WaitingOrder {

    /** A sequence that has arrived. */
    abstract void add(Sequence sequence);

    /** Takes a sequence out that is not passed over. */
    abstract void remove(Sequence sequence);

    /** The sequence to admit first, or null if there is none. */
    abstract @Nullable Sequence first();

    abstract int size();

    /** Passes over a sequence until {@link #restore}. */
    void passOver(Sequence sequence) {
        remove(sequence);
    }

    void restore(Sequence sequence) {
        add(sequence);
    }

    /** A sequence is about to be taken out because it was admitted. */
    void onAdmit(Sequence sequence) {}

    /** {@code tokens[0, len)} of a sequence that does not wait have entered the cache. */
    void onCached(Sequence source, int len) {}

    /** @throws IllegalStateException if something is inconsistent */
    abstract void checkIntegrity();
}
