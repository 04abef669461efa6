package io.radixflow.backend.simulated;

import io.radixflow.backend.ForwardBatch;

/**
 * How long a device takes for one step of one model, as a function of the step's shape alone.
 *
 * <p>A step lasts {@code fixed + body(numTokens) + head(numLogits) + elementwise * numTokens + attention}. Matrix products stream
 * their weights or compute, whichever takes longer, with a rounded corner between: {@code (weights^p + (rows * row)^p)^(1/p)}. Attention of
 * each sequence reads its KV or computes its (query, key) pairs, whichever takes longer. If a shared prefix is read once, the tokens of a
 * segment are read once for all its sequences, while its pairs are computed for each.
 *
 * @param name what it describes, such as {@code qwen3-8b on one H100}
 * @param shape of the model that it describes
 * @param fixedMicros of each step: launches, sampling, host
 * @param body of the layers' matrix products, for each token
 * @param head of the output matrix, for each row of logits
 * @param cornerExponent p, at least 1
 * @param elementwiseTokenMicros norms, rotation and activation of one token
 * @param kvReadTokenMicros reading one token's K and V of all layers
 * @param attentionPairMicros computing one query token's attention to one token, all layers and heads
 * @param readsSharedPrefixOnce whether decoding sequences read a prefix that they share once
 */
public record TimeModel(
        String name,
        Shape shape,
        double fixedMicros,
        Product body,
        Product head,
        double cornerExponent,
        double elementwiseTokenMicros,
        double kvReadTokenMicros,
        double attentionPairMicros,
        boolean readsSharedPrefixOnce) {

    /**
     * What an engine needs to know of a model without its files.
     *
     * @param model name of the model
     * @param vocabSize token ids are in {@code [0, vocabSize)}
     * @param contextLen most tokens of one sequence
     * @param kvCacheTokens KV slots that the device has room for
     */
    public record Shape(String model, int vocabSize, int contextLen, int kvCacheTokens) {}

    /**
     * Matrix products.
     *
     * @param weightsMicros streaming all their weights, the least that they take
     * @param rowMicros computing one row when there are many
     */
    public record Product(double weightsMicros, double rowMicros) {

        double micros(int rows, double cornerExponent) {
            if (rows == 0) {
                return 0;
            }
            double sum = Math.pow(weightsMicros, cornerExponent) + Math.pow(rows * rowMicros, cornerExponent);
            return Math.pow(sum, 1 / cornerExponent);
        }
    }

    /** Duration of a step in microseconds. Allocates nothing. */
    double stepMicros(ForwardBatch batch) {
        return fixedMicros
                + body.micros(batch.numTokens, cornerExponent)
                + head.micros(batch.numLogits, cornerExponent)
                + batch.numTokens * elementwiseTokenMicros
                + attentionMicros(batch);
    }

    private double attentionMicros(ForwardBatch batch) {
        double micros = 0;
        for (int segment = 0; segment < batch.numSegments; segment++) {
            micros += sharedMicros(batch, segment);
        }
        for (int s = 0; s < batch.numSequences; s++) {
            int sharedLen = batch.numSegments == 0 ? 0 : batch.sharedLen[s];
            micros += ownMicros(batch.cachedLen[s] - sharedLen, batch.extendLen[s]);
        }
        return micros;
    }

    private double sharedMicros(ForwardBatch batch, int segment) {
        int len = batch.segmentTo[segment] - batch.segmentFrom[segment];
        int numQueries = 0;
        for (int place = batch.segmentFirst[segment]; place < batch.segmentEnd[segment]; place++) {
            numQueries += batch.extendLen[batch.segmentOrder[place]];
        }
        return slower(len, (double) len * numQueries);
    }

    private double ownMicros(int cachedLen, int extendLen) {
        return slower(cachedLen + extendLen, extendLen * (cachedLen + 0.5 * (extendLen + 1)));
    }

    private double slower(double tokensRead, double pairs) {
        return Math.max(tokensRead * kvReadTokenMicros, pairs * attentionPairMicros);
    }
}
