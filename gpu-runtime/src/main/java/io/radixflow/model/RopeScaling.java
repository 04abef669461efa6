package io.radixflow.model;

import java.util.Locale;

/**
 * The kinds of scaling of rotary positions, each with transformers' formula and its roundings to fp32, so that long contexts agree.
 *
 * <p>A table of rotations is fixed at start. The one kind whose frequencies depend on a sequence's length, {@link Dynamic}, takes the
 * length that is served, since K of earlier tokens stays in its slots as it was rotated.
 */
public sealed interface RopeScaling {

    /** The name in configurations. */
    String kind();

    /** What each of the {@code headDim / 2} pairs turns per position, in radians, where sequences have up to {@code contextLen} tokens. */
    float[] frequencies(float base, int headDim, int contextLen);

    /** Cosine and sine are multiplied by this. */
    default double attentionFactor() {
        return 1;
    }

    /** Most tokens of one sequence, of a model whose configuration says {@code trainedLen}. */
    int maxContextLen(int trainedLen);

    /** What a sequence may have if the user doesn't say. */
    default int defaultContextLen(int trainedLen) {
        return maxContextLen(trainedLen);
    }

    /** For people: kind and numbers. */
    String description();

    /** {@code base^(-2i / headDim)} for pair i. */
    private static float[] unscaled(float base, int headDim) {
        float[] frequencies = new float[headDim / 2];
        for (int pair = 0; pair < frequencies.length; pair++) {
            float exponent = 2f * pair / headDim;
            frequencies[pair] = 1f / (float) Math.pow(base, exponent);
        }
        return frequencies;
    }

    private static int times(double factor, int len) {
        return (int) Math.min(Integer.MAX_VALUE, factor * len);
    }

    private static void check(boolean isPossible, String field, double value, String allowed) {
        if (!isPossible) {
            throw new IllegalArgumentException(field + " " + value + ", which must be " + allowed);
        }
    }

    private static void checkFactor(double factor) {
        check(factor >= 1 && factor < Double.POSITIVE_INFINITY, "factor", factor, "a number of at least 1");
    }

    private static void checkLen(String field, int len) {
        check(len >= 1, field, len, "positive");
    }

    /** None. */
    record Default() implements RopeScaling {

        @Override
        public String kind() {
            return "default";
        }

        @Override
        public float[] frequencies(float base, int headDim, int contextLen) {
            return unscaled(base, headDim);
        }

        @Override
        public int maxContextLen(int trainedLen) {
            return trainedLen;
        }

        @Override
        public String description() {
            return "not scaled";
        }
    }

    /**
     * All frequencies divided.
     *
     * @param factor by this
     * @param originalLen length that the factor multiplies, 0 for the one in the configuration
     */
    record Linear(double factor, int originalLen) implements RopeScaling {

        /** @throws IllegalArgumentException naming what is impossible */
        public Linear {
            checkFactor(factor);
        }

        @Override
        public String kind() {
            return "linear";
        }

        @Override
        public float[] frequencies(float base, int headDim, int contextLen) {
            float[] frequencies = unscaled(base, headDim);
            for (int pair = 0; pair < frequencies.length; pair++) {
                frequencies[pair] /= (float) factor;
            }
            return frequencies;
        }

        @Override
        public int maxContextLen(int trainedLen) {
            return originalLen == 0 ? times(factor, trainedLen) : Math.max(trainedLen, times(factor, originalLen));
        }

        @Override
        public String description() {
            return "linear by " + factor;
        }
    }

    /**
     * A larger base for longer sequences ("NTK-aware"). transformers takes each sequence's own length; here all take the context length that
     * is served, so that K in the cache fits every later query. Up to {@code trainedLen} both are the same.
     *
     * @param factor how fast the base grows
     * @param trainedLen length up to which it doesn't
     */
    record Dynamic(double factor, int trainedLen) implements RopeScaling {

        /** @throws IllegalArgumentException naming what is impossible */
        public Dynamic {
            checkFactor(factor);
            checkLen("max_position_embeddings", trainedLen);
        }

        @Override
        public String kind() {
            return "dynamic";
        }

        @Override
        public float[] frequencies(float base, int headDim, int contextLen) {
            double growth = factor * Math.max(contextLen, trainedLen) / trainedLen - (factor - 1);
            double exponent = headDim == 2 ? 1 : headDim / (headDim - 2.0); // one pair: any base turns it by 1
            return unscaled((float) (base * Math.pow(growth, exponent)), headDim);
        }

        @Override
        public int maxContextLen(int ignored) {
            return times(factor, trainedLen);
        }

        @Override
        public int defaultContextLen(int ignored) {
            return trainedLen;
        }

        @Override
        public String description() {
            return "dynamic by " + factor + " beyond " + trainedLen + " tokens, fixed for the context length served";
        }
    }

    /**
     * YaRN [1]: fast frequencies stay, slow ones are divided, those between are mixed; attention is sharpened.
     *
     * <p>[1] Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models", 2023.
     *
     * @param factor that divides slow frequencies
     * @param originalLen context before scaling
     * @param attentionFactor for cosine and sine
     * @param betaFast turns over {@code originalLen} from which a frequency is fast
     * @param betaSlow turns up to which it is slow
     * @param isTruncated whether the range between is widened to whole pairs
     */
    record Yarn(
            double factor,
            int originalLen,
            double attentionFactor,
            double betaFast,
            double betaSlow,
            boolean isTruncated)
            implements RopeScaling {

        static final double BETA_FAST = 32;
        static final double BETA_SLOW = 1;

        /** @throws IllegalArgumentException naming what is impossible */
        public Yarn {
            checkFactor(factor);
            checkLen("original_max_position_embeddings", originalLen);
            check(
                    attentionFactor > 0 && attentionFactor < Double.POSITIVE_INFINITY,
                    "attention_factor",
                    attentionFactor,
                    "positive");
            check(betaSlow > 0, "beta_slow", betaSlow, "positive");
            check(betaFast >= betaSlow, "beta_fast", betaFast, "at least beta_slow");
        }

        /** The paper's attention factor, {@code 0.1 * mscale * ln(factor) + 1}. */
        static double attentionFactor(double factor, double mscale) {
            return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
        }

        @Override
        public String kind() {
            return "yarn";
        }

        @Override
        public float[] frequencies(float base, int headDim, int contextLen) {
            double low = pairTurning(betaFast, base, headDim);
            double high = pairTurning(betaSlow, base, headDim);
            if (isTruncated) {
                low = Math.floor(low);
                high = Math.ceil(high);
            }
            low = Math.max(low, 0);
            high = Math.min(high, headDim - 1);
            if (low == high) {
                high += 0.001; // a step, without a division by zero
            }
            float[] frequencies = new float[headDim / 2];
            for (int pair = 0; pair < frequencies.length; pair++) {
                float wavelength = (float) Math.pow(base, 2f * pair / headDim);
                float divided = 1f / ((float) factor * wavelength);
                float kept = 1f / wavelength;
                float ramp = (pair - (float) low) / (float) (high - low);
                float keptShare = 1 - Math.min(1, Math.max(0, ramp));
                frequencies[pair] = divided * (1 - keptShare) + kept * keptShare;
            }
            return frequencies;
        }

        /** The pair, as a fraction, that turns so often over the original length. */
        private double pairTurning(double turns, float base, int headDim) {
            return headDim * Math.log(originalLen / (turns * 2 * Math.PI)) / (2 * Math.log(base));
        }

        @Override
        public int maxContextLen(int trainedLen) {
            return Math.max(trainedLen, times(factor, originalLen));
        }

        @Override
        public String description() {
            return String.format(
                    Locale.ROOT,
                    "yarn by %s of %d tokens, attention factor %.4f",
                    factor,
                    originalLen,
                    attentionFactor);
        }
    }

    /**
     * Llama 3.1's: slow frequencies are divided, fast ones stay, those between are mixed.
     *
     * @param factor that divides slow frequencies
     * @param lowFreqFactor turns over {@code originalLen} below which a frequency is slow
     * @param highFreqFactor turns above which it is fast
     * @param originalLen context before scaling
     */
    record Llama3(double factor, double lowFreqFactor, double highFreqFactor, int originalLen) implements RopeScaling {

        /** @throws IllegalArgumentException naming what is impossible */
        public Llama3 {
            checkFactor(factor);
            checkLen("original_max_position_embeddings", originalLen);
            check(lowFreqFactor > 0, "low_freq_factor", lowFreqFactor, "positive");
            check(highFreqFactor > lowFreqFactor, "high_freq_factor", highFreqFactor, "above low_freq_factor");
        }

        @Override
        public String kind() {
            return "llama3";
        }

        @Override
        public float[] frequencies(float base, int headDim, int contextLen) {
            float longest = (float) (originalLen / lowFreqFactor);
            float shortest = (float) (originalLen / highFreqFactor);
            float[] frequencies = unscaled(base, headDim);
            for (int pair = 0; pair < frequencies.length; pair++) {
                float frequency = frequencies[pair];
                float wavelength = (float) (2 * Math.PI) / frequency;
                if (wavelength > longest) {
                    frequencies[pair] = frequency / (float) factor;
                } else if (wavelength >= shortest) {
                    float keptShare = (originalLen / wavelength - (float) lowFreqFactor)
                            / (float) (highFreqFactor - lowFreqFactor);
                    frequencies[pair] = (1 - keptShare) * frequency / (float) factor + keptShare * frequency;
                }
            }
            return frequencies;
        }

        @Override
        public int maxContextLen(int trainedLen) {
            return trainedLen;
        }

        @Override
        public String description() {
            return "llama3 by " + factor + " of " + originalLen + " tokens";
        }
    }

    /**
     * Each frequency divided by a number of its own, as GGUF files carry llama3's scaling.
     *
     * @param divisors one for each pair; nobody writes the array
     */
    record Divided(float[] divisors) implements RopeScaling {

        @Override
        public String kind() {
            return "divided";
        }

        @Override
        public float[] frequencies(float base, int headDim, int contextLen) {
            float[] frequencies = unscaled(base, headDim);
            if (frequencies.length != divisors.length) {
                throw new IllegalArgumentException(
                        divisors.length + " divisors for " + frequencies.length + " frequencies");
            }
            for (int pair = 0; pair < frequencies.length; pair++) {
                frequencies[pair] /= divisors[pair];
            }
            return frequencies;
        }

        @Override
        public int maxContextLen(int trainedLen) {
            return trainedLen;
        }

        @Override
        public String description() {
            return "each frequency divided by the files' own factor";
        }
    }
}
