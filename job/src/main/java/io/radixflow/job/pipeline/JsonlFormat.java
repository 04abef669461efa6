package io.radixflow.job.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.radixflow.operators.RecordTypes;
import io.radixflow.operators.SourceRecord;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.IteratorResultIterator;
import org.jspecify.annotations.Nullable;

/**
 * Lines of text files as records that know their file and line. A file is read by one subtask from its start, since line numbers need that;
 * a restored reader skips the lines that were read before the checkpoint.
 */
final class JsonlFormat implements BulkFormat<SourceRecord, FileSourceSplit> {

    private static final long serialVersionUID = 1L;
    private static final int BATCH_LINES = 64;

    @Override
    public BulkFormat.Reader<SourceRecord> createReader(Configuration config, FileSourceSplit split)
            throws IOException {
        return new LineReader(split, 0);
    }

    @Override
    public BulkFormat.Reader<SourceRecord> restoreReader(Configuration config, FileSourceSplit split)
            throws IOException {
        return new LineReader(
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

    private static final class LineReader implements BulkFormat.Reader<SourceRecord> {

        private final String fileName;
        private final BufferedReader lines;
        private long numRead;

        LineReader(FileSourceSplit split, long numToSkip) throws IOException {
            fileName = split.path().getName();
            lines = new BufferedReader(
                    new InputStreamReader(split.path().getFileSystem().open(split.path()), UTF_8));
            while (numRead < numToSkip && lines.readLine() != null) {
                numRead++;
            }
        }

        @Override
        public BulkFormat.@Nullable RecordIterator<SourceRecord> readBatch() throws IOException {
            List<SourceRecord> batch = new ArrayList<>(BATCH_LINES);
            long first = numRead;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                numRead++;
                batch.add(new SourceRecord(
                        null, line.getBytes(UTF_8), List.of(), fileName, 0, numRead, SourceRecord.NO_TIMESTAMP));
                if (batch.size() == BATCH_LINES) {
                    break;
                }
            }
            return batch.isEmpty()
                    ? null
                    : new IteratorResultIterator<>(batch.iterator(), CheckpointedPosition.NO_OFFSET, first);
        }

        @Override
        public void close() throws IOException {
            lines.close();
        }
    }
}
