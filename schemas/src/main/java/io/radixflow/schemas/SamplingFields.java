package io.radixflow.schemas;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a request wants its tokens drawn, checked, absent fields at OpenAI's defaults. Nobody writes the array.
 *
 * @param temperature 0 or more
 * @param topP (0, 1]
 * @param topK -1 (all) or at least 1
 * @param minP [0, 1]
 * @param presencePenalty [-2, 2]
 * @param frequencyPenalty [-2, 2]
 * @param repetitionPenalty (0, 2]
 * @param seed null if the request names none
 * @param logitBias token id to what is added to its logit, [-100, 100]
 * @param badWords texts that the answer must not contain
 * @param allowedTokenIds the only tokens that may be drawn, or null for all
 */
public record SamplingFields(
        float temperature,
        float topP,
        int topK,
        float minP,
        float presencePenalty,
        float frequencyPenalty,
        float repetitionPenalty,
        @Nullable Long seed,
        Map<Integer, Float> logitBias,
        List<String> badWords,
        int @Nullable [] allowedTokenIds) {

    // Written out: javac keeps the null annotation of an array component on an explicit constructor only.
    @SuppressWarnings("checkstyle:ParameterNumber") // the canonical constructor of a record
    public SamplingFields(
            float temperature,
            float topP,
            int topK,
            float minP,
            float presencePenalty,
            float frequencyPenalty,
            float repetitionPenalty,
            @Nullable Long seed,
            Map<Integer, Float> logitBias,
            List<String> badWords,
            int @Nullable [] allowedTokenIds) {
        this.temperature = temperature;
        this.topP = topP;
        this.topK = topK;
        this.minP = minP;
        this.presencePenalty = presencePenalty;
        this.frequencyPenalty = frequencyPenalty;
        this.repetitionPenalty = repetitionPenalty;
        this.seed = seed;
        this.logitBias = Map.copyOf(logitBias);
        this.badWords = List.copyOf(badWords);
        this.allowedTokenIds = allowedTokenIds;
    }
}
