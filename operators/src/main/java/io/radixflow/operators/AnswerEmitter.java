package io.radixflow.operators;

import io.radixflow.engine.FinishReason;
import io.radixflow.schemas.AnswerPiece;
import io.radixflow.schemas.ChunkWriter;
import io.radixflow.schemas.CompletionFinish;
import io.radixflow.schemas.CompletionWriter;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.Usage;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/** Writes completions, chunks and dead letters to the operator's outputs. */
final class AnswerEmitter implements AnswerSink {

    static final String STAGE = "inference";

    private final Output<StreamRecord<ResultRecord>> output;
    private final boolean hasDeltaOutput;
    private final int streamInterval;
    private final AnswerBuilder answers;
    private final EngineMetrics metrics;

    AnswerEmitter(
            Output<StreamRecord<ResultRecord>> output,
            PipelineOptions options,
            AnswerBuilder answers,
            EngineMetrics metrics) {
        this.output = output;
        this.hasDeltaOutput = options.hasDeltaOutput();
        this.streamInterval = options.streamInterval();
        this.answers = answers;
        this.metrics = metrics;
    }

    @Override
    public void onProgress(InFlightChoice choice) {
        if (isStreamed(choice.request())) {
            openStream(choice);
            // The first token's text leaves at once, whatever the interval.
            if (choice.unchunkedLen() >= streamInterval || choice.outputLen() == 1) {
                emitPiece(choice);
            }
        }
    }

    @Override
    public void onEnd(InFlightChoice choice) {
        if (isStreamed(choice.request())) {
            PreparedRequest request = choice.request().request();
            boolean isLast = choice.request().isFinished() && request.shape().hasStreamUsage();
            closeStream(
                    choice,
                    AnswerBuilder.finish(choice),
                    isLast ? choice.request().usage() : null);
        }
    }

    @Override
    public void onFinish(InFlightRequest inFlight) {
        PreparedRequest request = inFlight.request();
        byte[] value = CompletionWriter.write(request.head(), answers.choices(inFlight), inFlight.usage());
        output.collect(streamRecord(request, result(request, value)));
    }

    @Override
    public void onRefusal(InFlightRequest inFlight, ErrorCode code, String message) {
        PreparedRequest request = inFlight.request();
        if (isStreamed(inFlight)) {
            for (InFlightChoice choice : inFlight.choices()) {
                if (!isEnded(choice)) {
                    boolean isLast = choice.index() == inFlight.choices().size() - 1
                            && request.shape().hasStreamUsage();
                    closeStream(choice, CompletionFinish.ABORT, isLast ? inFlight.usage() : null);
                }
            }
        }
        metrics.onDeadLetter();
        output.collect(
                SideOutputs.DEAD_LETTERS,
                streamRecord(request, SideOutputs.deadLetter(request.source(), code, message, STAGE)));
    }

    /** Whether its last chunk has left. */
    private static boolean isEnded(InFlightChoice choice) {
        FinishReason finish = choice.finish();
        return finish == FinishReason.STOP || finish == FinishReason.LENGTH || finish == FinishReason.ABORT;
    }

    private boolean isStreamed(InFlightRequest inFlight) {
        return hasDeltaOutput && inFlight.request().shape().isStream();
    }

    private void openStream(InFlightChoice choice) {
        if (choice.open()) {
            PreparedRequest request = choice.request().request();
            emitChunk(request, ChunkWriter.first(request.head(), choice.index()));
        }
    }

    private void emitPiece(InFlightChoice choice) {
        AnswerPiece piece = answers.takePiece(choice);
        if (!piece.isEmpty()) {
            PreparedRequest request = choice.request().request();
            emitChunk(request, ChunkWriter.delta(request.head(), piece));
        }
    }

    private void closeStream(InFlightChoice choice, CompletionFinish finish, @Nullable Usage usage) {
        openStream(choice);
        emitPiece(choice);
        PreparedRequest request = choice.request().request();
        emitChunk(request, ChunkWriter.last(request.head(), choice.index(), finish, choice.stop(), usage));
    }

    private void emitChunk(PreparedRequest request, byte[] value) {
        output.collect(SideOutputs.DELTAS, streamRecord(request, result(request, value)));
    }

    private static ResultRecord result(PreparedRequest request, byte[] value) {
        SourceRecord source = request.source();
        int orderHash = request.head().customId().hashCode();
        return new ResultRecord(source.key(), value, source.headers(), orderHash, source.timestamp());
    }

    private static <T> StreamRecord<T> streamRecord(PreparedRequest request, T value) {
        long timestamp = request.source().timestamp();
        return timestamp == SourceRecord.NO_TIMESTAMP
                ? new StreamRecord<>(value)
                : new StreamRecord<>(value, timestamp);
    }
}
