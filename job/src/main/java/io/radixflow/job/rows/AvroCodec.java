package io.radixflow.job.rows;

import com.github.luben.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import org.xerial.snappy.Snappy;

/** How blocks of an Avro file are compressed. */
enum AvroCodec {
    NULL,
    DEFLATE,
    SNAPPY,
    ZSTANDARD;

    private static final int MAX_BYTES = 1 << 30;

    /** @throws BrokenFileException naming a codec that isn't here */
    static AvroCodec of(String name) throws BrokenFileException {
        return switch (name) {
            case "null" -> NULL;
            case "deflate" -> DEFLATE;
            case "snappy" -> SNAPPY;
            case "zstandard" -> ZSTANDARD;
            default ->
                throw new BrokenFileException("its codec is '" + name
                        + "'; null, deflate, snappy and zstandard are read. Write it anew with one of them");
        };
    }

    /** @throws BrokenFileException if the bytes are broken */
    byte[] decompress(byte[] block) throws IOException {
        try {
            return switch (this) {
                case NULL -> block;
                case DEFLATE -> bounded(new InflaterInputStream(new ByteArrayInputStream(block), new Inflater(true)));
                case SNAPPY -> snappy(block);
                case ZSTANDARD -> bounded(new ZstdInputStream(new ByteArrayInputStream(block)));
            };
        } catch (BrokenFileException e) {
            throw e;
        } catch (IOException e) {
            throw new BrokenFileException("a block can't be decompressed: " + BrokenFileException.reason(e), e);
        }
    }

    private static byte[] bounded(InputStream in) throws IOException {
        try (in) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new BrokenFileException("a block is larger than " + MAX_BYTES + " bytes");
            }
            return bytes;
        }
    }

    /** Raw snappy, then a checksum of what it holds. */
    private static byte[] snappy(byte[] block) throws IOException {
        int size = block.length - Integer.BYTES;
        if (size < 0 || !Snappy.isValidCompressedBuffer(block, 0, size)) {
            throw new BrokenFileException("a block is no snappy");
        }
        byte[] bytes = Snappy.uncompress(Arrays.copyOf(block, size));
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        if ((int) checksum.getValue() != ByteBuffer.wrap(block).getInt(size)) {
            throw new BrokenFileException("a block's checksum is wrong");
        }
        return bytes;
    }
}
