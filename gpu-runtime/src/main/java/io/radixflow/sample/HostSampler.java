package io.radixflow.sample;

import io.radixflow.backend.SamplingBatch;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;

/**
 * Draws one token id from a row of logits on the host.
 *
 * <p>In this order:
 *
 * <ol>
 *   <li>Repetition penalty r, for each distinct token of prompt and output: a positive logit is divided by r, another multiplied.
 *   <li>Frequency and presence penalty, for each distinct token of the output alone: minus {@code frequency * count + presence}.
 *   <li>Banned ids are masked; ids outside the vocabulary are ignored.
 *   <li>Temperature below 1e-6 or top-k 1: the largest logit, the lowest id among equal ones. The end.
 *   <li>Logits are divided by the temperature. Tokens are ordered by descending logit, equal ones by ascending id.
 *   <li>Three cuts, each a prefix of that order judged on the whole softmax, hence joint: the first {@code topK} tokens; the fewest
 *       tokens whose mass is at least {@code topP}; the tokens at least {@code minP} times as likely as the first. The shortest one is
 *       kept. (SGLang's joint order. Its kernels for requests with min-p renormalise after top-k instead, which makes top-p narrower
 *       when top-k cuts as well; we don't.)
 *   <li>One {@link Philox4x32} number is looked up in the cumulative mass of the kept tokens, in the order of their ids.
 * </ol>
 *
 * <p>Probabilities are fp32 relative to the largest, summed in fp64 in the order of ids, so a draw is a function of the row and the
 * entry's columns alone. Takes a few passes over the row and never sorts it. Allocates nothing after construction. Not thread-safe:
 * each thread has its own.
 */
public final class HostSampler {

    private static final float GREEDY_BELOW = 1e-6f;

    private final float[] weight; // [maxVocabSize] probability relative to the most likely token's
    private final int[] count; // [maxVocabSize] occurrences of a token; all 0 between draws
    private final LikelyTokens likely = new LikelyTokens();
    private final int[] randomBlock = new int[4];

    /** @param maxVocabSize longest row that will be drawn from */
    public HostSampler(int maxVocabSize) {
        weight = new float[maxVocabSize];
        count = new int[maxVocabSize];
    }

    /**
     * Draws for {@code entry} from {@code logits[offset .. offset + vocabSize)}, whose content afterwards is undefined.
     *
     * @throws EngineException of category INVARIANT, if a logit is NaN or positive infinity, or if every token is masked
     */
    public int draw(float[] logits, int offset, int vocabSize, SamplingBatch batch, int entry) {
        if (vocabSize > weight.length) {
            throw new IllegalArgumentException("vocabulary of " + vocabSize + " tokens, at most " + weight.length);
        }
        penalizeRepetition(logits, offset, batch, entry);
        penalizeOutput(logits, offset, batch, entry);
        ban(logits, offset, vocabSize, batch.bannedIds[entry]);
        int top = argMax(logits, offset, vocabSize, entry);
        float temperature = batch.temperature[entry];
        int topK = batch.topK[entry];
        if (temperature < GREEDY_BELOW || topK == 1) {
            return top;
        }
        double total = weigh(logits, offset, vocabSize, logits[offset + top], 1 / temperature);
        double uniform = Philox4x32.uniform(batch.seed[entry], batch.position[entry], randomBlock);
        float topP = batch.topP[entry];
        float minP = batch.minP[entry];
        boolean isTopKCut = topK > 0 && topK < vocabSize;
        if (isTopKCut || topP < 1) {
            int maxCount = isTopKCut ? topK : vocabSize;
            double minMass = topP < 1 ? topP * total : Double.POSITIVE_INFINITY;
            likely.select(logits, offset, weight, vocabSize, maxCount, minMass);
        } else if (minP > 0) {
            likely.selectAll();
        } else {
            return pick(vocabSize, uniform * total);
        }
        likely.restrict(minP);
        return pick(vocabSize, uniform * likely.dropOthers(logits, offset, weight, vocabSize));
    }

    private void penalizeRepetition(float[] logits, int offset, SamplingBatch batch, int entry) {
        float penalty = batch.repetitionPenalty[entry];
        if (penalty == 1) {
            return;
        }
        int[] tokens = batch.tokens[entry];
        int len = batch.promptLen[entry] + batch.outputLen[entry];
        for (int i = 0; i < len; i++) {
            int id = tokens[i];
            if (count[id]++ == 0) {
                float logit = logits[offset + id];
                logits[offset + id] = logit > 0 ? logit / penalty : logit * penalty;
            }
        }
        for (int i = 0; i < len; i++) {
            count[tokens[i]] = 0;
        }
    }

    private void penalizeOutput(float[] logits, int offset, SamplingBatch batch, int entry) {
        float frequency = batch.frequencyPenalty[entry];
        float presence = batch.presencePenalty[entry];
        if (frequency == 0 && presence == 0) {
            return;
        }
        int[] tokens = batch.tokens[entry];
        int from = batch.promptLen[entry];
        int to = from + batch.outputLen[entry];
        for (int i = from; i < to; i++) {
            count[tokens[i]]++;
        }
        for (int i = from; i < to; i++) {
            int id = tokens[i];
            if (count[id] > 0) {
                logits[offset + id] -= frequency * count[id] + presence;
                count[id] = 0;
            }
        }
    }

    private static void ban(float[] logits, int offset, int vocabSize, int[] ids) {
        for (int id : ids) {
            if (id < vocabSize) {
                logits[offset + id] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** NaN is the only value that compares neither way, so one rarely taken branch finds it and each new maximum. */
    private static int argMax(float[] logits, int offset, int vocabSize, int entry) {
        float max = Float.NEGATIVE_INFINITY;
        int top = -1;
        for (int id = 0; id < vocabSize; id++) {
            float logit = logits[offset + id];
            if (!(logit <= max)) {
                if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                    throw new EngineException(
                            Category.INVARIANT, "logit of token " + id + " is " + logit + " in batch entry " + entry);
                }
                max = logit;
                top = id;
            }
        }
        if (top < 0) {
            throw new EngineException(Category.INVARIANT, "every token is masked in batch entry " + entry);
        }
        return top;
    }

    /** Turns logits into their scaled distance from the largest and fills {@code weight}; returns the sum of weights. */
    private double weigh(float[] logits, int offset, int vocabSize, float max, float scale) {
        double total = 0;
        for (int id = 0; id < vocabSize; id++) {
            float distance = (max - logits[offset + id]) * scale;
            float w = expOfMinus(distance);
            logits[offset + id] = distance;
            weight[id] = w;
            total += w;
        }
        return total;
    }

    /** The first id whose cumulative weight exceeds {@code target}; should rounding leave none, the last id with any weight. */
    private int pick(int vocabSize, double target) {
        double sum = 0;
        for (int id = 0; id < vocabSize; id++) {
            sum += weight[id];
            if (sum > target) {
                return id;
            }
        }
        int id = vocabSize - 1;
        while (weight[id] == 0) {
            id--;
        }
        return id;
    }

    /**
     * {@code e^-x} for x of 0 or more, within 2e-7 of it relatively; 0 beyond 87, where fp32 ends. Exactly 1 at 0. Reduces to
     * {@code 2^-n * e^r} with {@code |r| <= ln(2) / 2} and sums the series to r^7. Several times as fast as {@link Math#exp}.
     */
    static float expOfMinus(float x) {
        if (!(x < 87)) {
            return 0;
        }
        int n = (int) (x * 1.44269504f + 0.5f);
        float r = n * 0.693359375f - x; // ln 2 in two parts, the first exact in products with n
        r += n * -2.12194440e-4f;
        float series = 1.98412698e-4f;
        series = series * r + 1.38888889e-3f;
        series = series * r + 8.33333333e-3f;
        series = series * r + 4.16666667e-2f;
        series = series * r + 1.66666667e-1f;
        series = series * r + 0.5f;
        series = series * r + 1f;
        series = series * r + 1f;
        return series * Float.intBitsToFloat((127 - n) << 23);
    }
}
