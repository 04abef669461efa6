package io.radixflow.operators;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** {@link RoutedRequest} in binary. */
public final class RoutedRequestSerializer extends RecordSerializer<RoutedRequest> {

    private static final long serialVersionUID = 1L;
    private static final int CURRENT_VERSION = 1;

    private final PreparedRequestSerializer requests = new PreparedRequestSerializer();

    @Override
    int currentVersion() {
        return CURRENT_VERSION;
    }

    @Override
    void write(RoutedRequest routed, DataOutputView out) throws IOException {
        requests.serialize(routed.request(), out);
        out.writeLong(routed.routerId());
        out.writeInt(routed.newTokens());
    }

    @Override
    RoutedRequest read(int version, DataInputView in) throws IOException {
        return new RoutedRequest(requests.deserialize(in), in.readLong(), in.readInt());
    }

    @Override
    public TypeSerializerSnapshot<RoutedRequest> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Flink makes it by its name when it reads state. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<RoutedRequest> {

        public Snapshot() {
            super(RoutedRequestSerializer::new);
        }
    }
}
