package io.radixflow.operators;

import io.radixflow.schemas.RecordHeader;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An input record as its source gave it; nobody writes the arrays.
 *
 * @param key kept for the output
 * @param value JSON or Avro; null becomes a dead letter
 * @param headers copied to the output
 * @param topic or file name
 * @param partition in the topic; 0 for files
 * @param offset in the partition; the line of a file
 * @param timestamp milliseconds since the epoch, or {@link #NO_TIMESTAMP}
 */
public record SourceRecord(
        byte @Nullable [] key,
        byte @Nullable [] value,
        List<RecordHeader> headers,
        String topic,
        int partition,
        long offset,
        long timestamp) {

    public static final long NO_TIMESTAMP = Long.MIN_VALUE;

    // Written out: javac keeps the null annotation of an array component on an explicit constructor only.
    public SourceRecord(
            byte @Nullable [] key,
            byte @Nullable [] value,
            List<RecordHeader> headers,
            String topic,
            int partition,
            long offset,
            long timestamp) {
        this.key = key;
        this.value = value;
        this.headers = List.copyOf(headers);
        this.topic = Objects.requireNonNull(topic, "topic");
        this.partition = partition;
        this.offset = offset;
        this.timestamp = timestamp;
    }

    /** The {@code custom_id} of an answer to a record that names none. */
    public String identity() {
        return topic + "-" + partition + "-" + offset;
    }
}
