package io.radixflow.job.rows;

import java.io.IOException;
import org.apache.flink.core.fs.Path;

/** Opens Parquet files that {@link TableWriter} wrote. */
public final class TableReader {

    private TableReader() {}

    /** Reads these columns of a file alone. */
    public static RowReader open(Path file, TableSchema columns) throws IOException {
        return ParquetRows.open(new ParquetInput(file), columns.parquet());
    }
}
