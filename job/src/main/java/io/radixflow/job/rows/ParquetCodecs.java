package io.radixflow.job.rows;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.xerial.snappy.Snappy;

/** Parquet's compressions without Hadoop's classes. */
final class ParquetCodecs implements CompressionCodecFactory {

    private static final int MAX_PAGE_BYTES = 1 << 30;

    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName codec) {
        return new Compressor(checked(codec));
    }

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
        return new Decompressor(checked(codec));
    }

    @Override
    public void release() {}

    private static byte[] array(BytesInput page) throws IOException {
        return page.toInputStream().readNBytes(Math.toIntExact(page.size()));
    }

    private static CompressionCodecName checked(CompressionCodecName codec) {
        return switch (codec) {
            case UNCOMPRESSED, SNAPPY, GZIP, ZSTD, LZ4_RAW -> codec;
            default ->
                throw new IllegalArgumentException("its codec is " + codec
                        + "; UNCOMPRESSED, SNAPPY, GZIP, ZSTD and LZ4_RAW are read. Write it anew with one of them");
        };
    }

    private record Compressor(CompressionCodecName codec) implements BytesInputCompressor {

        @Override
        public BytesInput compress(BytesInput page) throws IOException {
            byte[] bytes = array(page);
            return BytesInput.from(
                    switch (codec) {
                        case SNAPPY -> Snappy.compress(bytes);
                        case ZSTD -> Zstd.compress(bytes);
                        case GZIP -> gzip(bytes);
                        default -> bytes;
                    });
        }

        private static byte[] gzip(byte[] bytes) throws IOException {
            ByteArrayOutputStream compressed = new ByteArrayOutputStream();
            try (GZIPOutputStream out = new GZIPOutputStream(compressed)) {
                out.write(bytes);
            }
            return compressed.toByteArray();
        }

        @Override
        public CompressionCodecName getCodecName() {
            return codec;
        }

        @Override
        public void release() {}
    }

    private record Decompressor(CompressionCodecName codec) implements BytesInputDecompressor {

        @Override
        public BytesInput decompress(BytesInput page, int size) throws IOException {
            return BytesInput.from(whole(array(page), size));
        }

        private byte[] whole(byte[] page, int size) throws IOException {
            if (size < 0 || size > MAX_PAGE_BYTES) {
                throw new IOException("a page of " + size + " bytes");
            }
            byte[] bytes = bytes(page, size);
            if (bytes.length != size) {
                throw new IOException("a page has " + bytes.length + " bytes instead of " + size);
            }
            return bytes;
        }

        private byte[] bytes(byte[] page, int size) throws IOException {
            return switch (codec) {
                case UNCOMPRESSED -> page;
                case SNAPPY -> snappy(page, size);
                case ZSTD -> zstd(page, size);
                case GZIP -> gzip(page, size);
                case LZ4_RAW -> lz4(page, size);
                default -> throw new IOException("no codec " + codec);
            };
        }

        private static byte[] snappy(byte[] page, int size) throws IOException {
            if (!Snappy.isValidCompressedBuffer(page) || Snappy.uncompressedLength(page) != size) {
                throw new IOException("a page is no snappy");
            }
            return Snappy.uncompress(page);
        }

        private static byte[] zstd(byte[] page, int size) throws IOException {
            byte[] bytes = new byte[size];
            long result = Zstd.decompress(bytes, page);
            if (Zstd.isError(result)) {
                throw new IOException("a page is no zstd: " + Zstd.getErrorName(result));
            }
            return Arrays.copyOf(bytes, (int) result);
        }

        private static byte[] gzip(byte[] page, int size) throws IOException {
            try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(page))) {
                return in.readNBytes(size + 1);
            }
        }

        private static byte[] lz4(byte[] page, int size) throws IOException {
            try {
                return LZ4Factory.safeInstance().safeDecompressor().decompress(page, size);
            } catch (LZ4Exception e) {
                throw new IOException("a page is no lz4", e);
            }
        }

        @Override
        public void decompress(ByteBuffer page, int pageSize, ByteBuffer into, int size) throws IOException {
            byte[] bytes = new byte[pageSize];
            page.get(bytes);
            into.put(whole(bytes, size));
        }

        @Override
        public void release() {}
    }
}
