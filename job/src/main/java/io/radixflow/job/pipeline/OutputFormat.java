package io.radixflow.job.pipeline;

import java.util.Locale;

/** Formats of output files. */
public enum OutputFormat {
    /** Answers as the API gives them, a line each; dead letters in files of their own. */
    JSONL,
    /** A table with a row for each input row, answered or not. */
    PARQUET;

    String suffix() {
        return "." + name().toLowerCase(Locale.ROOT);
    }
}
