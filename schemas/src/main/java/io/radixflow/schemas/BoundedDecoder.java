package io.radixflow.schemas;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.apache.avro.io.Decoder;
import org.apache.avro.util.Utf8;

/**
 * Avro's binary encoding, read from bytes of strangers. Avro's own decoder allocates what a length says before it looks for the
 * bytes; here every length and count is checked against what is left, so memory stays in proportion to the input. All lists of a
 * record together hold at most as many elements as it has bytes, so that elements that take no bytes (null, by the schema of a
 * stranger) cost no more time either. One per record, used by one thread.
 */
public final class BoundedDecoder extends Decoder {

    private static final int MAX_VARINT_SHIFT = 63;

    private final ByteBuffer in;
    private int numElementsLeft;

    public BoundedDecoder(byte[] bytes) {
        this(bytes, 0);
    }

    /** Reads the array's bytes {@code [from, length)}. */
    BoundedDecoder(byte[] bytes, int from) {
        in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(from);
        numElementsLeft = in.remaining();
    }

    public int remaining() {
        return in.remaining();
    }

    @Override
    public void readNull() {}

    @Override
    public boolean readBoolean() throws IOException {
        byte value = in.get(take(1));
        if (value != 0 && value != 1) {
            throw new IOException("a boolean is 0 or 1, got " + value);
        }
        return value == 1;
    }

    @Override
    public int readInt() throws IOException {
        long value = readLong();
        if (value != (int) value) {
            throw new IOException("an int is out of its range");
        }
        return (int) value;
    }

    @Override
    public long readLong() throws IOException {
        long zigzag = 0;
        for (int shift = 0; shift <= MAX_VARINT_SHIFT; shift += 7) {
            byte next = in.get(take(1));
            zigzag |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return (zigzag >>> 1) ^ -(zigzag & 1);
            }
        }
        throw new IOException("a number has more than ten bytes");
    }

    @Override
    public float readFloat() throws IOException {
        return in.getFloat(take(Float.BYTES));
    }

    @Override
    public double readDouble() throws IOException {
        return in.getDouble(take(Double.BYTES));
    }

    @Override
    public Utf8 readString(Utf8 old) throws IOException {
        return new Utf8(readString());
    }

    @Override
    public String readString() throws IOException {
        int length = readLength();
        int from = take(length);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(in.slice(from, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IOException("a string is not UTF-8", e);
        }
    }

    @Override
    public void skipString() throws IOException {
        skipBytes();
    }

    @Override
    public ByteBuffer readBytes(ByteBuffer old) throws IOException {
        int length = readLength();
        byte[] bytes = new byte[length];
        in.get(take(length), bytes);
        return ByteBuffer.wrap(bytes);
    }

    @Override
    public void skipBytes() throws IOException {
        take(readLength());
    }

    @Override
    public void readFixed(byte[] bytes, int start, int length) throws IOException {
        in.get(take(length), bytes, start, length);
    }

    @Override
    public void skipFixed(int length) throws IOException {
        take(length);
    }

    @Override
    public int readEnum() throws IOException {
        return readInt();
    }

    @Override
    public long readArrayStart() throws IOException {
        return readCount();
    }

    @Override
    public long arrayNext() throws IOException {
        return readCount();
    }

    @Override
    public long skipArray() throws IOException {
        return skipBlocks();
    }

    @Override
    public long readMapStart() throws IOException {
        return readCount();
    }

    @Override
    public long mapNext() throws IOException {
        return readCount();
    }

    @Override
    public long skipMap() throws IOException {
        return skipBlocks();
    }

    @Override
    public int readIndex() throws IOException {
        return readInt();
    }

    /** Elements of the next block of an array or map. */
    private long readCount() throws IOException {
        long count = readLong();
        if (count < 0) { // then the block's size in bytes follows
            count = -count;
            readLong();
        }
        return counted(count);
    }

    /** Steps over the blocks that say their size in bytes; returns the elements of the next one that doesn't, 0 at the end. */
    private long skipBlocks() throws IOException {
        long count = readLong();
        while (count < 0) {
            take(readLength());
            count = readLong();
        }
        return counted(count);
    }

    /** Each element of our schemas takes a byte at least, so more than are left is a lie. */
    private long counted(long count) throws IOException {
        if (count < 0 || count > in.remaining() || count > numElementsLeft) {
            throw new IOException("a list is longer than the record");
        }
        numElementsLeft -= (int) count;
        return count;
    }

    private int readLength() throws IOException {
        long length = readLong();
        if (length < 0 || length > in.remaining()) {
            throw new IOException("a string or block is longer than the record");
        }
        return (int) length;
    }

    /** Steps over so many bytes and returns where they begin. */
    private int take(int length) throws IOException {
        if (length > in.remaining()) {
            throw new IOException("the record ends too early");
        }
        int from = in.position();
        in.position(from + length);
        return from;
    }
}
