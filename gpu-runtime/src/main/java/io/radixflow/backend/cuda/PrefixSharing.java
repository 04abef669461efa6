package io.radixflow.backend.cuda;

/** Whether decode attention reads what several rows have in common once for all of them. */
public enum PrefixSharing {
    /** Every row reads its own. */
    OFF,
    /** Where measured costs say that it pays. */
    AUTO,
    /** Wherever two rows have a token in common; for tests. */
    ALWAYS
}
