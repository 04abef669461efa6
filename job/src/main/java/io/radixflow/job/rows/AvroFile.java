package io.radixflow.job.rows;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.jspecify.annotations.Nullable;

/**
 * An Avro container file: its head and its blocks. Avro's own reader allocates what a block's size says before it looks for the
 * bytes, and can't go on after a broken block; so blocks are walked here, each size checked against what is left of the file.
 */
final class AvroFile implements Closeable {

    private static final byte[] MAGIC = {'O', 'b', 'j', 1};
    private static final int SYNC_BYTES = 16;
    private static final int MAX_BLOCK_BYTES = 1 << 30;
    private static final long MAX_ROWS_PER_BYTE = 10_000; // compression included
    private static final int MAX_VARINT_SHIFT = 63;

    private final FSDataInputStream in;
    private final long length;
    private final Schema schema;
    private final AvroCodec codec;
    private final byte[] sync;
    private long blockRows;
    private int blockBytes;
    private long rowsBefore;

    private AvroFile(FSDataInputStream in, long length) throws IOException {
        this.in = in;
        this.length = length;
        Map<String, String> head = readHead();
        schema = schema(head.get("avro.schema"));
        codec = AvroCodec.of(head.getOrDefault("avro.codec", "null"));
        sync = readFully(SYNC_BYTES);
    }

    /** @throws BrokenFileException if the head is none, or the rows are no records */
    static AvroFile open(Path path) throws IOException {
        FSDataInputStream in = path.getFileSystem().open(path);
        try {
            return new AvroFile(in, path.getFileSystem().getFileStatus(path).getLen());
        } catch (EOFException e) {
            in.close();
            throw new BrokenFileException("it ends within its head", e);
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    Schema schema() {
        return schema;
    }

    Map<String, ColumnType> columns() {
        Map<String, ColumnType> columns = new LinkedHashMap<>();
        for (Schema.Field field : schema.getFields()) {
            columns.put(field.name(), AvroToJson.columnType(field.schema()));
        }
        return columns;
    }

    /** Counts the rows from here on by the blocks' heads. @throws BrokenFileException if blocks don't make up the file */
    long countRows() throws IOException {
        long rows = 0;
        while (nextBlock()) {
            rows += blockRows;
            skipBlock();
        }
        return rows;
    }

    /** Goes to the next block's bytes; false at the file's end. @throws BrokenFileException if no block stands there */
    boolean nextBlock() throws IOException {
        rowsBefore += blockRows;
        if (in.getPos() == length) {
            return false;
        }
        try {
            blockRows = readLong();
            long bytes = readLong();
            boolean hasTooManyRows = blockRows < 0 || blockRows / MAX_ROWS_PER_BYTE > Math.max(bytes, 0);
            if (hasTooManyRows || bytes < 0 || bytes > MAX_BLOCK_BYTES || bytes + SYNC_BYTES > length - in.getPos()) {
                throw broken("a block's size is wrong, or the file was cut off", null);
            }
            blockBytes = (int) bytes;
            return true;
        } catch (EOFException e) {
            throw broken("the file was cut off", e);
        }
    }

    long blockRows() {
        return blockRows;
    }

    /** The block's records, decompressed. @throws BrokenFileException also if only this block is broken; the next can be read then */
    byte[] readBlock() throws IOException {
        byte[] bytes = readFully(blockBytes);
        checkSync();
        return codec.decompress(bytes);
    }

    void skipBlock() throws IOException {
        in.seek(in.getPos() + blockBytes);
        checkSync();
    }

    private void checkSync() throws IOException {
        if (!Arrays.equals(readFully(SYNC_BYTES), sync)) {
            throw broken("a block does not end where it should", null);
        }
    }

    private BrokenFileException broken(String what, @Nullable Throwable cause) {
        return new BrokenFileException("it is broken after row " + rowsBefore + ": " + what, cause);
    }

    private Map<String, String> readHead() throws IOException {
        byte[] magic = in.readNBytes(MAGIC.length);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new BrokenFileException("it is no Avro container file");
        }
        Map<String, String> head = new LinkedHashMap<>();
        for (long entries = readLong(); entries != 0; entries = readLong()) {
            if (entries < 0) {
                readLong(); // the block's size in bytes
            }
            for (long i = Math.abs(entries); i > 0; i--) {
                String key = new String(readBytes(), UTF_8);
                head.put(key, new String(readBytes(), UTF_8));
            }
        }
        return head;
    }

    private static Schema schema(@Nullable String text) throws IOException {
        Schema schema;
        try {
            schema = text == null
                    ? null
                    : new Schema.Parser().setValidateDefaults(false).parse(text);
        } catch (AvroRuntimeException e) {
            throw new BrokenFileException("its schema is broken: " + BrokenFileException.reason(e), e);
        }
        if (schema == null || schema.getType() != Schema.Type.RECORD) {
            throw new BrokenFileException("its rows are no records");
        }
        return schema;
    }

    private byte[] readBytes() throws IOException {
        long size = readLong();
        if (size < 0 || size > length - in.getPos()) {
            throw new BrokenFileException("its head is broken");
        }
        return readFully((int) Math.min(size, MAX_BLOCK_BYTES));
    }

    private byte[] readFully(int size) throws IOException {
        byte[] bytes = in.readNBytes(size);
        if (bytes.length < size) {
            throw new EOFException("the file ends too early");
        }
        return bytes;
    }

    private long readLong() throws IOException {
        long zigzag = 0;
        for (int shift = 0; shift <= MAX_VARINT_SHIFT; shift += 7) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("the file ends within a number");
            }
            zigzag |= (long) (next & 0x7f) << shift;
            if (next < 0x80) {
                return (zigzag >>> 1) ^ -(zigzag & 1);
            }
        }
        throw broken("a number has more than ten bytes", null);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
