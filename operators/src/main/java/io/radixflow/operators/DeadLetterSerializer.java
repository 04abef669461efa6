package io.radixflow.operators;

import io.radixflow.schemas.DeadLetter;
import io.radixflow.schemas.ErrorCode;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** {@link DeadLetter} in binary. */
public final class DeadLetterSerializer extends RecordSerializer<DeadLetter> {

    private static final long serialVersionUID = 1L;
    private static final int CURRENT_VERSION = 1;

    @Override
    int currentVersion() {
        return CURRENT_VERSION;
    }

    @Override
    void write(DeadLetter record, DataOutputView out) throws IOException {
        BinaryFields.writeBytes(out, record.key());
        BinaryFields.writeBytes(out, record.value());
        BinaryFields.writeHeaders(out, record.headers());
        BinaryFields.writeString(out, record.code().wireName());
        BinaryFields.writeString(out, record.message());
        BinaryFields.writeString(out, record.stage());
        BinaryFields.writeString(out, record.topic());
        out.writeInt(record.partition());
        out.writeLong(record.offset());
    }

    @Override
    DeadLetter read(int version, DataInputView in) throws IOException {
        return new DeadLetter(
                BinaryFields.readBytes(in),
                BinaryFields.readBytes(in),
                BinaryFields.readHeaders(in),
                ErrorCode.ofWireName(BinaryFields.readPresentString(in)),
                BinaryFields.readPresentString(in),
                BinaryFields.readPresentString(in),
                BinaryFields.readPresentString(in),
                in.readInt(),
                in.readLong());
    }

    @Override
    public TypeSerializerSnapshot<DeadLetter> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Flink makes it by its name when it reads state. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<DeadLetter> {

        public Snapshot() {
            super(DeadLetterSerializer::new);
        }
    }
}
