package io.radixflow.schemas;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When an answer ends and how its text is cut. Nobody writes the array.
 *
 * @param maxTokens at least 1, or null: as many as fit
 * @param minTokens 0 or more
 * @param ignoreEos goes on past the end of text
 * @param stop strings that end the answer
 * @param stopTokenIds ids that end the answer
 * @param isStopKept whether the text keeps the stop string or token that ended it
 * @param skipSpecialTokens leaves special tokens out of the text
 */
public record StopFields(
        @Nullable Integer maxTokens,
        int minTokens,
        boolean ignoreEos,
        List<String> stop,
        int[] stopTokenIds,
        boolean isStopKept,
        boolean skipSpecialTokens) {

    public StopFields {
        stop = List.copyOf(stop);
    }
}
