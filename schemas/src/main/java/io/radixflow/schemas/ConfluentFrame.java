package io.radixflow.schemas;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The Confluent wire format around a value: a byte 0, the schema's id as four bytes, big-endian, then the value. */
public final class ConfluentFrame {

    static final int HEADER_BYTES = 1 + Integer.BYTES;
    private static final byte MAGIC = 0;

    private ConfluentFrame() {}

    /** The value with its header before it. */
    public static byte[] wrap(int schemaId, byte[] value) {
        return ByteBuffer.allocate(HEADER_BYTES + value.length)
                .put(MAGIC)
                .putInt(schemaId)
                .put(value)
                .array();
    }

    /**
     * The id of the schema that the value was written with; the value proper begins at {@link #HEADER_BYTES}.
     *
     * @throws RecordException {@code invalid_request} if there is no such header
     */
    static int schemaId(byte @Nullable [] framed) throws RecordException {
        if (framed == null || framed.length == 0) {
            throw noFrame("it is empty");
        }
        if (framed[0] != MAGIC) {
            throw noFrame("its first byte is " + (framed[0] & 0xff) + ", not 0");
        }
        if (framed.length < HEADER_BYTES) {
            throw noFrame("it ends within the schema id");
        }
        int id = ByteBuffer.wrap(framed).getInt(1);
        if (id < 0) {
            throw noFrame("its schema id is below 0");
        }
        return id;
    }

    private static RecordException noFrame(String why) {
        return RequestFields.invalid("the value is not in the Confluent wire format: " + why);
    }
}
