package io.radixflow.operators;

import io.radixflow.engine.FinishReason;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.ChunkWriter;
import io.radixflow.schemas.CompletionFinish;
import io.radixflow.schemas.CompletionWriter;
import io.radixflow.schemas.ErrorCode;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Writes completions, chunks and dead letters to the operator's outputs. */
final class AnswerEmitter implements AnswerSink {

    static final String STAGE = "inference";

    private final Output<StreamRecord<ResultRecord>> output;
    private final boolean hasDeltaOutput;
    private final int streamInterval;
    private final EngineMetrics metrics;

    AnswerEmitter(Output<StreamRecord<ResultRecord>> output, PipelineOptions options, EngineMetrics metrics) {
        this.output = output;
        this.hasDeltaOutput = options.hasDeltaOutput();
        this.streamInterval = options.streamInterval();
        this.metrics = metrics;
    }

    @Override
    public void onProgress(InFlightRequest inFlight) {
        if (isStreamed(inFlight)) {
            openStream(inFlight);
            // The first token's text leaves at once, whatever the interval.
            if (inFlight.unchunkedLen() >= streamInterval || inFlight.outputLen() == 1) {
                emitText(inFlight);
            }
        }
    }

    @Override
    public void onFinish(InFlightRequest inFlight, FinishReason reason) {
        switch (reason) {
            case STOP -> complete(inFlight, CompletionFinish.STOP);
            case LENGTH -> complete(inFlight, CompletionFinish.LENGTH);
            case ABORT -> complete(inFlight, CompletionFinish.ABORT);
            case ERROR -> throw new IllegalArgumentException("a request that failed is refused with its message");
            case TIMEOUT ->
                onRefusal(
                        inFlight,
                        ErrorCode.REQUEST_TIMEOUT,
                        "no answer within the request timeout; " + inFlight.outputLen()
                                + " tokens were generated; raise --request-timeout or lower max_tokens");
        }
    }

    private void complete(InFlightRequest inFlight, CompletionFinish finish) {
        closeStream(inFlight, finish);
        PreparedRequest request = inFlight.request();
        byte[] value = CompletionWriter.write(
                request.head(), inFlight.text(), finish, inFlight.usage(), request.metadataJson());
        output.collect(streamRecord(request, result(request, value)));
    }

    @Override
    public void onRefusal(InFlightRequest inFlight, ErrorCode code, String message) {
        closeStream(inFlight, CompletionFinish.ABORT);
        metrics.onDeadLetter();
        PreparedRequest request = inFlight.request();
        output.collect(
                SideOutputs.DEAD_LETTERS,
                streamRecord(request, SideOutputs.deadLetter(request.source(), code, message, STAGE)));
    }

    private boolean isStreamed(InFlightRequest inFlight) {
        return hasDeltaOutput && inFlight.request().isStream();
    }

    private void openStream(InFlightRequest inFlight) {
        if (inFlight.open()) {
            emitChunk(inFlight.request(), ChunkWriter.first(inFlight.request().head()));
        }
    }

    private void emitText(InFlightRequest inFlight) {
        String text = inFlight.takeChunk();
        if (!text.isEmpty()) {
            emitChunk(inFlight.request(), ChunkWriter.delta(inFlight.request().head(), text));
        }
    }

    private void closeStream(InFlightRequest inFlight, CompletionFinish finish) {
        if (isStreamed(inFlight)) {
            openStream(inFlight);
            emitText(inFlight);
            PreparedRequest request = inFlight.request();
            AnswerHead head = request.head();
            emitChunk(request, ChunkWriter.last(head, finish, request.hasStreamUsage() ? inFlight.usage() : null));
        }
    }

    private void emitChunk(PreparedRequest request, byte[] value) {
        output.collect(SideOutputs.DELTAS, streamRecord(request, result(request, value)));
    }

    private static ResultRecord result(PreparedRequest request, byte[] value) {
        SourceRecord source = request.source();
        return new ResultRecord(source.key(), value, source.headers(), source.timestamp());
    }

    private static <T> StreamRecord<T> streamRecord(PreparedRequest request, T value) {
        long timestamp = request.source().timestamp();
        return timestamp == SourceRecord.NO_TIMESTAMP
                ? new StreamRecord<>(value)
                : new StreamRecord<>(value, timestamp);
    }
}
