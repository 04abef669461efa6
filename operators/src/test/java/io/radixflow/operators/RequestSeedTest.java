package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.sample.Distributions;
import io.radixflow.sample.Philox4x32;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Seeds that we derive: what they draw is as independent as if each were chosen at random. */
class RequestSeedTest {

    private static final int NUM_PAIRS = 200_000;
    private static final int NUM_BINS = 6;

    /** The first draw of two choices of the same request, whose seed is derived from its id, or chosen by the client: 0, 1, 2 and so on. */
    @ParameterizedTest
    @CsvSource({"true, 0, 1", "true, 1, 2", "true, 0, 127", "false, 0, 1", "false, 1, 2", "false, 63, 64"})
    void choicesOfARequestDrawIndependently(boolean isDerived, int first, int second) {
        int[] pairs = new int[NUM_BINS * NUM_BINS];
        int[] block = new int[4];
        for (int i = 0; i < NUM_PAIRS; i++) {
            long seed = isDerived ? RequestSeed.derive(0, "prompts-0-" + i) : i;
            int a = bin(RequestSeed.ofChoice(seed, first), block);
            int b = bin(RequestSeed.ofChoice(seed, second), block);
            pairs[a * NUM_BINS + b]++;
        }
        Distributions.assertIndependent(pairs, uniform());
    }

    @Test
    void neighbouringRecordsDrawIndependently() {
        int[] pairs = new int[NUM_BINS * NUM_BINS];
        int[] block = new int[4];
        for (int i = 0; i < NUM_PAIRS; i++) {
            int a = bin(RequestSeed.derive(0, "prompts-0-" + 2 * i), block);
            int b = bin(RequestSeed.derive(0, "prompts-0-" + (2 * i + 1)), block);
            pairs[a * NUM_BINS + b]++;
        }
        Distributions.assertIndependent(pairs, uniform());
    }

    @Test
    void allChoicesOfARequestHaveTheirOwnSeed() {
        Set<Long> seeds = new HashSet<>();
        for (long seed : new long[] {0, 1, 2, -1, Long.MIN_VALUE, 0x9e3779b97f4a7c15L}) {
            seeds.clear();
            for (int index = 0; index < 128; index++) {
                seeds.add(RequestSeed.ofChoice(seed, index));
            }
            assertThat(seeds).hasSize(128);
        }
    }

    private static int bin(long seed, int[] block) {
        return (int) (NUM_BINS * Philox4x32.uniform(seed, 10, block));
    }

    private static double[] uniform() {
        double[] uniform = new double[NUM_BINS];
        Arrays.fill(uniform, 1.0 / NUM_BINS);
        return uniform;
    }
}
