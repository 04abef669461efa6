package io.radixflow.operators;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.operators.InFlightChoice.Progress;
import io.radixflow.schemas.Usage;
import io.radixflow.text.ReasoningStart;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request that an engine works on: its answers so far and what they have in common. Owned by the task thread. */
final class InFlightRequest {

    private static final int NOTHING_CACHED_YET = Integer.MAX_VALUE;

    private final PreparedRequest request;
    private final List<InFlightChoice> choices;
    private int cachedLen;
    private @Nullable PromptLogprobs promptScores;
    private long elapsedNanos;
    private int numEngineFailures;

    private long admittedNanos;
    private boolean hasFirstToken;
    private int watermarkEpoch;
    private int newTokens;

    InFlightRequest(PreparedRequest request, long nowNanos) {
        this(request, NOTHING_CACHED_YET, null, 0, 0, noProgress(request.shape().numChoices()));
        resume(nowNanos);
    }

    /**
     * As read from state; {@link #resume} must follow.
     *
     * @param cachedLen prompt tokens that the prefix cache saved
     * @param promptScores log-probabilities of the prompt's tokens, or null if not asked for or not yet there
     * @param elapsedNanos since admission, without time that the job was down
     * @param numEngineFailures failed steps of engines that it was in
     */
    InFlightRequest(
            PreparedRequest request,
            int cachedLen,
            @Nullable PromptLogprobs promptScores,
            long elapsedNanos,
            int numEngineFailures,
            List<Progress> progress) {
        this.request = request;
        this.cachedLen = cachedLen;
        this.promptScores = promptScores;
        this.elapsedNanos = elapsedNanos;
        this.numEngineFailures = numEngineFailures;
        List<InFlightChoice> made = new ArrayList<>(progress.size());
        for (int i = 0; i < progress.size(); i++) {
            made.add(new InFlightChoice(this, i, progress.get(i)));
            hasFirstToken |= progress.get(i).outputIds().length > 0;
        }
        choices = List.copyOf(made);
        newTokens = request.promptIds().length;
    }

    private static List<Progress> noProgress(int numChoices) {
        List<Progress> progress = new ArrayList<>(numChoices);
        for (int i = 0; i < numChoices; i++) {
            progress.add(Progress.NONE);
        }
        return progress;
    }

    /** Starts the clock, counting on from what had elapsed at the snapshot. */
    void resume(long nowNanos) {
        admittedNanos = nowNanos - elapsedNanos;
        for (InFlightChoice choice : choices) {
            choice.resume(nowNanos);
        }
    }

    /** Stops the clock for a snapshot. */
    void markElapsed(long nowNanos) {
        elapsedNanos = nowNanos - admittedNanos;
    }

    /** When its answers must be there; a timeout of {@link GenerationRequest#NO_DEADLINE} is none. */
    long deadlineNanos(long timeoutNanos) {
        return timeoutNanos == GenerationRequest.NO_DEADLINE
                ? GenerationRequest.NO_DEADLINE
                : admittedNanos + timeoutNanos;
    }

    PreparedRequest request() {
        return request;
    }

    /** In the order of their index. */
    List<InFlightChoice> choices() {
        return choices;
    }

    boolean isFinished() {
        for (InFlightChoice choice : choices) {
            if (!choice.isFinished()) {
                return false;
            }
        }
        return true;
    }

    /** Tokens of all answers so far. */
    int outputLen() {
        int sum = 0;
        for (InFlightChoice choice : choices) {
            sum += choice.outputLen();
        }
        return sum;
    }

    Usage usage() {
        Integer reasoningTokens = null;
        if (request.shape().reasoning() != ReasoningStart.NEVER) {
            int sum = 0;
            for (InFlightChoice choice : choices) {
                sum += choice.reasoningLen();
            }
            reasoningTokens = sum;
        }
        return new Usage(request.promptIds().length, cachedLen(), outputLen(), reasoningTokens);
    }

    /** Bytes of the record's value, a measure of what it costs to keep. */
    int valueBytes() {
        byte[] value = request.source().value();
        return value == null ? 0 : value.length;
    }

    /** Prompt tokens that the prefix cache saved. */
    int cachedLen() {
        return cachedLen == NOTHING_CACHED_YET ? 0 : cachedLen;
    }

    /** An answer's prompt had so many tokens in the cache; those that a sibling computed before it were no saving. */
    void onCached(int len) {
        cachedLen = Math.min(cachedLen, len);
    }

    @Nullable
    PromptLogprobs promptScores() {
        return promptScores;
    }

    void promptScores(PromptLogprobs value) {
        promptScores = value;
    }

    /** True once: whether the token that has come is the first of all answers. */
    boolean takeFirstToken() {
        boolean isFirst = !hasFirstToken;
        hasFirstToken = true;
        return isFirst;
    }

    long admittedNanos() {
        return admittedNanos;
    }

    long elapsedNanos() {
        return elapsedNanos;
    }

    /** Failed steps of engines that it was in. */
    int numEngineFailures() {
        return numEngineFailures;
    }

    void countEngineFailure() {
        numEngineFailures++;
    }

    int watermarkEpoch() {
        return watermarkEpoch;
    }

    void watermarkEpoch(int value) {
        watermarkEpoch = value;
    }

    /** Prompt tokens that the engine must probably compute; not in state, since a restart begins with an empty cache. */
    int newTokens() {
        return newTokens;
    }

    void newTokens(int value) {
        newTokens = value;
    }
}
