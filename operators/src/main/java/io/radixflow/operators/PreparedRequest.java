package io.radixflow.operators;

import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.AnswerHead;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way to an engine: its record and all that is needed to run it and to build its answer. Immutable by
 * convention: nobody writes the array.
 *
 * @param source the input record, untouched; a dead letter gives it back
 * @param head what every object about the answer carries
 * @param shape what of the answer is wanted
 * @param promptIds at least one
 * @param sampling of the first answer, with the seed resolved; further ones have seeds derived from it
 * @param isMaxTokensOpen whether the request left {@code max_tokens} to us: then the engine's own limit may lower it
 * @param cacheSalt namespace of the prefix cache, or null
 * @param priority higher ones run first under {@code --schedule-policy priority}
 * @param routingKey decides the engine; 0 before prefix grouping
 */
public record PreparedRequest(
        SourceRecord source,
        AnswerHead head,
        AnswerShape shape,
        int[] promptIds,
        SamplingParams sampling,
        boolean isMaxTokensOpen,
        @Nullable String cacheSalt,
        int priority,
        int routingKey) {

    public PreparedRequest {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(head, "head");
        Objects.requireNonNull(shape, "shape");
        if (promptIds.length == 0) {
            throw new IllegalArgumentException("promptIds is empty; a prompt needs at least one token");
        }
    }

    PreparedRequest withRoutingKey(int value) {
        return new PreparedRequest(
                source, head, shape, promptIds, sampling, isMaxTokensOpen, cacheSalt, priority, value);
    }

    /** The request with {@code max_tokens} decided by us. */
    PreparedRequest withMaxTokens(int maxTokens) {
        SamplingParams decided = sampling.toBuilder().maxTokens(maxTokens).build();
        return new PreparedRequest(source, head, shape, promptIds, decided, false, cacheSalt, priority, routingKey);
    }

    /** How the answer of an index is drawn: like the first but for its seed. */
    SamplingParams samplingOf(int index) {
        return index == 0
                ? sampling
                : sampling.toBuilder()
                        .seed(RequestSeed.ofChoice(sampling.seed(), index))
                        .build();
    }
}
