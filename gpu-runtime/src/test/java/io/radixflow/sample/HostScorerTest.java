package io.radixflow.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.backend.ScoredTokens;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import org.junit.jupiter.api.Test;

/** Edges of {@link HostScorer}; the backends' contract test compares its values with exact ones. */
final class HostScorerTest {

    private static final float MASKED = Float.NEGATIVE_INFINITY;

    private final ScoredTokens tokens = new ScoredTokens(2);

    @Test
    void scoresOneEntryAndLeavesTheRowAndTheOthersAsTheyAre() {
        float[] logits = {9, 9, 1, 3, 2, 9};
        tokens.tokenId[1] = 2;
        tokens.numAlternatives[1] = 2;
        tokens.logprob[0] = 7;
        new HostScorer().score(logits, 2, 3, tokens, 1);
        double logSum = Math.log(Math.exp(1) + Math.exp(3) + Math.exp(2));
        assertThat((double) tokens.logprob[1]).isCloseTo(2 - logSum, within(1e-6));
        assertThat(tokens.alternativeId[ScoredTokens.MAX_ALTERNATIVES]).isEqualTo(1);
        assertThat(tokens.alternativeId[ScoredTokens.MAX_ALTERNATIVES + 1]).isEqualTo(2);
        assertThat(tokens.logprob[0]).isEqualTo(7);
        assertThat(logits).containsExactly(9, 9, 1, 3, 2, 9);
    }

    @Test
    void ranksEqualOnesByIdAndWhatTheModelRulesOutNotAtAll() {
        tokens.numAlternatives[0] = 4;
        new HostScorer().score(new float[] {MASKED, 2, MASKED, 2, 2}, 0, 5, tokens, 0);
        assertThat(tokens.alternativeId).startsWith(1, 3, 4, ScoredTokens.NO_TOKEN);
        assertThat(tokens.alternativeLogprob[2]).isEqualTo((float) -Math.log(3));
        assertThat(tokens.alternativeLogprob[3]).isEqualTo(MASKED);
        assertThat(tokens.logprob[0]).isEqualTo(MASKED);
    }

    @Test
    void aCertainTokenHasProbabilityOne() {
        tokens.tokenId[0] = 1;
        tokens.numAlternatives[0] = 1;
        new HostScorer().score(new float[] {-200, 1e30f, 0}, 0, 3, tokens, 0);
        assertThat(tokens.logprob[0]).isZero();
        assertThat(tokens.alternativeLogprob[0]).isZero();
    }

    @Test
    void refusesLogitsThatAreNoNumbers() {
        tokens.numAlternatives[0] = 3;
        assertFails("logit of token 1 is NaN", 1, Float.NaN, 2);
        assertFails("logit of token 0 is NaN", Float.NaN, 1, 2);
        assertFails("logit of token 5 is NaN", 6, 5, 4, 3, 2, Float.NaN);
        assertFails("logit of token 2 is Infinity", 1, 2, Float.POSITIVE_INFINITY);
        assertFails("no token has a finite logit in batch entry 0", MASKED, MASKED, MASKED);
    }

    private void assertFails(String message, float... logits) {
        assertThatThrownBy(() -> new HostScorer().score(logits, 0, logits.length, tokens, 0))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.category()).isEqualTo(Category.INVARIANT))
                .hasMessage(message);
    }
}
