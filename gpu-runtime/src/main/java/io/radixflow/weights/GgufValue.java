package io.radixflow.weights;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One metadata value, a scalar (count 1) or an array, checked when read and decoded from the mapped header only when asked for.
 *
 * @param type of the scalar or of the array's elements; never ARRAY
 * @param isArray whether the file says array, also of one element
 * @param count number of elements
 * @param bytes of the elements, exactly
 */
record GgufValue(GgufValueType type, boolean isArray, int count, ByteBuffer bytes) {

    /** Reads one value at the cursor and moves past it. */
    static GgufValue read(GgufCursor cursor, String key) {
        GgufValueType type = type(cursor, key);
        if (type != GgufValueType.ARRAY) {
            return elements(cursor, key, type, false, 1);
        }
        GgufValueType elementType = type(cursor, key);
        if (elementType == GgufValueType.ARRAY) {
            throw cursor.refusal("has arrays of arrays in metadata key " + Refusals.quoted(key)
                    + ", which aren't read; convert the model again");
        }
        int count = cursor.count(elementType.minBytes(), "elements in metadata key " + Refusals.quoted(key));
        return elements(cursor, key, elementType, true, count);
    }

    private static GgufValueType type(GgufCursor cursor, String key) {
        long number = cursor.u32("the type of metadata key " + Refusals.quoted(key));
        GgufValueType type = GgufValueType.of(number);
        if (type == null) {
            throw cursor.refusal("is damaged: metadata key " + Refusals.quoted(key) + " has the unknown type " + number
                    + "; fetch it again");
        }
        return type;
    }

    private static GgufValue elements(GgufCursor cursor, String key, GgufValueType type, boolean isArray, int count) {
        int start = cursor.position();
        String what = "metadata key " + Refusals.quoted(key);
        if (type == GgufValueType.STRING) {
            for (int i = 0; i < count; i++) {
                cursor.skipString(what);
            }
        } else {
            cursor.skip((long) count * type.minBytes(), what);
        }
        return new GgufValue(type, isArray, count, cursor.slice(start, cursor.position()));
    }

    /** Element i of an integer type; unsigned 64-bit values beyond {@code Long.MAX_VALUE} come out negative. */
    long integer(int i) {
        return switch (type) {
            case UINT8 -> bytes.get(i) & 0xFF;
            case INT8 -> bytes.get(i);
            case UINT16 -> bytes.getShort(2 * i) & 0xFFFF;
            case INT16 -> bytes.getShort(2 * i);
            case UINT32 -> bytes.getInt(4 * i) & 0xFFFF_FFFFL;
            case INT32 -> bytes.getInt(4 * i);
            case UINT64, INT64 -> bytes.getLong(8 * i);
            case FLOAT32, BOOL, STRING, ARRAY, FLOAT64 -> throw new IllegalStateException(type + " is no integer");
        };
    }

    /** Element i of a number type. */
    double number(int i) {
        return switch (type) {
            case FLOAT32 -> bytes.getFloat(4 * i);
            case FLOAT64 -> bytes.getDouble(8 * i);
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64, BOOL, STRING, ARRAY -> integer(i);
        };
    }

    boolean isTrue() {
        return bytes.get(0) != 0;
    }

    /** All elements of a string type; malformed UTF-8 becomes U+FFFD. */
    List<String> strings() {
        List<String> texts = new ArrayList<>(count);
        ByteBuffer reader = bytes.duplicate().order(bytes.order());
        for (int i = 0; i < count; i++) {
            int length = (int) reader.getLong();
            texts.add(StandardCharsets.UTF_8
                    .decode(reader.slice(reader.position(), length))
                    .toString());
            reader.position(reader.position() + length);
        }
        return List.copyOf(texts);
    }

    /** What a reader of {@code inspect} wants to see of it, or null for what has no short form. */
    @Nullable
    String shortForm() {
        if (isArray) {
            return null;
        }
        return switch (type) {
            case STRING -> Refusals.quoted(strings().get(0));
            case BOOL -> Boolean.toString(isTrue());
            case FLOAT32 -> Float.toString(bytes.getFloat(0));
            case FLOAT64 -> Double.toString(bytes.getDouble(0));
            case UINT64 -> Long.toUnsignedString(integer(0));
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, INT64 -> Long.toString(integer(0));
            case ARRAY -> null;
        };
    }
}
