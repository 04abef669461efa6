package io.radixflow.job.pipeline;

import io.radixflow.operators.RunFile;
import io.radixflow.operators.WholeInputOrder.FileSlice;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.assigners.SimpleSplitAssigner;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.CheckpointedPosition;
import org.apache.flink.connector.file.src.util.IteratorResultIterator;
import org.apache.flink.core.fs.Path;
import org.jspecify.annotations.Nullable;

/** Reads back what the first stage of a run in prefix order wrote: each slice is a split that goes to whichever reader is free. */
final class RunFormat<T> implements BulkFormat<T, FileSourceSplit> {

    private static final long serialVersionUID = 1L;
    private static final int BATCH_RECORDS = 16;

    private final TypeInformation<T> type;
    private final Opener<T> opener;

    private RunFormat(TypeInformation<T> type, Opener<T> opener) {
        this.type = type;
        this.opener = opener;
    }

    /** How a slice is read. */
    interface Opener<T> extends Serializable {
        RunFile.Reader<T> open(FileSlice slice) throws IOException;
    }

    /** A source of the slices' records, which lie in files of the folder. */
    static <T> FileSource<T> source(TypeInformation<T> type, Opener<T> opener, List<FileSlice> slices, Path folder) {
        ArrayList<FileSlice> all = new ArrayList<>(slices);
        return FileSource.forBulkFileFormat(new RunFormat<>(type, opener), folder)
                .setFileEnumerator(() -> (paths, minSplits) -> splits(all))
                .setSplitAssigner(SimpleSplitAssigner::new)
                .build();
    }

    /** The assigner takes the last one first. */
    private static List<FileSourceSplit> splits(List<FileSlice> slices) {
        List<FileSourceSplit> splits = new ArrayList<>(slices.size());
        for (int i = slices.size() - 1; i >= 0; i--) {
            FileSlice slice = slices.get(i);
            long len = slice.to() - slice.from();
            splits.add(
                    new FileSourceSplit(Integer.toString(i), new Path(slice.file()), slice.from(), len, 0, slice.to()));
        }
        return splits;
    }

    @Override
    public BulkFormat.Reader<T> createReader(Configuration config, FileSourceSplit split) throws IOException {
        return new Reader<>(open(split), 0);
    }

    @Override
    public BulkFormat.Reader<T> restoreReader(Configuration config, FileSourceSplit split) throws IOException {
        return new Reader<>(
                open(split),
                split.getReaderPosition()
                        .map(CheckpointedPosition::getRecordsAfterOffset)
                        .orElse(0L));
    }

    private RunFile.Reader<T> open(FileSourceSplit split) throws IOException {
        return opener.open(new FileSlice(split.path().toString(), split.offset(), split.offset() + split.length()));
    }

    @Override
    public boolean isSplittable() {
        return true;
    }

    @Override
    public TypeInformation<T> getProducedType() {
        return type;
    }

    private static final class Reader<T> implements BulkFormat.Reader<T> {

        private final RunFile.Reader<T> records;
        private long numRead;

        Reader(RunFile.Reader<T> records, long numToSkip) throws IOException {
            this.records = records;
            while (numRead < numToSkip && records.next() != null) {
                numRead++;
            }
        }

        @Override
        public BulkFormat.@Nullable RecordIterator<T> readBatch() throws IOException {
            List<T> batch = new ArrayList<>(BATCH_RECORDS);
            long first = numRead;
            while (batch.size() < BATCH_RECORDS) {
                T record = records.next();
                if (record == null) {
                    break;
                }
                numRead++;
                batch.add(record);
            }
            return batch.isEmpty()
                    ? null
                    : new IteratorResultIterator<>(batch.iterator(), CheckpointedPosition.NO_OFFSET, first);
        }

        @Override
        public void close() throws IOException {
            records.close();
        }
    }
}
