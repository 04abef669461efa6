package io.radixflow.operators;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Serializer of an immutable record type of ours: a version byte, then the fields as {@link BinaryFields}. Every version ever
 * released stays readable; copies are the object itself.
 */
abstract class RecordSerializer<T> extends TypeSerializerSingleton<T> {

    private static final long serialVersionUID = 1L;

    /** The version that {@link #write} writes, 1 to 127. */
    abstract int currentVersion();

    abstract void write(T record, DataOutputView out) throws IOException;

    /** @param version of the bytes, {@code [1, currentVersion()]} */
    abstract T read(int version, DataInputView in) throws IOException;

    @Override
    public final void serialize(T record, DataOutputView out) throws IOException {
        out.writeByte(currentVersion());
        write(record, out);
    }

    @Override
    public final T deserialize(DataInputView in) throws IOException {
        int version = in.readByte();
        if (version < 1 || version > currentVersion()) {
            throw new IOException(getClass().getSimpleName() + " reads versions 1 to " + currentVersion() + ", got "
                    + version + ": the state was written by a later release");
        }
        return read(version, in);
    }

    @Override
    public final T deserialize(T reuse, DataInputView in) throws IOException {
        return deserialize(in);
    }

    @Override
    public final void copy(DataInputView source, DataOutputView target) throws IOException {
        serialize(deserialize(source), target);
    }

    @Override
    public final T copy(T from) {
        return from;
    }

    @Override
    public final T copy(T from, T reuse) {
        return from;
    }

    @Override
    public final boolean isImmutableType() {
        return true;
    }

    @Override
    public final int getLength() {
        return LENGTH_VARIES;
    }

    /** What {@link TypeSerializer#getLength()} answers for a type without a fixed length. */
    private static final int LENGTH_VARIES = -1;

    @Override
    @SuppressWarnings("NullAway") // Flink's signature knows no null annotations; no caller uses this for stream records
    public final T createInstance() {
        return null;
    }
}
