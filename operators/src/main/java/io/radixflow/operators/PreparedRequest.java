package io.radixflow.operators;

import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.PromptRecord;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way to an engine: its record and all that is needed to run it and to build its answer. Immutable by
 * convention: nobody writes the array.
 *
 * @param source the input record, untouched; a dead letter gives it back
 * @param kind of the request, so of the answer
 * @param customId of the request, or the record's identity
 * @param model name that the answer carries
 * @param metadataJson copied to the answer, or null
 * @param promptIds at least one
 * @param sampling with the seed resolved
 * @param isMaxTokensOpen whether the request left {@code max_tokens} to us: then the engine's own limit may lower it
 * @param cacheSalt namespace of the prefix cache, or null
 * @param isStream whether chunks are wanted
 * @param hasStreamUsage whether the last chunk carries the usage
 * @param createdMillis when the record came in, milliseconds since the epoch
 * @param routingKey decides the engine; 0 before prefix grouping
 */
public record PreparedRequest(
        SourceRecord source,
        PromptRecord.Kind kind,
        String customId,
        String model,
        @Nullable String metadataJson,
        int[] promptIds,
        SamplingParams sampling,
        boolean isMaxTokensOpen,
        @Nullable String cacheSalt,
        boolean isStream,
        boolean hasStreamUsage,
        long createdMillis,
        int routingKey) {

    public PreparedRequest {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(customId, "customId");
        if (promptIds.length == 0) {
            throw new IllegalArgumentException("promptIds is empty; a prompt needs at least one token");
        }
    }

    PreparedRequest withRoutingKey(int value) {
        return new PreparedRequest(
                source,
                kind,
                customId,
                model,
                metadataJson,
                promptIds,
                sampling,
                isMaxTokensOpen,
                cacheSalt,
                isStream,
                hasStreamUsage,
                createdMillis,
                value);
    }

    /** The request with {@code max_tokens} decided by us. */
    PreparedRequest withMaxTokens(int maxTokens) {
        return new PreparedRequest(
                source,
                kind,
                customId,
                model,
                metadataJson,
                promptIds,
                sampling.toBuilder().maxTokens(maxTokens).build(),
                false,
                cacheSalt,
                isStream,
                hasStreamUsage,
                createdMillis,
                routingKey);
    }

    AnswerHead head() {
        return new AnswerHead(kind, customId, model, createdMillis / 1000);
    }
}
