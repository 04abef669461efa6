package io.radixflow.sample;

import static org.assertj.core.api.Assertions.assertThat;

/** Compares counted draws with what they should be distributed like. */
public final class Distributions {

    private static final int MIN_EXPECTED = 10;

    private Distributions() {}

    /**
     * Pearson's test, outcomes of fewer than 10 expected draws taken together. Its statistic exceeds {@code df + 6 * sqrt(2 df) + 10} with
     * a probability of less than 1e-6; draws are a function of fixed seeds, so a passing test stays so.
     */
    public static void assertFits(int[] counts, double[] expected) {
        long numDraws = 0;
        for (int count : counts) {
            numDraws += count;
        }
        double chiSquare = 0;
        int numBins = 0;
        double rareExpected = 0;
        double rareCount = 0;
        for (int id = 0; id < counts.length; id++) {
            double mean = expected[id] * numDraws;
            if (expected[id] == 0) {
                assertThat(counts[id]).as("draws of cut token %s", id).isZero();
            } else if (mean < MIN_EXPECTED) {
                rareExpected += mean;
                rareCount += counts[id];
            } else {
                chiSquare += (counts[id] - mean) * (counts[id] - mean) / mean;
                numBins++;
            }
        }
        if (rareExpected > 1) {
            chiSquare += (rareCount - rareExpected) * (rareCount - rareExpected) / rareExpected;
            numBins++;
        }
        assertThat(numBins).isGreaterThan(1);
        int df = numBins - 1;
        assertThat(chiSquare).isLessThan(df + 6 * Math.sqrt(2.0 * df) + 10);
    }

    /** Whether two draws made together are independent, each distributed as {@code expected}: {@code pairs[a * n + b]} counts. */
    public static void assertIndependent(int[] pairs, double[] expected) {
        int n = expected.length;
        double[] products = new double[n * n];
        for (int a = 0; a < n; a++) {
            for (int b = 0; b < n; b++) {
                products[a * n + b] = expected[a] * expected[b];
            }
        }
        assertFits(pairs, products);
    }
}
