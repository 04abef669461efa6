package io.radixflow.weights;

import io.radixflow.engine.EngineException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A bounds-checked reading position in the header of a GGUF file. Every failure is one line that names the file.
 *
 * <p>Allocates only the strings asked for, so memory stays within a small multiple of the bytes read.
 */
final class GgufCursor {

    private final Path file;
    private final ByteBuffer bytes;

    GgufCursor(Path file, ByteBuffer bytes) {
        this.file = file;
        this.bytes = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    EngineException refusal(String what) {
        return Refusals.refusal(file, what);
    }

    int position() {
        return bytes.position();
    }

    int remaining() {
        return bytes.remaining();
    }

    int u8(String what) {
        need(1, what);
        return bytes.get() & 0xFF;
    }

    /** The four bytes as they are; counts are read with {@link #u32}. */
    int bits32(String what) {
        need(4, what);
        return bytes.getInt();
    }

    long u32(String what) {
        return bits32(what) & 0xFFFF_FFFFL;
    }

    /** The eight bytes as they are; counts are read with {@link #count}. */
    long bits64(String what) {
        need(8, what);
        return bytes.getLong();
    }

    /** A count of things that take at least {@code minBytes} each in the rest of the header. */
    int count(int minBytes, String what) {
        long count = bits64(what);
        if (count < 0 || count > bytes.remaining() / minBytes) {
            throw refusal("is truncated or damaged: it claims " + Long.toUnsignedString(count) + " of " + what
                    + ", but only " + bytes.remaining() + " bytes of header can follow; fetch it again");
        }
        return (int) count;
    }

    String string(String what) {
        int length = count(1, "bytes in " + what);
        String text = StandardCharsets.UTF_8
                .decode(bytes.slice(bytes.position(), length))
                .toString();
        bytes.position(bytes.position() + length);
        return text;
    }

    void skipString(String what) {
        int length = count(1, "bytes in " + what);
        bytes.position(bytes.position() + length);
    }

    void skip(long length, String what) {
        need(length, what);
        bytes.position(bytes.position() + (int) length);
    }

    /** The bytes of {@code [from, to)}, positions of this cursor. */
    ByteBuffer slice(int from, int to) {
        return bytes.slice(from, to - from).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void need(long length, String what) {
        if (length > bytes.remaining()) {
            throw refusal("is truncated or damaged: it ends inside " + what + " after " + bytes.limit()
                    + " bytes; fetch it again");
        }
    }
}
