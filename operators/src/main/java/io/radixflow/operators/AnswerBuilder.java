package io.radixflow.operators;

import io.radixflow.engine.FinishReason;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.schemas.AnswerChoice;
import io.radixflow.schemas.AnswerPiece;
import io.radixflow.schemas.CompletionFinish;
import io.radixflow.schemas.TokenScore;
import io.radixflow.schemas.TokenScore.TopScore;
import io.radixflow.text.ReasoningParser;
import io.radixflow.text.ReasoningSplit;
import io.radixflow.text.ReasoningStart;
import io.radixflow.text.TextModel;
import io.radixflow.text.TokenBytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers as they are written, of what an engine gave. Owned by the task thread.
 *
 * <p>Log-probabilities name tokens by their text; the first request for some makes it load the model's text side and keep the
 * tokens' bytes, so jobs that never ask don't pay.
 */
final class AnswerBuilder {

    private final Supplier<TextModel> text;
    private @Nullable TokenBytes tokenBytes;

    AnswerBuilder(Supplier<TextModel> text) {
        this.text = text;
    }

    /** All answers of a request that has ended, in the order of their index. */
    List<AnswerChoice> choices(InFlightRequest request) {
        List<AnswerChoice> choices = new ArrayList<>(request.choices().size());
        for (InFlightChoice choice : request.choices()) {
            choices.add(choice(request, choice));
        }
        return choices;
    }

    private AnswerChoice choice(InFlightRequest request, InFlightChoice choice) {
        String content = choice.text();
        String reasoning = null;
        ReasoningStart start = request.request().shape().reasoning();
        if (start != ReasoningStart.NEVER) {
            ReasoningSplit split = ReasoningParser.split(start, content);
            content = split.content();
            reasoning = split.reasoning().isEmpty() ? null : split.reasoning();
        }
        PromptLogprobs promptScores = choice.index() == 0 ? request.promptScores() : null;
        return new AnswerChoice(
                choice.index(),
                content,
                reasoning,
                finish(choice),
                choice.stop(),
                scores(choice, 0),
                promptScores == null ? null : promptScores(request.request().promptIds(), promptScores),
                choice.outputIds());
    }

    static CompletionFinish finish(InFlightChoice choice) {
        FinishReason reason = choice.finish();
        if (reason == null) {
            throw new IllegalArgumentException("the answer has not ended");
        }
        return switch (reason) {
            case STOP -> CompletionFinish.STOP;
            case LENGTH -> CompletionFinish.LENGTH;
            case ABORT -> CompletionFinish.ABORT;
            case TIMEOUT, ERROR, INVALID_GRAMMAR ->
                throw new IllegalArgumentException("a request that failed has no answer");
        };
    }

    /** What the answer has that no chunk has carried yet; counts as carried from now on. */
    AnswerPiece takePiece(InFlightChoice choice) {
        List<TokenScore> scores = scores(choice, choice.chunkedLen());
        int scoredChars = scores == null ? 0 : numChars(choice, choice.chunkedLen());
        AnswerPiece piece =
                new AnswerPiece(choice.index(), choice.takeContent(), choice.takeReasoning(), scores, scoredChars);
        choice.chunked();
        return piece;
    }

    private int numChars(InFlightChoice choice, int numTokens) {
        int number = 0;
        for (int i = 0; i < numTokens; i++) {
            number += TokenScore.numCodePoints(bytes(choice.outputId(i)));
        }
        return number;
    }

    private @Nullable List<TokenScore> scores(InFlightChoice choice, int from) {
        GeneratedScores scores = choice.scores();
        if (scores == null) {
            return null;
        }
        List<TokenScore> list = new ArrayList<>(scores.len() - from);
        for (int i = from; i < scores.len(); i++) {
            List<TopScore> top = new ArrayList<>(scores.topEnd(i) - scores.topStart(i));
            for (int place = scores.topStart(i); place < scores.topEnd(i); place++) {
                top.add(new TopScore(scores.topId(place), bytes(scores.topId(place)), scores.topLogprob(place)));
            }
            int id = choice.outputId(i);
            list.add(new TokenScore(id, bytes(id), scores.logprob(i), top));
        }
        return list;
    }

    private List<TokenScore> promptScores(int[] promptIds, PromptLogprobs scores) {
        List<TokenScore> list = new ArrayList<>(scores.len());
        for (int position = scores.start(); position < scores.start() + scores.len(); position++) {
            boolean isPredicted = scores.hasLogprob(position);
            List<TopScore> top = new ArrayList<>(isPredicted ? scores.numAlternatives() : 0);
            for (int rank = 0; isPredicted && rank < scores.numAlternatives(); rank++) {
                int id = scores.alternativeId(position, rank);
                top.add(new TopScore(id, bytes(id), scores.alternativeLogprob(position, rank)));
            }
            int id = promptIds[position];
            list.add(new TokenScore(id, bytes(id), isPredicted ? scores.logprob(position) : null, top));
        }
        return list;
    }

    private byte[] bytes(int tokenId) {
        TokenBytes table = tokenBytes;
        if (table == null) {
            try (TextModel loaded = text.get()) {
                table = loaded.tokenizer().tokenBytes();
            }
            tokenBytes = table;
        }
        return Arrays.copyOfRange(table.bytes(), table.start(tokenId), table.end(tokenId));
    }
}
