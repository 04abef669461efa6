package io.radixflow.schemas;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The sampling fields of a request, checked, absent ones at OpenAI's defaults.
 *
 * @param temperature 0 or more
 * @param topP (0, 1]
 * @param topK -1 (all) or at least 1
 * @param minP [0, 1]
 * @param presencePenalty [-2, 2]
 * @param frequencyPenalty [-2, 2]
 * @param repetitionPenalty (0, 2]
 * @param maxTokens at least 1, or null: as many as fit
 * @param minTokens 0 or more
 * @param ignoreEos goes on past the end of text
 * @param seed null if the request names none
 * @param stop strings that end the answer
 * @param stopTokenIds ids that end the answer; nobody writes the array
 * @param skipSpecialTokens leaves special tokens out of the text
 */
public record SamplingFields(
        float temperature,
        float topP,
        int topK,
        float minP,
        float presencePenalty,
        float frequencyPenalty,
        float repetitionPenalty,
        @Nullable Integer maxTokens,
        int minTokens,
        boolean ignoreEos,
        @Nullable Long seed,
        List<String> stop,
        int[] stopTokenIds,
        boolean skipSpecialTokens) {

    public SamplingFields {
        stop = List.copyOf(stop);
    }
}
