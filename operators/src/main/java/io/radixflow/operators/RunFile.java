package io.radixflow.operators;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.apache.flink.core.fs.FileSystem.WriteMode;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.jspecify.annotations.Nullable;

/**
 * A file of records that a job's first stage writes and its second reads: each as its length in bytes and what its serializer writes.
 * Lives as long as the job.
 */
public final class RunFile {

    private static final int BUFFER_BYTES = 1 << 16;

    private RunFile() {}

    /** Writes one, in place of what was there. */
    static final class Writer<T> implements AutoCloseable {

        private final RecordSerializer<T> serializer;
        private final DataOutputStream file;
        private final DataOutputSerializer buffer = new DataOutputSerializer(BUFFER_BYTES);
        private long position;

        Writer(RecordSerializer<T> serializer, Path path) throws IOException {
            this.serializer = serializer;
            file = new DataOutputStream(
                    new BufferedOutputStream(path.getFileSystem().create(path, WriteMode.OVERWRITE), BUFFER_BYTES));
        }

        void write(T record) throws IOException {
            buffer.clear();
            serializer.serialize(record, buffer);
            file.writeInt(buffer.length());
            file.write(buffer.getSharedBuffer(), 0, buffer.length());
            position += Integer.BYTES + buffer.length();
        }

        /** Bytes so far: where the next record begins. */
        long position() {
            return position;
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Reads the records of a part of one. */
    public static final class Reader<T> implements AutoCloseable {

        private final RecordSerializer<T> serializer;
        private final DataInputStream file;
        private final long to;
        private long position;

        /** Reads bytes {@code [from, to)}, which hold whole records. */
        Reader(RecordSerializer<T> serializer, Path path, long from, long to) throws IOException {
            this.serializer = serializer;
            this.to = to;
            var opened = path.getFileSystem().open(path);
            opened.seek(from);
            file = new DataInputStream(new BufferedInputStream(opened, BUFFER_BYTES));
            position = from;
        }

        /** The next record, or null behind the last one. */
        public @Nullable T next() throws IOException {
            if (position >= to) {
                return null;
            }
            byte[] bytes = new byte[file.readInt()];
            file.readFully(bytes);
            position += Integer.BYTES + bytes.length;
            return serializer.deserialize(new DataInputDeserializer(bytes));
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
