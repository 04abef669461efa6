package io.radixflow.operators;

import io.radixflow.engine.FinishReason;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.operators.InFlightChoice.Progress;
import io.radixflow.schemas.StopMatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * {@link InFlightRequest} in state; a version changes with that of the request in it. The bytes of every released version stay
 * readable; golden files hold them.
 */
final class InFlightRequestSerializer implements SimpleVersionedSerializer<InFlightRequest> {

    static final int CURRENT_VERSION = 5;

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
        out.writeInt(inFlight.cachedLen());
        out.writeLong(inFlight.elapsedNanos());
        out.writeInt(inFlight.numEngineFailures());
        writePromptScores(out, inFlight.promptScores());
        out.writeInt(inFlight.choices().size());
        for (InFlightChoice choice : inFlight.choices()) {
            write(out, choice.progress());
        }
        return out.getCopyOfBuffer();
    }

    private static void write(DataOutputView out, Progress progress) throws IOException {
        BinaryFields.writeInts(out, progress.outputIds(), progress.outputIds().length);
        BinaryFields.writeBytes(out, progress.text());
        out.writeInt(progress.chunkedLen());
        out.writeInt(progress.chunkedTextLen());
        out.writeBoolean(progress.isOpened());
        FinishReason finish = progress.finish();
        BinaryFields.writeString(out, finish == null ? null : finish.name());
        StopMatch stop = progress.stop();
        out.writeBoolean(stop != null);
        if (stop != null) {
            out.writeInt(stop.tokenId());
            BinaryFields.writeString(out, stop.text());
        }
        out.writeInt(progress.reasoningLen());
        GeneratedScores scores = progress.scores();
        out.writeBoolean(scores != null);
        if (scores != null) {
            scores.write(out);
        }
    }

    private static void writePromptScores(DataOutputView out, @Nullable PromptLogprobs scores) throws IOException {
        out.writeBoolean(scores != null);
        if (scores == null) {
            return;
        }
        out.writeInt(scores.start());
        out.writeInt(scores.len());
        out.writeInt(scores.numAlternatives());
        for (int position = scores.start(); position < scores.start() + scores.len(); position++) {
            out.writeFloat(scores.logprob(position));
            for (int rank = 0; rank < scores.numAlternatives(); rank++) {
                out.writeInt(scores.alternativeId(position, rank));
                out.writeFloat(scores.alternativeLogprob(position, rank));
            }
        }
    }

    @Override
    public InFlightRequest deserialize(int version, byte[] serialized) throws IOException {
        if (version < 1 || version > CURRENT_VERSION) {
            throw new IOException("in-flight requests of version " + version + " can't be read, the current version is "
                    + CURRENT_VERSION);
        }
        DataInputDeserializer in = new DataInputDeserializer(serialized);
        PreparedRequest request = requests.deserialize(in);
        if (version == 1) {
            return readVersion1(request, in);
        }
        int cachedLen = in.readInt();
        long elapsedNanos = in.readLong();
        int numEngineFailures = version >= 3 ? in.readInt() : 0;
        PromptLogprobs promptScores = readPromptScores(in);
        int numChoices = in.readInt();
        List<Progress> choices = new ArrayList<>(numChoices);
        for (int i = 0; i < numChoices; i++) {
            choices.add(read(in));
        }
        return new InFlightRequest(request, cachedLen, promptScores, elapsedNanos, numEngineFailures, choices);
    }

    private static Progress read(DataInputView in) throws IOException {
        int[] outputIds = BinaryFields.readInts(in);
        byte[] text = BinaryFields.readPresentBytes(in);
        int chunkedLen = in.readInt();
        int chunkedTextLen = in.readInt();
        boolean isOpened = in.readBoolean();
        String finish = BinaryFields.readString(in);
        StopMatch stop = in.readBoolean() ? new StopMatch(in.readInt(), BinaryFields.readString(in)) : null;
        int reasoningLen = in.readInt();
        GeneratedScores scores = in.readBoolean() ? GeneratedScores.read(in) : null;
        return new Progress(
                outputIds,
                text,
                chunkedLen,
                chunkedTextLen,
                isOpened,
                finish == null ? null : FinishReason.valueOf(finish),
                stop,
                reasoningLen,
                scores);
    }

    private static @Nullable PromptLogprobs readPromptScores(DataInputView in) throws IOException {
        if (!in.readBoolean()) {
            return null;
        }
        int start = in.readInt();
        int len = in.readInt();
        int numAlternatives = in.readInt();
        PromptLogprobs scores = new PromptLogprobs(start, len, numAlternatives);
        int[] ids = new int[numAlternatives];
        float[] logprobs = new float[numAlternatives];
        for (int position = start; position < start + len; position++) {
            float logprob = in.readFloat();
            for (int rank = 0; rank < numAlternatives; rank++) {
                ids[rank] = in.readInt();
                logprobs[rank] = in.readFloat();
            }
            scores.set(position, logprob, ids, logprobs, 0);
        }
        return scores;
    }

    /** One answer that goes on. */
    private static InFlightRequest readVersion1(PreparedRequest request, DataInputView in) throws IOException {
        int[] outputIds = BinaryFields.readInts(in);
        byte[] text = BinaryFields.readPresentBytes(in);
        int chunkedLen = in.readInt();
        int chunkedTextLen = in.readInt();
        boolean isOpened = in.readBoolean();
        int cachedLen = in.readInt();
        long elapsedNanos = in.readLong();
        Progress progress = new Progress(
                outputIds, text, chunkedLen, chunkedTextLen, isOpened, null, null, ChoiceReasoning.UNKNOWN, null);
        return new InFlightRequest(request, cachedLen, null, elapsedNanos, 0, List.of(progress));
    }
}
