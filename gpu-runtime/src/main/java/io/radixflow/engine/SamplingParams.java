package io.radixflow.engine;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are drawn and when a sequence stops; names and ranges as SGLang's {@code SamplingParams.verify()}.
 *
 * @param temperature 0 or more; below 1e-6 is greedy
 * @param topP nucleus, (0, 1]
 * @param topK most likely tokens kept, 1 or more, or {@link #ALL_TOKENS}
 * @param minP least probability relative to the most likely token, [0, 1]
 * @param presencePenalty [-2, 2], once for each token in the output
 * @param frequencyPenalty [-2, 2], for each occurrence in the output
 * @param repetitionPenalty (0, 2], divides (multiplies negative) logits of tokens in prompt or output; 1 is off
 * @param maxTokens most tokens to generate, 1 or more
 * @param minTokens end and stop tokens are not sampled before this many tokens
 * @param ignoreEos goes on past the end-of-sequence token
 * @param seed of the counter-based random numbers; the client resolves an absent one, so that a restart draws the same
 * @param stop strings that end the text; they are cut off it
 * @param stopTokenIds token ids that end the sequence, besides the model's own; nobody writes the array
 * @param skipSpecialTokens leaves special tokens out of the text
 * @param noStopTrim leaves what ended the text in it: the stop string, or the stop token's text; what a token holds behind a stop string
 *     is cut all the same
 * @param logprobs alternatives whose log-probabilities are wanted with each token, up to {@value #MAX_LOGPROBS}; 0 is the token's own
 *     alone, {@link #NO_LOGPROBS} none. They are the model's: of the softmax of its logits, before rules, penalties and temperature
 * @param rules about single tokens
 * @param grammar what the text must be, or null; it then ends where it is complete, and end tokens are drawn only there
 */
public record SamplingParams(
        float temperature,
        float topP,
        int topK,
        float minP,
        float presencePenalty,
        float frequencyPenalty,
        float repetitionPenalty,
        int maxTokens,
        int minTokens,
        boolean ignoreEos,
        long seed,
        List<String> stop,
        int[] stopTokenIds,
        boolean skipSpecialTokens,
        boolean noStopTrim,
        int logprobs,
        TokenRules rules,
        @Nullable GrammarSpec grammar) {

    public static final int ALL_TOKENS = -1;
    public static final int NO_LOGPROBS = -1;
    public static final int MAX_LOGPROBS = 20;
    /** Far below any vocabulary, so that banning them all before {@code min_tokens} leaves something to draw. */
    public static final int MAX_STOP_TOKEN_IDS = 1024;

    private static final float GREEDY_BELOW = 1e-6f;

    public SamplingParams {
        checkRange("temperature", temperature >= 0 && temperature < Float.POSITIVE_INFINITY, temperature, "0 or more");
        checkRange("top_p", topP > 0 && topP <= 1, topP, "in (0, 1]");
        checkRange("top_k", topK == ALL_TOKENS || topK >= 1, topK, "-1 (all) or at least 1");
        checkRange("min_p", minP >= 0 && minP <= 1, minP, "in [0, 1]");
        checkRange("presence_penalty", presencePenalty >= -2 && presencePenalty <= 2, presencePenalty, "in [-2, 2]");
        checkRange(
                "frequency_penalty", frequencyPenalty >= -2 && frequencyPenalty <= 2, frequencyPenalty, "in [-2, 2]");
        checkRange(
                "repetition_penalty", repetitionPenalty > 0 && repetitionPenalty <= 2, repetitionPenalty, "in (0, 2]");
        checkRange("max_tokens", maxTokens >= 1, maxTokens, "at least 1");
        checkRange("min_tokens", minTokens >= 0 && minTokens <= maxTokens, minTokens, "in [0, max_tokens]");
        stop = List.copyOf(stop);
        for (String s : stop) {
            checkRange("stop", !s.isEmpty(), "\"\"", "a list of non-empty strings");
        }
        checkRange(
                "stop_token_ids",
                stopTokenIds.length <= MAX_STOP_TOKEN_IDS,
                stopTokenIds.length + " ids",
                "at most " + MAX_STOP_TOKEN_IDS + " ids");
        for (int id : stopTokenIds) {
            checkRange("stop_token_ids", id >= 0, id, "a list of token ids, 0 or more");
        }
        checkRange(
                "logprobs",
                logprobs >= NO_LOGPROBS && logprobs <= MAX_LOGPROBS,
                logprobs,
                "-1 (none) or in [0, " + MAX_LOGPROBS + "]");
        Objects.requireNonNull(rules, "rules");
    }

    private static void checkRange(String field, boolean isValid, Object value, String allowed) {
        if (!isValid) {
            throw new IllegalArgumentException(field + " must be " + allowed + ", got " + value);
        }
    }

    /** The most likely token each time. */
    public static SamplingParams greedy(int maxTokens) {
        return builder().temperature(0).maxTokens(maxTokens).build();
    }

    public static SamplingParamsBuilder builder() {
        return new SamplingParamsBuilder();
    }

    /** A builder that starts with these values. */
    public SamplingParamsBuilder toBuilder() {
        return new SamplingParamsBuilder(this);
    }

    public boolean isGreedy() {
        return temperature < GREEDY_BELOW || topK == 1;
    }

    public boolean hasPenalties() {
        return presencePenalty != 0 || frequencyPenalty != 0 || repetitionPenalty != 1;
    }

    public boolean hasLogprobs() {
        return logprobs != NO_LOGPROBS;
    }
}
