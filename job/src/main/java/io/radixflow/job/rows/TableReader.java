package io.radixflow.job.rows;

import java.io.IOException;
import org.apache.flink.core.fs.Path;

/** Opens files that {@link TableWriter} wrote. */
public final class TableReader {

    private TableReader() {}

    /** Reads these columns of a Parquet file alone. */
    public static RowReader parquet(Path file, TableSchema columns) throws IOException {
        return ParquetRows.open(new ParquetInput(file), columns.parquet());
    }

    /** Reads a CSV file; what has no value is null, unlike an empty text. */
    public static RowReader csv(Path file) throws IOException {
        return CsvRows.ofTable(file.getFileSystem().open(file));
    }
}
