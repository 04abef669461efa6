package io.radixflow.job.models;

/** Hears how far a fetch has come. */
public interface FetchProgress {

    /** A phase begins ("downloading", "unpacking"); {@code totalBytes} are expected in it. */
    void phase(String what, long totalBytes);

    /** So many bytes of the phase are done. */
    void advance(long doneBytes);
}
