package io.radixflow.sample;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.SamplingBatch;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HostSamplerDistributionTest {

    private static final int NUM_DRAWS = 200_000;
    private static final int VOCAB_SIZE = 48;
    private static final int PAIR_VOCAB_SIZE = 5;

    /** Parameters to test alone and together. */
    enum Case {
        PLAIN(b -> {}),
        COLD(b -> b.temperature[0] = 0.4f),
        HOT(b -> b.temperature[0] = 2.5f),
        TOP_K(b -> b.topK[0] = 7),
        TOP_P(b -> b.topP[0] = 0.8f),
        MIN_P(b -> b.minP[0] = 0.02f),
        BANNED(b -> SamplingRows.ban(b, 0, 3, 17, 20, 21)),
        BIAS(b -> {
            b.biasIds[0] = new int[] {1, 2, 30, 40};
            b.biasValues[0] = new float[] {2, -3, 100, -100};
            b.topK[0] = 40; // the bias of 100 leaves one token alone otherwise
            b.temperature[0] = 30;
        }),
        ALLOWED(b -> b.allowedIds[0] = new int[] {40, 2, 3, 47, 0}),
        ALLOWED_AND_BANNED(b -> {
            b.allowedIds[0] = new int[] {40, 2, 3, 47, 0};
            SamplingRows.ban(b, 0, 2, 5, 999);
        }),
        REPETITION(b -> b.repetitionPenalty[0] = 1.7f),
        PRESENCE(b -> b.presencePenalty[0] = 1.5f),
        FREQUENCY(b -> b.frequencyPenalty[0] = -0.6f),
        TOP_K_AND_TOP_P(b -> {
            b.topK[0] = 9;
            b.topP[0] = 0.85f;
        }),
        ALL_TOGETHER(b -> {
            b.temperature[0] = 1.3f;
            b.topK[0] = 20;
            b.topP[0] = 0.95f;
            b.minP[0] = 0.03f;
            b.repetitionPenalty[0] = 1.2f;
            b.presencePenalty[0] = 0.4f;
            b.frequencyPenalty[0] = 0.2f;
            b.biasIds[0] = new int[] {7, 8};
            b.biasValues[0] = new float[] {1.5f, -2};
            b.allowedIds[0] = IntStream.range(0, 40).toArray();
            SamplingRows.ban(b, 0, 0, 5);
        });

        @SuppressWarnings("ImmutableEnumChecker") // the lambdas above hold nothing
        private final Consumer<SamplingBatch> settings;

        Case(Consumer<SamplingBatch> settings) {
            this.settings = settings;
        }
    }

    @ParameterizedTest
    @EnumSource
    void drawsFromTheNaiveSamplersDistribution(Case parameters) {
        Random random = new Random(parameters.name().hashCode());
        float[] logits = HostSamplerTest.randomLogits(random, VOCAB_SIZE);
        for (int id = 0; id < VOCAB_SIZE; id++) {
            logits[id] /= 3; // flat enough for every cut to keep several tokens
        }
        SamplingBatch batch = randomSequence(random);
        parameters.settings.accept(batch);
        double[] expected = NaiveSampler.distribution(logits, batch, 0, 0);
        int[] counts = new int[VOCAB_SIZE];
        HostSampler sampler = new HostSampler(VOCAB_SIZE);
        float[] row = new float[VOCAB_SIZE];
        for (int i = 0; i < NUM_DRAWS; i++) {
            System.arraycopy(logits, 0, row, 0, VOCAB_SIZE);
            batch.seed[0] = i / 1000;
            batch.position[0] = i % 1000;
            counts[sampler.draw(row, 0, VOCAB_SIZE, batch, 0)]++;
        }
        Distributions.assertFits(counts, expected);
    }

    /** Requests without a seed, the choices of one request and neighbours in a batch have seeds that differ in few bits. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 0x100000000L, 1L << 63})
    void seedsThatDifferInOneBitDrawIndependently(long difference) {
        SamplingBatch batch = SamplingRows.neutral(2);
        int[] pairs = new int[PAIR_VOCAB_SIZE * PAIR_VOCAB_SIZE];
        HostSampler sampler = new HostSampler(PAIR_VOCAB_SIZE);
        for (int i = 0; i < NUM_DRAWS; i++) {
            batch.seed[0] = (i / 10) * 4L;
            batch.seed[1] = batch.seed[0] ^ difference;
            batch.position[0] = i % 10;
            batch.position[1] = i % 10;
            pairs[drawPair(sampler, batch)]++;
        }
        Distributions.assertIndependent(pairs, pairDistribution());
    }

    @Test
    void positionsOfOneSeedDrawIndependently() {
        SamplingBatch batch = SamplingRows.neutral(2);
        int[] pairs = new int[PAIR_VOCAB_SIZE * PAIR_VOCAB_SIZE];
        HostSampler sampler = new HostSampler(PAIR_VOCAB_SIZE);
        batch.seed[0] = 7;
        batch.seed[1] = 7;
        for (int i = 0; i < NUM_DRAWS; i++) {
            batch.position[0] = 2 * i;
            batch.position[1] = 2 * i + 1;
            pairs[drawPair(sampler, batch)]++;
        }
        Distributions.assertIndependent(pairs, pairDistribution());
    }

    private static int drawPair(HostSampler sampler, SamplingBatch batch) {
        int first = sampler.draw(pairLogits(), 0, PAIR_VOCAB_SIZE, batch, 0);
        return first * PAIR_VOCAB_SIZE + sampler.draw(pairLogits(), 0, PAIR_VOCAB_SIZE, batch, 1);
    }

    private static float[] pairLogits() {
        return new float[] {0, 1, 0.5f, -1, 0.2f};
    }

    private static double[] pairDistribution() {
        return NaiveSampler.distribution(pairLogits(), SamplingRows.neutral(1), 0, 0);
    }

    @Property(tries = 3000)
    void drawsOnlyTokensThatTheNaiveSamplerKeeps(@ForAll long seed) {
        Random random = new Random(seed);
        int size = 1 + random.nextInt(80);
        float[] logits = HostSamplerTest.randomLogits(random, size);
        for (int id = 0; id < size; id++) {
            if (random.nextInt(6) == 0) {
                logits[id] = Math.round(logits[id]); // ties
            } else if (random.nextInt(12) == 0 && id > 0) {
                logits[id] = Float.NEGATIVE_INFINITY;
            }
        }
        SamplingBatch batch = SamplingRows.neutral(1);
        batch.temperature[0] = random.nextBoolean() ? 1 : 0.01f + 3 * random.nextFloat();
        batch.topK[0] = random.nextBoolean() ? -1 : 1 + random.nextInt(100);
        batch.topP[0] = random.nextBoolean() ? 1 : 0.001f + 0.998f * random.nextFloat();
        batch.minP[0] = random.nextBoolean() ? 0 : random.nextFloat();
        double[] allowed = NaiveSampler.distribution(logits, batch, 0, 1e-5);
        HostSampler sampler = new HostSampler(size);
        for (int draw = 0; draw < 20; draw++) {
            batch.seed[0] = random.nextLong();
            batch.position[0] = random.nextInt(1000);
            int id = sampler.draw(logits.clone(), 0, size, batch, 0);
            assertThat(allowed[id]).as("probability of drawn token %s", id).isPositive();
        }
    }

    private static SamplingBatch randomSequence(Random random) {
        SamplingBatch batch = SamplingRows.neutral(1);
        int[] tokens = new int[30];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = random.nextInt(VOCAB_SIZE / 2);
        }
        batch.tokens[0] = tokens;
        batch.promptLen[0] = 18;
        batch.outputLen[0] = 10; // the last two are not part of the sequence
        return batch;
    }
}
