package io.radixflow.operators;

import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.engine.TokenRules;
import io.radixflow.schemas.PromptRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** {@link PreparedRequest} in binary. */
public final class PreparedRequestSerializer extends RecordSerializer<PreparedRequest> {

    private static final long serialVersionUID = 1L;
    private static final int CURRENT_VERSION = 2;

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
                readSampling(version, in),
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
        out.writeBoolean(sampling.noStopTrim());
        out.writeInt(sampling.logprobs());
        writeRules(out, sampling.rules());
    }

    private static void writeRules(DataOutputView out, TokenRules rules) throws IOException {
        BinaryFields.writeInts(out, rules.biasIds(), rules.biasIds().length);
        for (float value : rules.biasValues()) {
            out.writeFloat(value);
        }
        out.writeInt(rules.badWords().size());
        for (int[] word : rules.badWords()) {
            BinaryFields.writeInts(out, word, word.length);
        }
        BinaryFields.writeInts(out, rules.allowedIds(), rules.allowedIds().length);
    }

    private static SamplingParams readSampling(int version, DataInputView in) throws IOException {
        SamplingParamsBuilder sampling = SamplingParams.builder()
                .temperature(in.readFloat())
                .topP(in.readFloat())
                .topK(in.readInt())
                .minP(in.readFloat())
                .presencePenalty(in.readFloat())
                .frequencyPenalty(in.readFloat())
                .repetitionPenalty(in.readFloat())
                .maxTokens(in.readInt())
                .minTokens(in.readInt())
                .ignoreEos(in.readBoolean())
                .seed(in.readLong())
                .stop(BinaryFields.readStrings(in))
                .stopTokenIds(BinaryFields.readInts(in))
                .skipSpecialTokens(in.readBoolean());
        if (version >= 2) {
            sampling.noStopTrim(in.readBoolean()).logprobs(in.readInt()).rules(readRules(in));
        }
        return sampling.build();
    }

    private static TokenRules readRules(DataInputView in) throws IOException {
        int[] biasIds = BinaryFields.readInts(in);
        float[] biasValues = new float[biasIds.length];
        for (int i = 0; i < biasValues.length; i++) {
            biasValues[i] = in.readFloat();
        }
        int numBadWords = in.readInt();
        List<int[]> badWords = new ArrayList<>();
        for (int i = 0; i < numBadWords; i++) {
            badWords.add(BinaryFields.readInts(in));
        }
        return new TokenRules(biasIds, biasValues, badWords, BinaryFields.readInts(in));
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
