package io.radixflow.model;

/**
 * Shape and constants of a decoder-only transformer, read from its files and checked.
 *
 * @param architecture as the files name it, such as {@code llama}
 * @param numLayers transformer layers
 * @param hidden width of the residual stream
 * @param ffn width inside the feed-forward part
 * @param numHeads query heads, a multiple of {@code numKvHeads}
 * @param numKvHeads heads of K and V
 * @param headDim numbers in one head, even
 * @param rope how positions are encoded
 * @param rmsEps added to the mean square in RMS norms
 * @param trainedLen most tokens of one sequence as the files say, before rope scaling
 * @param vocabSize rows of the embedding; token ids are in {@code [0, vocabSize)}
 * @param hasTiedEmbedding whether the embedding is the output matrix too
 * @param hasQkvBias whether a bias is added to q, k and v (Qwen2)
 * @param hasHeadNorms whether each q and k head is normalised before rotation (Qwen3)
 */
public record ModelConfig(
        String architecture,
        int numLayers,
        int hidden,
        int ffn,
        int numHeads,
        int numKvHeads,
        int headDim,
        RopeConfig rope,
        float rmsEps,
        int trainedLen,
        int vocabSize,
        boolean hasTiedEmbedding,
        boolean hasQkvBias,
        boolean hasHeadNorms) {

    /** @throws IllegalArgumentException naming what is impossible */
    public ModelConfig {
        requirePositive("layers", numLayers);
        requirePositive("hidden size", hidden);
        requirePositive("feed-forward size", ffn);
        requirePositive("heads", numHeads);
        requirePositive("KV heads", numKvHeads);
        requirePositive("context length", trainedLen);
        requirePositive("vocabulary size", vocabSize);
        if (numHeads % numKvHeads != 0) {
            throw new IllegalArgumentException(numHeads + " heads are no multiple of " + numKvHeads + " KV heads");
        }
        if (headDim < 2 || headDim % 2 != 0) {
            throw new IllegalArgumentException("heads of " + headDim + " numbers, which must be even");
        }
        if ((numHeads + 2L * numKvHeads) * headDim > Integer.MAX_VALUE || 2L * ffn > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("rows of more than " + Integer.MAX_VALUE + " numbers");
        }
        if (!(rmsEps >= 0) || Float.isInfinite(rmsEps)) {
            throw new IllegalArgumentException("RMS epsilon " + rmsEps);
        }
    }

    /** Width of all query heads side by side. */
    public int queryDim() {
        return numHeads * headDim;
    }

    /** Width of all K heads, or of all V heads, side by side. */
    public int kvDim() {
        return numKvHeads * headDim;
    }

    /** Width of q, k and v side by side. */
    public int qkvDim() {
        return queryDim() + 2 * kvDim();
    }

    /** Tokens of one sequence if the user doesn't say. */
    public int contextLen() {
        return rope.scaling().defaultContextLen(trainedLen);
    }

    /** Most tokens of one sequence that the user may ask for. */
    public int maxContextLen() {
        return rope.scaling().maxContextLen(trainedLen);
    }

    private static void requirePositive(String what, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(what + ": " + value);
        }
    }
}
