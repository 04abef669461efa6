package io.radixflow.job.rows;

import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.util.Locale;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.apache.flink.core.fs.Path;
import org.jspecify.annotations.Nullable;

/**
 * How input files are read.
 *
 * @param format of all files, or null for what their names tell
 * @param delimiter between the values of a CSV row, or null for a comma, in {@code .tsv} files a tab
 * @param isBodies whether rows are bodies or Batch lines: text in columns that hold no text there is taken as JSON
 */
public record RowInput(@Nullable RowFormat format, @Nullable Character delimiter, boolean isBodies)
        implements Serializable {

    private static final int BUFFER_BYTES = 1 << 16;
    private static final int GZIP_MAGIC = 0x1f8b;
    private static final int ZSTD_MAGIC = 0x28b5;

    /** @throws IllegalArgumentException if neither option nor name tells */
    public RowFormat formatOf(String fileName) {
        RowFormat told = format == null ? RowFormat.ofFileName(fileName) : format;
        if (told == null) {
            throw new IllegalArgumentException("nothing tells the format of " + fileName);
        }
        return told;
    }

    /** Opens a file at its first row. @throws BrokenFileException if its head is no such file's */
    public RowReader open(Path file) throws IOException {
        RowEncoder encoder = new RowEncoder(isBodies);
        return switch (formatOf(file.getName())) {
            case JSONL -> new JsonlRows(text(file));
            case CSV -> CsvRows.open(text(file), delimiterOf(file), encoder);
            case PARQUET -> ParquetRows.open(new ParquetInput(file), encoder);
            case AVRO -> new AvroRows(AvroFile.open(file), encoder);
        };
    }

    /** Counts a file's rows and finds what makes it unreadable. @throws BrokenFileException in that case */
    public long countRows(Path file) throws IOException {
        return switch (formatOf(file.getName())) {
            case JSONL, CSV -> {
                try (RowReader reader = open(file)) {
                    long rows = 0;
                    while (reader.next() != null) {
                        rows++;
                    }
                    yield rows;
                }
            }
            case PARQUET -> ParquetRows.countRows(new ParquetInput(file));
            case AVRO -> {
                try (AvroFile avro = AvroFile.open(file)) {
                    yield avro.countRows();
                }
            }
        };
    }

    /** The columns that the file declares, with their types; empty if it declares none. */
    public Map<String, ColumnType> columns(Path file) throws IOException {
        return switch (formatOf(file.getName())) {
            case JSONL -> Map.of();
            case CSV -> {
                try (CsvRows rows = CsvRows.open(text(file), delimiterOf(file), new RowEncoder(isBodies))) {
                    yield rows.columns();
                }
            }
            case PARQUET -> ParquetRows.columns(new ParquetInput(file));
            case AVRO -> {
                try (AvroFile avro = AvroFile.open(file)) {
                    yield avro.columns();
                }
            }
        };
    }

    private char delimiterOf(Path file) {
        if (delimiter != null) {
            return delimiter;
        }
        return file.getName().toLowerCase(Locale.ROOT).contains(".tsv") ? '\t' : ',';
    }

    /** The text of a file, decompressed if it is gzip or zstd. */
    private static InputStream text(Path file) throws IOException {
        InputStream in = new BufferedInputStream(file.getFileSystem().open(file), BUFFER_BYTES);
        in.mark(2);
        int magic = in.read() << 8 | in.read();
        in.reset();
        try {
            return magic == GZIP_MAGIC
                    ? new GZIPInputStream(in, BUFFER_BYTES)
                    : magic == ZSTD_MAGIC ? new ZstdInputStream(in) : in;
        } catch (IOException e) {
            in.close();
            throw new BrokenFileException("it is no whole compressed file: " + BrokenFileException.reason(e), e);
        }
    }
}
