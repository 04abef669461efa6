package io.radixflow.operators;

import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.StepOutput;
import io.radixflow.schemas.StopMatch;
import io.radixflow.text.ReasoningStart;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One answer of a request, with what came of it so far: everything needed to go on after a failure and to write it. Owned by the
 * task thread; grows by one token at a time.
 */
final class InFlightChoice {

    private final InFlightRequest request;
    private final int index;
    private int[] outputIds;
    private int outputLen;
    private byte[] text;
    private int textLen;
    private int chunkedLen;
    private int chunkedTextLen;
    private boolean isOpened;
    private @Nullable FinishReason finish;
    private @Nullable StopMatch stop;
    private final @Nullable GeneratedScores scores;
    private final @Nullable ChoiceReasoning reasoning;

    private long engineId;
    private long lastTokenNanos;
    private boolean isWaiting = true;

    /** A new answer, or one as read from state. */
    InFlightChoice(InFlightRequest request, int index, Progress progress) {
        this.request = request;
        this.index = index;
        outputIds = progress.outputIds;
        outputLen = progress.outputIds.length;
        text = progress.text;
        textLen = progress.text.length;
        chunkedLen = progress.chunkedLen;
        chunkedTextLen = progress.chunkedTextLen;
        isOpened = progress.isOpened;
        finish = progress.finish;
        stop = progress.stop;
        boolean hasScores = request.request().sampling().logprobs() != SamplingParams.NO_LOGPROBS;
        scores = hasScores && progress.scores == null ? new GeneratedScores() : progress.scores;
        ReasoningStart start = request.request().shape().reasoning();
        reasoning = start == ReasoningStart.NEVER ? null : new ChoiceReasoning(start, progress.reasoningLen);
        if (reasoning != null) {
            reasoning.restore(textBetween(0, chunkedTextLen), textBetween(chunkedTextLen, textLen));
        }
    }

    /**
     * What is kept of an answer so far.
     *
     * @param outputIds generated tokens
     * @param text UTF-8 that they gave
     * @param chunkedLen tokens that chunks have covered
     * @param chunkedTextLen bytes of the text that chunks have carried
     * @param isOpened whether the chunk with the role has left
     * @param finish why it has ended, or null while it goes on
     * @param stop what ended it, or null
     * @param reasoningLen tokens before the content, or {@link ChoiceReasoning#UNKNOWN} while none has come
     * @param scores of the tokens, or null if not asked for
     */
    record Progress(
            int[] outputIds,
            byte[] text,
            int chunkedLen,
            int chunkedTextLen,
            boolean isOpened,
            @Nullable FinishReason finish,
            @Nullable StopMatch stop,
            int reasoningLen,
            @Nullable GeneratedScores scores) {

        static final Progress NONE =
                new Progress(new int[0], new byte[0], 0, 0, false, null, null, ChoiceReasoning.UNKNOWN, null);
    }

    Progress progress() {
        return new Progress(
                outputIds(),
                Arrays.copyOf(text, textLen),
                chunkedLen,
                chunkedTextLen,
                isOpened,
                finish,
                stop,
                reasoning == null ? ChoiceReasoning.UNKNOWN : reasoning.len(),
                scores);
    }

    /** For the engine; the first answer brings the prompt's log-probabilities, if they are still wanted. */
    GenerationRequest toEngine(long deadlineNanos) {
        return toEngine(engineId, request.request().samplingOf(index), deadlineNanos);
    }

    /** For an engine that is to show whether this kills it: the same, under another id and for so many tokens at most. */
    GenerationRequest toProbe(long probeId, int numTokens, long deadlineNanos) {
        SamplingParams whole = request.request().samplingOf(index);
        int maxTokens = (int) Math.min(whole.maxTokens(), outputLen + (long) numTokens);
        SamplingParams cut = whole.toBuilder()
                .maxTokens(maxTokens)
                .minTokens(Math.min(whole.minTokens(), maxTokens))
                .build();
        return toEngine(probeId, cut, deadlineNanos);
    }

    private GenerationRequest toEngine(long id, SamplingParams sampling, long deadlineNanos) {
        PreparedRequest prepared = request.request();
        boolean wantsPrompt = index == 0 && request.promptScores() == null;
        return GenerationRequest.builder(id, prepared.promptIds(), sampling)
                .outputIds(outputIds())
                .cacheSalt(prepared.cacheSalt())
                .deadlineNanos(deadlineNanos)
                .priority(prepared.priority())
                .promptLogprobs(wantsPrompt ? prepared.shape().promptLogprobs() : SamplingParams.NO_LOGPROBS, 0)
                .build();
    }

    /** Takes what a step gives it, but for its end. */
    void apply(StepOutput output, int entry) {
        int token = output.tokenId(entry);
        if (token != StepOutput.NO_TOKEN) {
            if (outputLen == outputIds.length) {
                outputIds = Arrays.copyOf(outputIds, Math.max(16, 2 * outputLen));
            }
            outputIds[outputLen++] = token;
            if (scores != null) {
                scores.add(output, entry);
            }
        }
        appendText(output.textBytes(), output.textStart(entry), output.textEnd(entry));
    }

    private void appendText(byte[] bytes, int from, int to) {
        int newLen = textLen + to - from;
        if (newLen > text.length) {
            text = Arrays.copyOf(text, Math.max(newLen, 2 * text.length));
        }
        System.arraycopy(bytes, from, text, textLen, to - from);
        if (reasoning != null) {
            reasoning.accept(new String(bytes, from, to - from, StandardCharsets.UTF_8), outputLen);
        }
        textLen = newLen;
    }

    void finish(FinishReason reason, @Nullable StopMatch matched) {
        finish = reason;
        stop = matched;
        if (reasoning != null) {
            reasoning.finish();
        }
    }

    /** The content that no chunk has carried yet; it and {@link #takeReasoning} count as carried after {@link #chunked}. */
    String takeContent() {
        return reasoning == null ? textBetween(chunkedTextLen, textLen) : reasoning.takeContent();
    }

    /** The reasoning that no chunk has carried yet. */
    String takeReasoning() {
        return reasoning == null ? "" : reasoning.takeReasoning();
    }

    /** Marks all tokens and text as carried by chunks. */
    void chunked() {
        chunkedTextLen = textLen;
        chunkedLen = outputLen;
    }

    /** Tokens that chunks have covered. */
    int chunkedLen() {
        return chunkedLen;
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

    InFlightRequest request() {
        return request;
    }

    int index() {
        return index;
    }

    int outputLen() {
        return outputLen;
    }

    int outputId(int position) {
        return outputIds[position];
    }

    int[] outputIds() {
        return Arrays.copyOf(outputIds, outputLen);
    }

    String text() {
        return textBetween(0, textLen);
    }

    private String textBetween(int from, int to) {
        return new String(text, from, to - from, StandardCharsets.UTF_8);
    }

    /** Tokens before the content; 0 if nothing is told apart. */
    int reasoningLen() {
        return reasoning == null ? 0 : reasoning.lenOf(outputLen);
    }

    @Nullable
    GeneratedScores scores() {
        return scores;
    }

    @Nullable
    FinishReason finish() {
        return finish;
    }

    @Nullable
    StopMatch stop() {
        return stop;
    }

    boolean isFinished() {
        return finish != null;
    }

    /** The id that the engine knows it by. */
    long engineId() {
        return engineId;
    }

    void engineId(long value) {
        engineId = value;
    }

    void resume(long nowNanos) {
        lastTokenNanos = nowNanos;
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
}
