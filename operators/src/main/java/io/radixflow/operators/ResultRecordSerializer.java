package io.radixflow.operators;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** {@link ResultRecord} in binary. */
public final class ResultRecordSerializer extends RecordSerializer<ResultRecord> {

    private static final long serialVersionUID = 1L;
    private static final int CURRENT_VERSION = 2;

    @Override
    int currentVersion() {
        return CURRENT_VERSION;
    }

    @Override
    void write(ResultRecord record, DataOutputView out) throws IOException {
        BinaryFields.writeBytes(out, record.key());
        BinaryFields.writeBytes(out, record.value());
        BinaryFields.writeHeaders(out, record.headers());
        out.writeInt(record.orderHash());
        out.writeLong(record.timestamp());
    }

    @Override
    ResultRecord read(int version, DataInputView in) throws IOException {
        return new ResultRecord(
                BinaryFields.readBytes(in),
                BinaryFields.readPresentBytes(in),
                BinaryFields.readHeaders(in),
                version == 1 ? 0 : in.readInt(),
                in.readLong());
    }

    @Override
    public TypeSerializerSnapshot<ResultRecord> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Flink makes it by its name when it reads state. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<ResultRecord> {

        public Snapshot() {
            super(ResultRecordSerializer::new);
        }
    }
}
