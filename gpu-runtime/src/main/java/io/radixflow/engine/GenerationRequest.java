package io.radixflow.engine;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for; immutable by convention: nobody writes the arrays after construction.
 *
 * @param requestId chosen by the client, unique among its session's unfinished requests
 * @param promptIds token ids of the prompt, at least one
 * @param outputIds tokens generated before (a restored request goes on after them), usually empty
 * @param sampling how to sample and when to stop
 * @param cacheSalt namespace of the prefix cache; requests with different salts never share KV; null is the common one
 * @param deadlineNanos {@code System.nanoTime()} after which the request ends with TIMEOUT, or {@link #NO_DEADLINE}
 */
public record GenerationRequest(
        long requestId,
        int[] promptIds,
        int[] outputIds,
        SamplingParams sampling,
        @Nullable String cacheSalt,
        long deadlineNanos) {

    public static final long NO_DEADLINE = Long.MAX_VALUE;

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
    }

    public GenerationRequest(long requestId, int[] promptIds, SamplingParams sampling) {
        this(requestId, promptIds, NO_OUTPUT, sampling, null, NO_DEADLINE);
    }

    /** Prompt, output so far and output still allowed: the longest that the sequence can become. */
    public int maxSequenceLen() {
        return promptIds.length + sampling.maxTokens();
    }
}
