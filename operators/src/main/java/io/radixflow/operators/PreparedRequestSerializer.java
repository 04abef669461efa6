package io.radixflow.operators;

import io.radixflow.engine.GrammarSpec;
import io.radixflow.engine.JsonStyle;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.engine.TokenRules;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.Prompt;
import io.radixflow.text.ReasoningStart;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/** {@link PreparedRequest} in binary. */
public final class PreparedRequestSerializer extends RecordSerializer<PreparedRequest> {

    private static final long serialVersionUID = 1L;
    private static final int CURRENT_VERSION = 4;

    private final SourceRecordSerializer sources = new SourceRecordSerializer();

    @Override
    int currentVersion() {
        return CURRENT_VERSION;
    }

    @Override
    void write(PreparedRequest request, DataOutputView out) throws IOException {
        sources.serialize(request.source(), out);
        AnswerHead head = request.head();
        BinaryFields.writeString(out, head.kind().name());
        BinaryFields.writeString(out, head.envelope().name());
        BinaryFields.writeString(out, head.customId());
        BinaryFields.writeString(out, head.model());
        out.writeLong(head.createdSeconds());
        BinaryFields.writeString(out, head.metadataJson());
        AnswerShape shape = request.shape();
        out.writeInt(shape.numChoices());
        out.writeInt(shape.promptLogprobs());
        BinaryFields.writeString(out, shape.reasoning().name());
        out.writeBoolean(shape.isStream());
        out.writeBoolean(shape.hasStreamUsage());
        BinaryFields.writeInts(out, request.promptIds(), request.promptIds().length);
        writeSampling(out, request.sampling());
        out.writeBoolean(request.isMaxTokensOpen());
        BinaryFields.writeString(out, request.cacheSalt());
        out.writeInt(request.priority());
        out.writeInt(request.routingKey());
    }

    @Override
    PreparedRequest read(int version, DataInputView in) throws IOException {
        SourceRecord source = sources.deserialize(in);
        if (version == 1) {
            return readVersion1(source, in);
        }
        AnswerHead head = new AnswerHead(
                Prompt.Kind.valueOf(BinaryFields.readPresentString(in)),
                Prompt.Envelope.valueOf(BinaryFields.readPresentString(in)),
                BinaryFields.readPresentString(in),
                BinaryFields.readPresentString(in),
                in.readLong(),
                BinaryFields.readString(in));
        AnswerShape shape = new AnswerShape(
                in.readInt(),
                in.readInt(),
                ReasoningStart.valueOf(BinaryFields.readPresentString(in)),
                in.readBoolean(),
                in.readBoolean());
        return new PreparedRequest(
                source,
                head,
                shape,
                BinaryFields.readInts(in),
                readSampling(version, in),
                in.readBoolean(),
                BinaryFields.readString(in),
                in.readInt(),
                in.readInt());
    }

    /** One JSON answer, without any of the fields that came later. */
    private static PreparedRequest readVersion1(SourceRecord source, DataInputView in) throws IOException {
        Prompt.Kind kind = in.readBoolean() ? Prompt.Kind.CHAT : Prompt.Kind.COMPLETION;
        String customId = BinaryFields.readPresentString(in);
        String model = BinaryFields.readPresentString(in);
        String metadataJson = BinaryFields.readString(in);
        int[] promptIds = BinaryFields.readInts(in);
        SamplingParams sampling = readSampling(1, in);
        boolean isMaxTokensOpen = in.readBoolean();
        String cacheSalt = BinaryFields.readString(in);
        AnswerShape shape = AnswerShape.plain(in.readBoolean(), in.readBoolean());
        long createdSeconds = in.readLong() / 1000;
        AnswerHead head = new AnswerHead(kind, Prompt.Envelope.BODY, customId, model, createdSeconds, metadataJson);
        return new PreparedRequest(
                source, head, shape, promptIds, sampling, isMaxTokensOpen, cacheSalt, 0, in.readInt());
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
        writeGrammar(out, sampling.grammar());
    }

    private static void writeGrammar(DataOutputView out, @Nullable GrammarSpec grammar) throws IOException {
        out.writeBoolean(grammar != null);
        if (grammar != null) {
            BinaryFields.writeString(out, grammar.kind().name());
            BinaryFields.writeString(out, grammar.text());
            out.writeBoolean(grammar.isStrict());
            BinaryFields.writeString(out, grammar.json().spacePattern());
            out.writeBoolean(grammar.json().isAnyOrder());
            BinaryFields.writeString(out, grammar.reasoning().name());
        }
    }

    private static @Nullable GrammarSpec readGrammar(int version, DataInputView in) throws IOException {
        if (!in.readBoolean()) {
            return null;
        }
        return new GrammarSpec(
                GrammarSpec.Kind.valueOf(BinaryFields.readPresentString(in)),
                BinaryFields.readPresentString(in),
                in.readBoolean(),
                new JsonStyle(BinaryFields.readPresentString(in), version >= 4 && in.readBoolean()),
                GrammarSpec.Reasoning.valueOf(BinaryFields.readPresentString(in)));
    }

    private static void writeRules(DataOutputView out, TokenRules rules) throws IOException {
        BinaryFields.writeInts(out, rules.biasIds(), rules.biasIds().length);
        BinaryFields.writeFloats(out, rules.biasValues(), rules.biasValues().length);
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
        if (version >= 3) {
            sampling.grammar(readGrammar(version, in));
        }
        return sampling.build();
    }

    private static TokenRules readRules(DataInputView in) throws IOException {
        int[] biasIds = BinaryFields.readInts(in);
        float[] biasValues = BinaryFields.readFloats(in);
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
