package io.radixflow.weights;

import org.jspecify.annotations.Nullable;

/** Types of GGUF metadata values, by their number in the file. */
enum GgufValueType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final GgufValueType[] BY_NUMBER = values();

    private final int minBytes;

    GgufValueType(int minBytes) {
        this.minBytes = minBytes;
    }

    /** The type of that number, or null. */
    static @Nullable GgufValueType of(long number) {
        return number < BY_NUMBER.length ? BY_NUMBER[(int) number] : null;
    }

    /** Bytes of one value, or the fewest for those whose length varies. */
    int minBytes() {
        return minBytes;
    }

    boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            case FLOAT32, BOOL, STRING, ARRAY, FLOAT64 -> false;
        };
    }
}
