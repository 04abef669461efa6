package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.radixflow.job.rows.BrokenFileException;
import io.radixflow.job.rows.Row;
import io.radixflow.job.rows.RowInput;
import io.radixflow.job.rows.RowReader;
import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.SourceRecord;
import io.radixflow.schemas.RecordHeader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.IteratorResultIterator;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.jspecify.annotations.Nullable;

/**
 * Rows of files as records that know their file and row. A file is read by one subtask from its start, since row numbers need that;
 * a restored reader leaves out the rows that were read before the checkpoint.
 */
final class FileRows implements BulkFormat<SourceRecord, FileSourceSplit> {

    /** Header of a row that can't be read: why. */
    static final String PROBLEM_HEADER = "radixflow.row.problem";

    private static final long serialVersionUID = 1L;
    private static final int BATCH_ROWS = 64;
    private static final int BATCH_BYTES = 1 << 20;

    private final RowInput input;

    FileRows(RowInput input) {
        this.input = input;
    }

    @Override
    public BulkFormat.Reader<SourceRecord> createReader(Configuration config, FileSourceSplit split)
            throws IOException {
        return new Reader(input, split, 0);
    }

    @Override
    public BulkFormat.Reader<SourceRecord> restoreReader(Configuration config, FileSourceSplit split)
            throws IOException {
        return new Reader(
                input,
                split,
                split.getReaderPosition()
                        .map(CheckpointedPosition::getRecordsAfterOffset)
                        .orElse(0L));
    }

    @Override
    public boolean isSplittable() {
        return false;
    }

    @Override
    public TypeInformation<SourceRecord> getProducedType() {
        return RecordTypes.SOURCE;
    }

    private static final class Reader implements BulkFormat.Reader<SourceRecord> {

        private final String fileName;
        private final RowReader rows;
        private long numRead;

        Reader(RowInput input, FileSourceSplit split, long numToSkip) throws IOException {
            fileName = split.path().getName();
            rows = open(input, split);
            rows.skip(numToSkip);
            numRead = numToSkip;
        }

        private RowReader open(RowInput input, FileSourceSplit split) throws IOException {
            try {
                return input.open(split.path());
            } catch (BrokenFileException e) {
                throw unreadable(e);
            }
        }

        @Override
        public BulkFormat.@Nullable RecordIterator<SourceRecord> readBatch() throws IOException {
            List<SourceRecord> batch = new ArrayList<>(BATCH_ROWS);
            long first = numRead;
            int bytes = 0;
            while (batch.size() < BATCH_ROWS && bytes < BATCH_BYTES) {
                Row row = next();
                if (row == null) {
                    break;
                }
                numRead++;
                bytes += row.value().length;
                batch.add(record(row));
            }
            return batch.isEmpty()
                    ? null
                    : new IteratorResultIterator<>(batch.iterator(), CheckpointedPosition.NO_OFFSET, first);
        }

        private @Nullable Row next() throws IOException {
            try {
                return rows.next();
            } catch (BrokenFileException e) {
                throw unreadable(e);
            }
        }

        /** A restart would not make the file better. */
        private SuppressRestartsException unreadable(BrokenFileException e) {
            return new SuppressRestartsException(
                    new IOException("the input file " + fileName + " cannot be read: " + e.getMessage(), e));
        }

        private SourceRecord record(Row row) {
            String problem = row.problem();
            List<RecordHeader> headers =
                    problem == null ? List.of() : List.of(new RecordHeader(PROBLEM_HEADER, problem.getBytes(UTF_8)));
            return new SourceRecord(null, row.value(), headers, fileName, 0, row.number(), SourceRecord.NO_TIMESTAMP);
        }

        @Override
        public void close() throws IOException {
            rows.close();
        }
    }
}
