package io.radixflow.operators;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** {@link SourceRecord} in binary. */
public final class SourceRecordSerializer extends RecordSerializer<SourceRecord> {

    private static final long serialVersionUID = 1L;
    private static final int CURRENT_VERSION = 1;

    @Override
    int currentVersion() {
        return CURRENT_VERSION;
    }

    @Override
    void write(SourceRecord record, DataOutputView out) throws IOException {
        BinaryFields.writeBytes(out, record.key());
        BinaryFields.writeBytes(out, record.value());
        BinaryFields.writeHeaders(out, record.headers());
        BinaryFields.writeString(out, record.topic());
        out.writeInt(record.partition());
        out.writeLong(record.offset());
        out.writeLong(record.timestamp());
    }

    @Override
    SourceRecord read(int version, DataInputView in) throws IOException {
        return new SourceRecord(
                BinaryFields.readBytes(in),
                BinaryFields.readBytes(in),
                BinaryFields.readHeaders(in),
                BinaryFields.readPresentString(in),
                in.readInt(),
                in.readLong(),
                in.readLong());
    }

    @Override
    public TypeSerializerSnapshot<SourceRecord> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Flink makes it by its name when it reads state. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<SourceRecord> {

        public Snapshot() {
            super(SourceRecordSerializer::new);
        }
    }
}
