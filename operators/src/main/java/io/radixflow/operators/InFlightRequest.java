package io.radixflow.operators;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.schemas.Usage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A request that an engine works on, with what came of it so far: everything needed to go on after a failure and to build the
 * answer. Owned by the task thread; grows by one token at a time.
 */
final class InFlightRequest {

    private final PreparedRequest request;
    private int[] outputIds;
    private int outputLen;
    private byte[] text;
    private int textLen;
    private int chunkedLen;
    private int chunkedTextLen;
    private boolean isOpened;
    private int cachedLen;
    private long elapsedNanos;

    private long admittedNanos;
    private long lastTokenNanos;
    private boolean isWaiting = true;
    private int watermarkEpoch;

    InFlightRequest(PreparedRequest request, long nowNanos) {
        this(request, new Progress(new int[0], new byte[0], 0, 0, false, 0, 0));
        resume(nowNanos);
    }

    /** As read from state; {@link #resume} must follow. */
    InFlightRequest(PreparedRequest request, Progress progress) {
        this.request = request;
        outputIds = progress.outputIds;
        outputLen = progress.outputIds.length;
        text = progress.text;
        textLen = progress.text.length;
        chunkedLen = progress.chunkedLen;
        chunkedTextLen = progress.chunkedTextLen;
        isOpened = progress.isOpened;
        cachedLen = progress.cachedLen;
        elapsedNanos = progress.elapsedNanos;
    }

    /**
     * What is kept of an answer so far.
     *
     * @param outputIds generated tokens
     * @param text UTF-8 that they gave
     * @param chunkedLen tokens that chunks have covered
     * @param chunkedTextLen bytes of the text that chunks have carried
     * @param isOpened whether the chunk with the role has left
     * @param cachedLen prompt tokens that the prefix cache saved
     * @param elapsedNanos since admission, without time that the job was down
     */
    record Progress(
            int[] outputIds,
            byte[] text,
            int chunkedLen,
            int chunkedTextLen,
            boolean isOpened,
            int cachedLen,
            long elapsedNanos) {}

    Progress progress() {
        return new Progress(
                Arrays.copyOf(outputIds, outputLen),
                Arrays.copyOf(text, textLen),
                chunkedLen,
                chunkedTextLen,
                isOpened,
                cachedLen,
                elapsedNanos);
    }

    /** Starts the clock, counting on from what had elapsed at the snapshot. */
    void resume(long nowNanos) {
        admittedNanos = nowNanos - elapsedNanos;
        lastTokenNanos = nowNanos;
    }

    /** Stops the clock for a snapshot. */
    void markElapsed(long nowNanos) {
        elapsedNanos = nowNanos - admittedNanos;
    }

    /** For the engine; a timeout of {@link GenerationRequest#NO_DEADLINE} is none. */
    GenerationRequest toEngine(long requestId, long timeoutNanos) {
        long deadline = timeoutNanos == GenerationRequest.NO_DEADLINE
                ? GenerationRequest.NO_DEADLINE
                : admittedNanos + timeoutNanos;
        return GenerationRequest.builder(requestId, request.promptIds(), request.sampling())
                .outputIds(Arrays.copyOf(outputIds, outputLen))
                .cacheSalt(request.cacheSalt())
                .deadlineNanos(deadline)
                .build();
    }

    void appendToken(int tokenId) {
        if (outputLen == outputIds.length) {
            outputIds = Arrays.copyOf(outputIds, Math.max(16, 2 * outputLen));
        }
        outputIds[outputLen++] = tokenId;
    }

    void appendText(byte[] bytes, int from, int to) {
        int newLen = textLen + to - from;
        if (newLen > text.length) {
            text = Arrays.copyOf(text, Math.max(newLen, 2 * text.length));
        }
        System.arraycopy(bytes, from, text, textLen, to - from);
        textLen = newLen;
    }

    /** The text that no chunk has carried yet; counts as carried from now on. */
    String takeChunk() {
        String chunk = new String(text, chunkedTextLen, textLen - chunkedTextLen, StandardCharsets.UTF_8);
        chunkedTextLen = textLen;
        chunkedLen = outputLen;
        return chunk;
    }

    /** Tokens that no chunk has covered yet. */
    int unchunkedLen() {
        return outputLen - chunkedLen;
    }

    /** True once: whether the opening chunk is still to be sent. */
    boolean open() {
        boolean isFirst = !isOpened;
        isOpened = true;
        return isFirst;
    }

    PreparedRequest request() {
        return request;
    }

    int outputLen() {
        return outputLen;
    }

    String text() {
        return new String(text, 0, textLen, StandardCharsets.UTF_8);
    }

    Usage usage() {
        return new Usage(request.promptIds().length, cachedLen, outputLen);
    }

    /** Bytes of the record's value, a measure of what it costs to keep. */
    int valueBytes() {
        byte[] value = request.source().value();
        return value == null ? 0 : value.length;
    }

    void cachedLen(int value) {
        cachedLen = value;
    }

    long admittedNanos() {
        return admittedNanos;
    }

    /** The time since the last token, or since the start; the next span begins now. */
    long lapNanos(long nowNanos) {
        long lap = nowNanos - lastTokenNanos;
        lastTokenNanos = nowNanos;
        return lap;
    }

    /** Whether the engine has given nothing for it since it was submitted. */
    boolean isWaiting() {
        return isWaiting;
    }

    void start() {
        isWaiting = false;
    }

    int watermarkEpoch() {
        return watermarkEpoch;
    }

    void watermarkEpoch(int value) {
        watermarkEpoch = value;
    }
}
