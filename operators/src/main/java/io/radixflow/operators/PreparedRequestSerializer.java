package io.radixflow.operators;

import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.PromptRecord;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** {@link PreparedRequest} in binary. */
public final class PreparedRequestSerializer extends RecordSerializer<PreparedRequest> {

    private static final long serialVersionUID = 1L;
    private static final int CURRENT_VERSION = 1;

    private final SourceRecordSerializer sources = new SourceRecordSerializer();

    @Override
    int currentVersion() {
        return CURRENT_VERSION;
    }

    @Override
    void write(PreparedRequest request, DataOutputView out) throws IOException {
        sources.serialize(request.source(), out);
        out.writeBoolean(request.kind() == PromptRecord.Kind.CHAT);
        BinaryFields.writeString(out, request.customId());
        BinaryFields.writeString(out, request.model());
        BinaryFields.writeString(out, request.metadataJson());
        BinaryFields.writeInts(out, request.promptIds(), request.promptIds().length);
        writeSampling(out, request.sampling());
        out.writeBoolean(request.isMaxTokensOpen());
        BinaryFields.writeString(out, request.cacheSalt());
        out.writeBoolean(request.isStream());
        out.writeBoolean(request.hasStreamUsage());
        out.writeLong(request.createdMillis());
        out.writeInt(request.routingKey());
    }

    @Override
    PreparedRequest read(int version, DataInputView in) throws IOException {
        return new PreparedRequest(
                sources.deserialize(in),
                in.readBoolean() ? PromptRecord.Kind.CHAT : PromptRecord.Kind.COMPLETION,
                BinaryFields.readPresentString(in),
                BinaryFields.readPresentString(in),
                BinaryFields.readString(in),
                BinaryFields.readInts(in),
                readSampling(in),
                in.readBoolean(),
                BinaryFields.readString(in),
                in.readBoolean(),
                in.readBoolean(),
                in.readLong(),
                in.readInt());
    }

    private static void writeSampling(DataOutputView out, SamplingParams sampling) throws IOException {
        out.writeFloat(sampling.temperature());
        out.writeFloat(sampling.topP());
        out.writeInt(sampling.topK());
        out.writeFloat(sampling.minP());
        out.writeFloat(sampling.presencePenalty());
        out.writeFloat(sampling.frequencyPenalty());
        out.writeFloat(sampling.repetitionPenalty());
        out.writeInt(sampling.maxTokens());
        out.writeInt(sampling.minTokens());
        out.writeBoolean(sampling.ignoreEos());
        out.writeLong(sampling.seed());
        BinaryFields.writeStrings(out, sampling.stop());
        BinaryFields.writeInts(out, sampling.stopTokenIds(), sampling.stopTokenIds().length);
        out.writeBoolean(sampling.skipSpecialTokens());
    }

    private static SamplingParams readSampling(DataInputView in) throws IOException {
        return new SamplingParams(
                in.readFloat(),
                in.readFloat(),
                in.readInt(),
                in.readFloat(),
                in.readFloat(),
                in.readFloat(),
                in.readFloat(),
                in.readInt(),
                in.readInt(),
                in.readBoolean(),
                in.readLong(),
                BinaryFields.readStrings(in),
                BinaryFields.readInts(in),
                in.readBoolean());
    }

    @Override
    public TypeSerializerSnapshot<PreparedRequest> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Flink makes it by its name when it reads state. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<PreparedRequest> {

        public Snapshot() {
            super(PreparedRequestSerializer::new);
        }
    }
}
