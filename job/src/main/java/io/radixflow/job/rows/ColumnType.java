package io.radixflow.job.rows;

/** Types of output columns. */
public enum ColumnType {
    /** Also what has no type of its own here: its JSON. */
    TEXT,
    /** Text that is JSON, and says so where the format can. */
    JSON,
    LONG,
    DOUBLE,
    BOOLEAN
}
