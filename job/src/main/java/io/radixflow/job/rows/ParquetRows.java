package io.radixflow.job.rows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/** Rows of a Parquet file, a row group in memory at a time. Those of a broken row group are lost one by one, each with the problem. */
final class ParquetRows implements RowReader {

    private final ParquetFileReader file;
    private final RowEncoder encoder;
    private final MessageType columns;
    private final MessageColumnIO columnIo;
    private @Nullable RecordReader<ObjectNode> group;
    private @Nullable String problem;
    private int nextGroup;
    private long leftInGroup;
    private long number;

    private ParquetRows(ParquetFileReader file, MessageType columns, RowEncoder encoder) {
        this.file = file;
        this.encoder = encoder;
        this.columns = columns;
        columnIo = new ColumnIOFactory()
                .getColumnIO(columns, file.getFooter().getFileMetaData().getSchema());
    }

    static ParquetRows open(ParquetInput input, RowEncoder encoder) throws IOException {
        ParquetFileReader file = footer(input);
        return new ParquetRows(file, file.getFooter().getFileMetaData().getSchema(), encoder);
    }

    /** Reads these columns alone. */
    static ParquetRows open(ParquetInput input, MessageType columns) throws IOException {
        ParquetFileReader file = footer(input);
        file.setRequestedSchema(columns);
        return new ParquetRows(file, columns, new RowEncoder(false));
    }

    static long countRows(ParquetInput input) throws IOException {
        try (ParquetFileReader file = footer(input)) {
            return file.getRecordCount();
        }
    }

    static Map<String, ColumnType> columns(ParquetInput input) throws IOException {
        try (ParquetFileReader file = footer(input)) {
            Map<String, ColumnType> columns = new LinkedHashMap<>();
            for (Type field : file.getFooter().getFileMetaData().getSchema().getFields()) {
                columns.put(field.getName(), ParquetToJson.columnType(field));
            }
            return columns;
        }
    }

    /** Opens a file and checks that what its foot speaks of is there. */
    private static ParquetFileReader footer(ParquetInput input) throws IOException {
        ParquetFileReader file;
        try {
            file = new ParquetFileReader(
                    input,
                    ParquetReadOptions.builder(new PlainParquetConfiguration())
                            .withCodecFactory(new ParquetCodecs())
                            .build());
        } catch (RuntimeException | IOException e) {
            throw new BrokenFileException("it is no whole Parquet file: " + BrokenFileException.reason(e), e);
        }
        try {
            check(file, input.getLength());
            return file;
        } catch (RuntimeException | IOException e) {
            file.close();
            throw e;
        }
    }

    private static void check(ParquetFileReader file, long length) throws BrokenFileException {
        long rows = 0;
        for (BlockMetaData group : file.getRowGroups()) {
            for (ColumnChunkMetaData column : group.getColumns()) {
                long start = column.getStartingPos();
                long size = column.getTotalSize();
                if (column.getValueCount() < group.getRowCount()) {
                    throw new BrokenFileException("it is no whole Parquet file: a column has fewer values than rows");
                }
                if (start < 0 || size < 0 || size > Integer.MAX_VALUE || start > length - size) {
                    throw new BrokenFileException(
                            "it is no whole Parquet file: after row " + rows + " a column lies outside of it");
                }
            }
            if (group.getRowCount() < 0) {
                throw new BrokenFileException("it is no whole Parquet file: a row group has no size");
            }
            rows += group.getRowCount();
        }
    }

    @Override
    public @Nullable Row next() throws IOException {
        while (leftInGroup == 0) {
            if (nextGroup == file.getRowGroups().size()) {
                return null;
            }
            open(nextGroup++);
        }
        ObjectNode row = nextNode();
        return row == null
                ? Row.unreadable(number, problem == null ? "the file is broken here" : problem)
                : Row.of(number, encoder.encode(row));
    }

    private @Nullable ObjectNode nextNode() {
        leftInGroup--;
        number++;
        RecordReader<ObjectNode> records = group;
        if (records == null || problem != null) {
            return null;
        }
        try {
            return records.read();
        } catch (RuntimeException e) {
            problem = broken(e);
            return null;
        }
    }

    private String broken(Throwable failure) {
        return "the file is broken here, up to row " + (number + leftInGroup) + ": "
                + BrokenFileException.reason(failure);
    }

    private void open(int index) {
        leftInGroup = file.getRowGroups().get(index).getRowCount();
        problem = null;
        group = null;
        try {
            PageReadStore pages = file.readRowGroup(index);
            group = pages == null ? null : columnIo.getRecordReader(pages, new ParquetToJson(columns));
        } catch (IOException | RuntimeException e) {
            problem = broken(e);
        }
    }

    @Override
    public void skip(long numRows) throws IOException {
        long left = numRows;
        while (left > 0 && (leftInGroup > 0 || nextGroup < file.getRowGroups().size())) {
            long groupRows =
                    leftInGroup > 0 ? 0 : file.getRowGroups().get(nextGroup).getRowCount();
            if (leftInGroup > 0) {
                nextNode();
                left--;
            } else if (groupRows <= left) {
                nextGroup++;
                left -= groupRows;
                number += groupRows;
            } else {
                open(nextGroup++);
            }
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
