package io.radixflow.operators;

import io.radixflow.engine.SamplingParams;
import io.radixflow.text.ReasoningStart;
import java.util.Objects;

/**
 * What of a request's answers is wanted and how it is told.
 *
 * @param numChoices answers to the one prompt, at least 1
 * @param promptLogprobs alternatives with the log-probability of each prompt token, or {@link SamplingParams#NO_LOGPROBS}
 * @param reasoning where the part that goes to {@code reasoning_content} begins; NEVER leaves all text in the content
 * @param isStream whether chunks are wanted
 * @param hasStreamUsage whether the last chunk carries the usage
 */
public record AnswerShape(
        int numChoices, int promptLogprobs, ReasoningStart reasoning, boolean isStream, boolean hasStreamUsage) {

    public AnswerShape {
        Objects.requireNonNull(reasoning, "reasoning");
        if (numChoices < 1) {
            throw new IllegalArgumentException("a request wants at least one answer, got n " + numChoices);
        }
    }

    /** One answer, nothing beside its text. */
    static AnswerShape plain(boolean isStream, boolean hasStreamUsage) {
        return new AnswerShape(1, SamplingParams.NO_LOGPROBS, ReasoningStart.NEVER, isStream, hasStreamUsage);
    }
}
