package io.radixflow.schemas;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A record that can't be answered, untouched, and why. Nobody writes the arrays.
 *
 * @param key of the input record
 * @param value of the input record
 * @param headers of the input record
 * @param code why
 * @param message names the field and what is allowed
 * @param stage that gave up: {@code parse}, {@code tokenize} or {@code inference}
 * @param topic of the input record, or the file's name
 * @param partition of the input record
 * @param offset of the input record, or its line
 */
public record DeadLetter(
        byte @Nullable [] key,
        byte @Nullable [] value,
        List<RecordHeader> headers,
        ErrorCode code,
        String message,
        String stage,
        String topic,
        int partition,
        long offset) {

    public static final String CODE_HEADER = "radixflow.error.code";
    public static final String MESSAGE_HEADER = "radixflow.error.message";
    public static final String STAGE_HEADER = "radixflow.error.stage";
    public static final String TOPIC_HEADER = "radixflow.source.topic";
    public static final String PARTITION_HEADER = "radixflow.source.partition";
    public static final String OFFSET_HEADER = "radixflow.source.offset";

    // Written out: javac keeps the null annotation of an array component on an explicit constructor only.
    public DeadLetter(
            byte @Nullable [] key,
            byte @Nullable [] value,
            List<RecordHeader> headers,
            ErrorCode code,
            String message,
            String stage,
            String topic,
            int partition,
            long offset) {
        this.key = key;
        this.value = value;
        this.headers = List.copyOf(headers);
        this.code = Objects.requireNonNull(code, "code");
        this.message = Objects.requireNonNull(message, "message");
        this.stage = Objects.requireNonNull(stage, "stage");
        this.topic = Objects.requireNonNull(topic, "topic");
        this.partition = partition;
        this.offset = offset;
    }

    /** The input's headers, then those that say what went wrong and where the record came from. */
    public List<RecordHeader> allHeaders() {
        List<RecordHeader> all = new ArrayList<>(headers);
        all.add(text(CODE_HEADER, code.wireName()));
        all.add(text(MESSAGE_HEADER, message));
        all.add(text(STAGE_HEADER, stage));
        all.add(text(TOPIC_HEADER, topic));
        all.add(text(PARTITION_HEADER, Integer.toString(partition)));
        all.add(text(OFFSET_HEADER, Long.toString(offset)));
        return all;
    }

    private static RecordHeader text(String key, String value) {
        return new RecordHeader(key, value.getBytes(StandardCharsets.UTF_8));
    }
}
