package io.radixflow.schemas;

import org.jspecify.annotations.Nullable;

/**
 * What a request wants back.
 *
 * @param numChoices answers to the one prompt, [1, 128]
 * @param topLogprobs so many of the most likely tokens beside each generated one, or {@link #NO_LOGPROBS}
 * @param promptLogprobs likewise for each token of the prompt
 * @param isReasoningSeparate whether a thinking model's reasoning is kept out of the content
 * @param isStream whether chunks are wanted
 * @param hasStreamUsage whether the last chunk carries the usage
 * @param grammar what each answer must be, or null
 */
public record OutputFields(
        int numChoices,
        int topLogprobs,
        int promptLogprobs,
        boolean isReasoningSeparate,
        boolean isStream,
        boolean hasStreamUsage,
        @Nullable GrammarField grammar) {

    public static final int NO_LOGPROBS = -1;
}
