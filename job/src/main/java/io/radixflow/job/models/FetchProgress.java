package io.radixflow.job.models;

/** Hears how far a fetch has come. */
public interface FetchProgress {

    /** A phase begins ("downloading", "checking"); {@code totalBytes} are expected in it. */
    void phase(String what, long totalBytes);

    /** So many bytes of the phase are done; never fewer than before. */
    void advance(long doneBytes);

    /** An interrupted fetch goes on: {@code doneParts} of {@code numParts} packages are here from then. */
    void resumed(int doneParts, int numParts);
}
