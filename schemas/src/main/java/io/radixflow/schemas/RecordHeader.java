package io.radixflow.schemas;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A record's header, copied from input to output.
 *
 * @param key may occur several times in a record
 * @param value nobody writes the array; null is a header without a value
 */
public record RecordHeader(String key, byte @Nullable [] value) {

    // Written out: javac keeps the null annotation of an array component on an explicit constructor only.
    public RecordHeader(String key, byte @Nullable [] value) {
        this.key = Objects.requireNonNull(key, "key");
        this.value = value;
    }
}
