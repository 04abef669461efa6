package io.radixflow.sample;

import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.util.Arrays;

/**
 * Draws one token id from a row of logits on the host.
 *
 * <p>In this order:
 *
 * <ol>
 *   <li>The biases are added.
 *   <li>Banned ids (last tokens of bad words, end tokens before {@code min_tokens}) are masked; ids outside the vocabulary are ignored.
 *   <li>All but the allowed ids are masked, and all that the grammar forbids.
 *   <li>Repetition penalty r, for each distinct token of prompt and output: a positive logit is divided by r, another multiplied.
 *   <li>Frequency and presence penalty, for each distinct token of the output alone: minus {@code frequency * count + presence}.
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

    private final int[] count; // [maxVocabSize] occurrences of a token; all 0 between draws
    private final float[] allowed; // [maxVocabSize] logits of the allowed ids
    private final LikelyTokens row;
    private final int[] randomBlock = new int[4];

    /** @param maxVocabSize longest row that will be drawn from */
    public HostSampler(int maxVocabSize) {
        count = new int[maxVocabSize];
        allowed = new float[maxVocabSize];
        row = new LikelyTokens(maxVocabSize);
    }

    /**
     * Draws for {@code entry} from {@code logits[offset .. offset + vocabSize)}, whose content afterwards is undefined.
     *
     * @return the token, or {@link ScoredTokens#NO_TOKEN} if bans and allowed ids leave none
     * @throws EngineException of category INVARIANT, if a logit that is not masked is NaN or positive infinity, or if the model itself
     *     leaves no token
     */
    public int draw(float[] logits, int offset, int vocabSize, SamplingBatch batch, int entry) {
        if (vocabSize > count.length) {
            throw new IllegalArgumentException("vocabulary of " + vocabSize + " tokens, at most " + count.length);
        }
        addBias(logits, offset, batch, entry);
        ban(logits, offset, vocabSize, batch, entry);
        allow(logits, offset, vocabSize, batch.allowedIds[entry]);
        long[] allowedBits = batch.allowedBits[entry];
        if (allowedBits != null) {
            allowBits(logits, offset, vocabSize, allowedBits);
        }
        penalizeRepetition(logits, offset, batch, entry);
        penalizeOutput(logits, offset, batch, entry);
        int top = argMax(logits, offset, vocabSize, entry);
        if (top == ScoredTokens.NO_TOKEN) {
            if (batch.numBanned[entry] == 0 && batch.allowedIds[entry].length == 0 && allowedBits == null) {
                throw new EngineException(Category.INVARIANT, "no token has a finite logit in batch entry " + entry);
            }
            return ScoredTokens.NO_TOKEN;
        }
        float temperature = batch.temperature[entry];
        int topK = batch.topK[entry];
        if (temperature < GREEDY_BELOW || topK == 1) {
            return top;
        }
        float max = logits[offset + top] + 0f; // +0 for -0, or a distance could be -0
        double uniform = Philox4x32.uniform(batch.seed[entry], batch.position[entry], randomBlock);
        if (topK <= 0 && batch.topP[entry] >= 1 && batch.minP[entry] <= 0) {
            return drawFromAll(logits, offset, vocabSize, max, 1 / temperature, uniform);
        }
        row.setTo(logits, offset, vocabSize, max, 1 / temperature);
        return row.draw(topK, batch.topP[entry], batch.minP[entry], uniform);
    }

    private int drawFromAll(float[] logits, int offset, int vocabSize, float max, float scale, double uniform) {
        double total = 0;
        for (int id = 0; id < vocabSize; id++) {
            float weight = Exponential.ofMinus((max - logits[offset + id]) * scale);
            logits[offset + id] = weight;
            total += weight;
        }
        double target = uniform * total;
        double sum = 0;
        int last = 0; // should rounding leave the target unreached
        for (int id = 0; id < vocabSize; id++) {
            float weight = logits[offset + id];
            sum += weight;
            if (sum > target) {
                return id;
            }
            last = weight > 0 ? id : last;
        }
        return last;
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
                // A tiny penalty is a client's right and must not look like a broken logit.
                logits[offset + id] = logit > 0 ? Math.min(logit / penalty, Float.MAX_VALUE) : logit * penalty;
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

    private static void addBias(float[] logits, int offset, SamplingBatch batch, int entry) {
        int[] ids = batch.biasIds[entry];
        float[] values = batch.biasValues[entry];
        for (int i = 0; i < ids.length; i++) {
            logits[offset + ids[i]] += values[i];
        }
    }

    private static void ban(float[] logits, int offset, int vocabSize, SamplingBatch batch, int entry) {
        int[] ids = batch.bannedIds[entry];
        for (int i = 0; i < batch.numBanned[entry]; i++) {
            if (ids[i] < vocabSize) {
                logits[offset + ids[i]] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    private void allow(float[] logits, int offset, int vocabSize, int[] ids) {
        if (ids.length == 0) {
            return;
        }
        for (int i = 0; i < ids.length; i++) {
            allowed[i] = logits[offset + ids[i]];
        }
        Arrays.fill(logits, offset, offset + vocabSize, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < ids.length; i++) {
            logits[offset + ids[i]] = allowed[i];
        }
    }

    private static void allowBits(float[] logits, int offset, int vocabSize, long[] bits) {
        int known = Math.min(vocabSize, bits.length * Long.SIZE);
        for (int from = 0; from < known; from += Long.SIZE) {
            long word = bits[from >> 6];
            int to = Math.min(known, from + Long.SIZE);
            if (word == 0) {
                Arrays.fill(logits, offset + from, offset + to, Float.NEGATIVE_INFINITY);
            } else if (word != -1) {
                for (int id = from; id < to; id++) {
                    if ((word >>> id & 1) == 0) {
                        logits[offset + id] = Float.NEGATIVE_INFINITY;
                    }
                }
            }
        }
        Arrays.fill(logits, offset + known, offset + vocabSize, Float.NEGATIVE_INFINITY);
    }

    /** NaN is the only value that compares neither way, so one rarely taken branch finds it and each new maximum. */
    private static int argMax(float[] logits, int offset, int vocabSize, int entry) {
        float max = Float.NEGATIVE_INFINITY;
        int top = ScoredTokens.NO_TOKEN;
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
        return top;
    }
}
