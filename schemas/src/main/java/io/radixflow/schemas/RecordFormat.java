package io.radixflow.schemas;

/** How the records of a topic are written. */
public enum RecordFormat {
    /** A body or a Batch line as UTF-8 JSON. */
    JSON,
    /** Avro's binary encoding of {@code PromptRecord} and {@code CompletionRecord}, without a header. */
    AVRO,
    /** The same in the Confluent wire format, prompts by any schema of a registry that resolves to {@code PromptRecord}. */
    AVRO_CONFLUENT
}
