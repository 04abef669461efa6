package io.radixflow.engine;

import org.jspecify.annotations.Nullable;

/** Builds {@link GenerationRequest}s that have more than a prompt. */
public final class GenerationRequestBuilder {

    private final long requestId;
    private final int[] promptIds;
    private final SamplingParams sampling;
    private int[] outputIds = {};
    private CacheNamespace namespace = CacheNamespace.COMMON;
    private long deadlineNanos = GenerationRequest.NO_DEADLINE;
    private int priority;
    private int promptLogprobs = SamplingParams.NO_LOGPROBS;
    private int promptLogprobStart;
    private long announcementId = GenerationRequest.NO_ANNOUNCEMENT;

    GenerationRequestBuilder(long requestId, int[] promptIds, SamplingParams sampling) {
        this.requestId = requestId;
        this.promptIds = promptIds;
        this.sampling = sampling;
    }

    public GenerationRequestBuilder outputIds(int[] value) {
        outputIds = value;
        return this;
    }

    /** Its namespace is that of the salt alone; null is the common one. */
    public GenerationRequestBuilder cacheSalt(@Nullable String value) {
        return namespace(CacheNamespace.ofSalt(value));
    }

    public GenerationRequestBuilder namespace(CacheNamespace value) {
        namespace = value;
        return this;
    }

    public GenerationRequestBuilder announcementId(long value) {
        announcementId = value;
        return this;
    }

    public GenerationRequestBuilder deadlineNanos(long value) {
        deadlineNanos = value;
        return this;
    }

    public GenerationRequestBuilder priority(int value) {
        priority = value;
        return this;
    }

    /** Asks for the log-probabilities of the prompt's tokens from {@code start} on, each with its likeliest alternatives. */
    public GenerationRequestBuilder promptLogprobs(int numAlternatives, int start) {
        promptLogprobs = numAlternatives;
        promptLogprobStart = start;
        return this;
    }

    /** @throws IllegalArgumentException naming the field, if a value is out of its range */
    public GenerationRequest build() {
        return new GenerationRequest(
                requestId,
                promptIds,
                outputIds,
                sampling,
                namespace,
                deadlineNanos,
                priority,
                promptLogprobs,
                promptLogprobStart,
                announcementId);
    }
}
