package io.radixflow.operators;

import io.radixflow.schemas.RecordHeader;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A completion or a chunk of one, ready for a sink; nobody writes the arrays.
 *
 * @param key of the input record
 * @param value UTF-8 JSON, or Avro where the request was
 * @param headers of the input record
 * @param orderHash the same for all records about one request, for sinks that must keep them in order without a key
 * @param timestamp of the input record in milliseconds since the epoch, or {@link SourceRecord#NO_TIMESTAMP}
 */
public record ResultRecord(
        byte @Nullable [] key, byte[] value, List<RecordHeader> headers, int orderHash, long timestamp) {

    // Written out: javac keeps the null annotation of an array component on an explicit constructor only.
    public ResultRecord(
            byte @Nullable [] key, byte[] value, List<RecordHeader> headers, int orderHash, long timestamp) {
        this.key = key;
        this.value = Objects.requireNonNull(value, "value");
        this.headers = List.copyOf(headers);
        this.orderHash = orderHash;
        this.timestamp = timestamp;
    }
}
