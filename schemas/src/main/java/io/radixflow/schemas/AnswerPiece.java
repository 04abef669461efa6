package io.radixflow.schemas;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one chunk adds to an answer.
 *
 * @param index among the request's {@code n}
 * @param text of the content, perhaps empty
 * @param reasoning text of the reasoning, perhaps empty
 * @param scores of the tokens that the chunk covers, or null if not asked for
 * @param scoredChars code points of the tokens that earlier chunks covered
 */
public record AnswerPiece(
        int index, String text, String reasoning, @Nullable List<TokenScore> scores, int scoredChars) {

    public boolean isEmpty() {
        return text.isEmpty() && reasoning.isEmpty() && (scores == null || scores.isEmpty());
    }
}
