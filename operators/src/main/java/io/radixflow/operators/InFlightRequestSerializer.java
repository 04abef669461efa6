package io.radixflow.operators;

import io.radixflow.operators.InFlightRequest.Progress;
import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/** {@link InFlightRequest} in state; a version changes with that of the request in it. The bytes of every released version stay readable; golden files hold them. */
final class InFlightRequestSerializer implements SimpleVersionedSerializer<InFlightRequest> {

    static final int CURRENT_VERSION = 2;

    private final PreparedRequestSerializer requests = new PreparedRequestSerializer();

    @Override
    public int getVersion() {
        return CURRENT_VERSION;
    }

    @Override
    public byte[] serialize(InFlightRequest inFlight) throws IOException {
        DataOutputSerializer out =
                new DataOutputSerializer(256 + 4 * inFlight.request().promptIds().length);
        requests.serialize(inFlight.request(), out);
        Progress progress = inFlight.progress();
        BinaryFields.writeInts(out, progress.outputIds(), progress.outputIds().length);
        BinaryFields.writeBytes(out, progress.text());
        out.writeInt(progress.chunkedLen());
        out.writeInt(progress.chunkedTextLen());
        out.writeBoolean(progress.isOpened());
        out.writeInt(progress.cachedLen());
        out.writeLong(progress.elapsedNanos());
        return out.getCopyOfBuffer();
    }

    @Override
    public InFlightRequest deserialize(int version, byte[] serialized) throws IOException {
        if (version < 1 || version > CURRENT_VERSION) {
            throw new IOException("in-flight requests of version " + version + " can't be read, the current version is "
                    + CURRENT_VERSION);
        }
        DataInputDeserializer in = new DataInputDeserializer(serialized);
        PreparedRequest request = requests.deserialize(in);
        Progress progress = new Progress(
                BinaryFields.readInts(in),
                BinaryFields.readPresentBytes(in),
                in.readInt(),
                in.readInt(),
                in.readBoolean(),
                in.readInt(),
                in.readLong());
        return new InFlightRequest(request, progress);
    }
}
