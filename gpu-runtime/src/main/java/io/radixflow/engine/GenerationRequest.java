package io.radixflow.engine;

import java.util.Objects;

/**
 * What a client asks for; immutable by convention: nobody writes the arrays after construction.
 *
 * @param requestId chosen by the client, unique among its session's unfinished requests
 * @param promptIds token ids of the prompt, at least one
 * @param outputIds tokens generated before (a restored request goes on after them), usually empty
 * @param sampling how to sample and when to stop
 * @param namespace of the prefix cache; requests of different namespaces never share KV
 * @param deadlineNanos {@code System.nanoTime()} after which the request ends with TIMEOUT, or {@link #NO_DEADLINE}
 * @param priority under {@code --schedule-policy priority}, higher ones run first
 * @param promptLogprobs alternatives whose log-probabilities are wanted with each prompt token, up to
 *     {@value SamplingParams#MAX_LOGPROBS}; 0 is the token's own alone, {@link SamplingParams#NO_LOGPROBS} none
 * @param promptLogprobStart the first prompt token that gets them; those before it may come from the prefix cache
 * @param announcementId the {@link PrefixAnnouncement} of its session that spoke of it, or {@link #NO_ANNOUNCEMENT}
 */
public record GenerationRequest(
        long requestId,
        int[] promptIds,
        int[] outputIds,
        SamplingParams sampling,
        CacheNamespace namespace,
        long deadlineNanos,
        int priority,
        int promptLogprobs,
        int promptLogprobStart,
        long announcementId) {

    public static final long NO_DEADLINE = Long.MAX_VALUE;
    public static final long NO_ANNOUNCEMENT = -1;

    /** Most log-probabilities of one prompt, alternatives included: they are kept (8 bytes each) until the first token. */
    public static final int MAX_PROMPT_LOGPROBS = 1 << 19;

    private static final int[] NO_OUTPUT = {};

    public GenerationRequest {
        Objects.requireNonNull(sampling, "sampling");
        if (promptIds.length == 0) {
            throw new IllegalArgumentException("promptIds is empty; a prompt needs at least one token");
        }
        if (outputIds.length >= sampling.maxTokens()) {
            throw new IllegalArgumentException("outputIds holds " + outputIds.length + " tokens, max_tokens is "
                    + sampling.maxTokens() + ": nothing is left to generate");
        }
        if (promptLogprobs < SamplingParams.NO_LOGPROBS || promptLogprobs > SamplingParams.MAX_LOGPROBS) {
            throw new IllegalArgumentException("prompt_logprobs must be -1 (none) or in [0, "
                    + SamplingParams.MAX_LOGPROBS + "], got " + promptLogprobs);
        }
        if (promptLogprobStart < 0 || promptLogprobStart > promptIds.length) {
            throw new IllegalArgumentException("logprob_start_len must be in [0, " + promptIds.length
                    + "], the prompt's length, got " + promptLogprobStart);
        }
        long numLogprobs = (1L + promptLogprobs) * (promptIds.length - promptLogprobStart);
        if (numLogprobs > MAX_PROMPT_LOGPROBS) {
            throw new IllegalArgumentException("prompt_logprobs " + promptLogprobs + " for "
                    + (promptIds.length - promptLogprobStart) + " prompt tokens are " + numLogprobs
                    + " numbers, at most " + MAX_PROMPT_LOGPROBS
                    + " are kept; ask for fewer, or set logprob_start_len");
        }
    }

    public GenerationRequest(long requestId, int[] promptIds, SamplingParams sampling) {
        this(
                requestId,
                promptIds,
                NO_OUTPUT,
                sampling,
                CacheNamespace.COMMON,
                NO_DEADLINE,
                0,
                SamplingParams.NO_LOGPROBS,
                0,
                NO_ANNOUNCEMENT);
    }

    public static GenerationRequestBuilder builder(long requestId, int[] promptIds, SamplingParams sampling) {
        return new GenerationRequestBuilder(requestId, promptIds, sampling);
    }

    public boolean hasPromptLogprobs() {
        return promptLogprobs != SamplingParams.NO_LOGPROBS;
    }

    /** Prompt, output so far and output still allowed: the longest that the sequence can become. */
    public int maxSequenceLen() {
        return promptIds.length + sampling.maxTokens();
    }
}
