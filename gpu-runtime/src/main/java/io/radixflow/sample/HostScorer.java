package io.radixflow.sample;

import io.radixflow.backend.ScoredTokens;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;

/**
 * Log-probabilities of a row of logits on the host: of a given token and of the likeliest ones.
 *
 * <p>{@code logprob(i) = logit(i) - max - ln(sum of exp(logit - max))}, exponentials in fp32, the sum in fp64 in the order of ids: a function
 * of the row alone. One pass finds the largest logits, one adds. Allocates nothing after construction. Not thread-safe.
 */
public final class HostScorer {

    private final int[] topId = new int[ScoredTokens.MAX_ALTERNATIVES + 1];
    private final float[] topLogit = new float[ScoredTokens.MAX_ALTERNATIVES + 1];
    private int numTop;

    /**
     * Scores {@code tokens.tokenId[entry]}, and as many alternatives as the entry asks for, by {@code logits[offset .. offset + vocabSize)},
     * which stay as they are.
     *
     * @throws EngineException of category INVARIANT, if a logit is NaN or positive infinity, or all are negative infinity
     */
    public void score(float[] logits, int offset, int vocabSize, ScoredTokens tokens, int entry) {
        int numAlternatives = tokens.numAlternatives[entry];
        findTop(logits, offset, vocabSize, Math.max(1, numAlternatives));
        if (numTop == 0) {
            throw new EngineException(Category.INVARIANT, "no token has a finite logit in batch entry " + entry);
        }
        float max = topLogit[0];
        double sum = 0;
        for (int i = offset; i < offset + vocabSize; i++) {
            sum += Exponential.ofMinus(max - logits[i]);
        }
        double logSum = max + Math.log(sum);
        tokens.logprob[entry] = (float) (logits[offset + tokens.tokenId[entry]] - logSum);
        int to = entry * ScoredTokens.MAX_ALTERNATIVES;
        for (int rank = 0; rank < numAlternatives; rank++) {
            boolean isFound = rank < numTop; // the others have no probability at all
            tokens.alternativeId[to + rank] = isFound ? topId[rank] : ScoredTokens.NO_TOKEN;
            tokens.alternativeLogprob[to + rank] =
                    isFound ? (float) (topLogit[rank] - logSum) : Float.NEGATIVE_INFINITY;
        }
    }

    /** The largest logits in falling order, of equal ones the lower id first; negative infinity is none. */
    private void findTop(float[] logits, int offset, int vocabSize, int num) {
        numTop = 0;
        float least = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < vocabSize; id++) {
            float logit = logits[offset + id];
            if (!(logit <= least)) { // NaN compares neither way
                if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                    throw new EngineException(Category.INVARIANT, "logit of token " + id + " is " + logit);
                }
                insert(id, logit, num);
                least = numTop == num ? topLogit[num - 1] : Float.NEGATIVE_INFINITY;
            }
        }
    }

    private void insert(int id, float logit, int num) {
        int place = Math.min(numTop, num - 1);
        while (place > 0 && logit > topLogit[place - 1]) {
            topId[place] = topId[place - 1];
            topLogit[place] = topLogit[place - 1];
            place--;
        }
        topId[place] = id;
        topLogit[place] = logit;
        numTop = Math.min(numTop + 1, num);
    }
}
