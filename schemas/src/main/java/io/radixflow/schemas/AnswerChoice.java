package io.radixflow.schemas;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One whole answer to a prompt; nobody writes the array.
 *
 * @param index among the request's {@code n}
 * @param text the content
 * @param reasoning what a thinking model thought, or null if it is not told apart
 * @param finish why it ended
 * @param stop what ended it, or null
 * @param scores of the generated tokens, or null if not asked for
 * @param promptScores of the prompt's tokens, or null; the first choice carries them
 * @param tokenIds generated, an end token included
 */
public record AnswerChoice(
        int index,
        String text,
        @Nullable String reasoning,
        CompletionFinish finish,
        @Nullable StopMatch stop,
        @Nullable List<TokenScore> scores,
        @Nullable List<TokenScore> promptScores,
        int[] tokenIds) {}
