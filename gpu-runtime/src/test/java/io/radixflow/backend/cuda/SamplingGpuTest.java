package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.Tensor;
import io.radixflow.engine.EngineException;
import io.radixflow.sample.Distributions;
import io.radixflow.sample.HostSampler;
import io.radixflow.sample.HostScorer;
import io.radixflow.sample.NaiveSampler;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Draws and log-probabilities of the device against the host's sampler and scorer. */
@Tag("gpu")
final class SamplingGpuTest {

    private static final String LIBRARY = GpuModel.LIBRARY;
    private static final int STRIDE = 512;
    private static final int NUM_ENTRIES = 64;
    private static final int[] NO_IDS = {};

    private final Random random = new Random(17);
    private CudaBackend backend = backend(1);

    private CudaBackend backend(int vocabSize) {
        CudaBackend opened = new CudaBackend(new CudaBackend.Settings(0, 0.9, LIBRARY, 1024, 256, 0, true, false));
        opened.allocateKvCache(new KvLayout(1, 16, 1, 1, 64, ElementType.BFLOAT16));
        opened.allocateLogits(256, vocabSize);
        return opened;
    }

    private void open(int vocabSize) {
        backend.close();
        backend = backend(vocabSize);
    }

    @AfterEach
    void close() {
        backend.close();
    }

    /** Weights have the host's bits, sums of them another order: a draw may differ where the random number lies on an edge. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 33, 1000, 5000, 49152, 151936, 262144})
    void drawsWhatTheHostDraws(int vocabSize) {
        assumeTrue(!GpuModel.IS_TRIMMED || vocabSize <= 5000);
        open(vocabSize);
        int draws = 0;
        int same = 0;
        HostSampler host = new HostSampler(vocabSize);
        for (int trial = 0; trial < (GpuModel.IS_TRIMMED ? 2 : 6); trial++) {
            float[] logits = logits(vocabSize, new double[] {0.2, 1, 3}[trial % 3]);
            SamplingBatch batch = randomBatch(vocabSize);
            ScoredTokens drawn = scored(trial % 2 == 0 ? ScoredTokens.NO_LOGPROBS : Math.min(20, vocabSize));
            run(logits, vocabSize, batch, drawn);
            for (int entry = 0; entry < NUM_ENTRIES; entry++) {
                float[] row = Arrays.copyOfRange(logits, entry * vocabSize, (entry + 1) * vocabSize);
                int expected = host.draw(row, 0, vocabSize, batch, entry);
                boolean isGreedy = batch.temperature[entry] == 0 || batch.topK[entry] == 1;
                if (isGreedy) {
                    assertThat(drawn.tokenId[entry])
                            .as("greedy entry %d", entry)
                            .isEqualTo(expected);
                }
                same += drawn.tokenId[entry] == expected ? 1 : 0;
                draws++;
            }
            if (trial % 2 == 1) {
                checkScores(logits, vocabSize, drawn);
            }
        }
        System.out.printf("vocabulary of %d: %d of %d draws are the host's%n", vocabSize, same, draws);
        assertThat(same).isGreaterThanOrEqualTo(draws - 2);
    }

    private static void checkScores(float[] logits, int vocabSize, ScoredTokens drawn) {
        HostScorer scorer = new HostScorer();
        ScoredTokens expected = scored(Math.min(20, vocabSize));
        System.arraycopy(drawn.tokenId, 0, expected.tokenId, 0, NUM_ENTRIES);
        for (int entry = 0; entry < NUM_ENTRIES; entry++) {
            if (drawn.tokenId[entry] == ScoredTokens.NO_TOKEN) {
                continue;
            }
            scorer.score(logits, entry * vocabSize, vocabSize, expected, entry);
            assertThat(drawn.logprob[entry]).isCloseTo(expected.logprob[entry], within(1e-5f));
            for (int rank = 0; rank < drawn.numAlternatives[entry]; rank++) {
                int at = entry * ScoredTokens.MAX_ALTERNATIVES + rank;
                assertThat(drawn.alternativeId[at]).isEqualTo(expected.alternativeId[at]);
                assertThat(drawn.alternativeLogprob[at]).isCloseTo(expected.alternativeLogprob[at], within(1e-5f));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "cuts", "penalties", "rules"})
    void drawsFromTheNaiveSamplersDistribution(String parameters) {
        int vocabSize = 48;
        open(vocabSize);
        float[] row = new float[vocabSize];
        for (int id = 0; id < vocabSize; id++) {
            row[id] = (float) random.nextGaussian();
        }
        float[] logits = new float[NUM_ENTRIES * vocabSize];
        SamplingBatch batch = neutral();
        for (int entry = 0; entry < NUM_ENTRIES; entry++) {
            System.arraycopy(row, 0, logits, entry * vocabSize, vocabSize);
            setParameters(batch, entry, parameters);
        }
        double[] expected = NaiveSampler.distribution(row, batch, 0, 0);
        int[] counts = new int[vocabSize];
        ScoredTokens drawn = scored(ScoredTokens.NO_LOGPROBS);
        for (int step = 0; step < (GpuModel.IS_TRIMMED ? 4 : 1500); step++) {
            for (int entry = 0; entry < NUM_ENTRIES; entry++) {
                batch.seed[entry] = step * 1000L + entry;
            }
            run(logits, vocabSize, batch, drawn);
            for (int entry = 0; entry < NUM_ENTRIES; entry++) {
                counts[drawn.tokenId[entry]]++;
            }
        }
        Distributions.assertFits(counts, expected);
    }

    private static void setParameters(SamplingBatch batch, int entry, String parameters) {
        batch.tokens[entry] = new int[] {1, 2, 3, 1, 9, 9, 9, 30};
        batch.promptLen[entry] = 3;
        batch.outputLen[entry] = 5;
        batch.position[entry] = 8;
        switch (parameters) {
            case "cuts" -> {
                batch.topK[entry] = 30;
                batch.topP[entry] = 0.9f;
                batch.minP[entry] = 0.05f;
                batch.temperature[entry] = 1.4f;
            }
            case "penalties" -> {
                batch.repetitionPenalty[entry] = 1.3f;
                batch.presencePenalty[entry] = 0.5f;
                batch.frequencyPenalty[entry] = -0.4f;
            }
            case "rules" -> {
                batch.biasIds[entry] = new int[] {4, 5};
                batch.biasValues[entry] = new float[] {2, -2};
                batch.bannedIds[entry] = new int[] {7, 8, 999};
                batch.numBanned[entry] = 3;
                batch.allowedIds[entry] = IntStream.range(2, 40).toArray();
            }
            default -> batch.temperature[entry] = 1;
        }
    }

    @Test
    void rulesThatLeaveNothingDrawNothing() {
        open(100);
        SamplingBatch batch = neutral();
        batch.allowedIds[3] = new int[] {5};
        batch.bannedIds[3] = new int[] {5};
        batch.numBanned[3] = 1;
        ScoredTokens drawn = scored(ScoredTokens.NO_LOGPROBS);
        run(logits(100, 1), 100, batch, drawn);
        assertThat(drawn.tokenId[3]).isEqualTo(ScoredTokens.NO_TOKEN);
        assertThat(drawn.tokenId[2]).isNotNegative();
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void logitsThatAreNoNumbersStopTheEngine(float broken) {
        open(100);
        float[] logits = logits(100, 1);
        logits[5 * 100 + 77] = broken;
        assertThatThrownBy(() -> run(logits, 100, neutral(), scored(ScoredTokens.NO_LOGPROBS)))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("entry 5");
    }

    /** A step of tokens whose last one is each entry's newest; the rest of its tokens count as cached. */
    private void run(float[] logits, int vocabSize, SamplingBatch batch, ScoredTokens into) {
        ForwardBatch step = new ForwardBatch(NUM_ENTRIES, NUM_ENTRIES, new int[NUM_ENTRIES * STRIDE], STRIDE);
        Arrays.setAll(step.rowVersion, row -> random.nextInt());
        for (int entry = 0; entry < NUM_ENTRIES; entry++) {
            int len = batch.promptLen[entry] + batch.outputLen[entry];
            step.row[entry] = NUM_ENTRIES - 1 - entry;
            step.firstToken[entry] = entry;
            step.cachedLen[entry] = len - 1;
            step.extendLen[entry] = 1;
            step.tokenId[entry] = batch.tokens[entry][len - 1];
            step.position[entry] = len - 1;
            step.logitToken[entry] = entry;
            step.history[entry] = batch.tokens[entry];
        }
        step.numSequences = NUM_ENTRIES;
        step.numTokens = NUM_ENTRIES;
        step.numSampled = NUM_ENTRIES;
        step.numLogits = NUM_ENTRIES;
        Tensor rows = backend.upload(logits, NUM_ENTRIES, vocabSize);
        backend.runStep(step, () -> rows);
        backend.sample(rows, batch, into);
        backend.finishStep();
    }

    private float[] logits(int vocabSize, double spread) {
        float[] logits = new float[NUM_ENTRIES * vocabSize];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (random.nextGaussian() * spread);
            if (random.nextInt(20) == 0) {
                logits[i] = Math.round(logits[i]); // ties
            } else if (random.nextInt(50) == 0 && i % vocabSize != 0) {
                logits[i] = Float.NEGATIVE_INFINITY;
            }
        }
        return logits;
    }

    private static SamplingBatch neutral() {
        SamplingBatch batch = new SamplingBatch(NUM_ENTRIES);
        batch.numEntries = NUM_ENTRIES;
        Arrays.fill(batch.temperature, 1);
        Arrays.fill(batch.topP, 1);
        Arrays.fill(batch.topK, -1);
        Arrays.fill(batch.repetitionPenalty, 1);
        Arrays.fill(batch.tokens, new int[1]);
        Arrays.fill(batch.promptLen, 1);
        return batch;
    }

    private SamplingBatch randomBatch(int vocabSize) {
        SamplingBatch batch = neutral();
        for (int e = 0; e < NUM_ENTRIES; e++) {
            batch.temperature[e] = random.nextInt(5) == 0 ? 0 : 0.1f + 2 * random.nextFloat();
            batch.topK[e] = random.nextBoolean() ? -1 : 1 + random.nextInt(random.nextBoolean() ? 60 : 6000);
            batch.topP[e] = random.nextBoolean() ? 1 : 0.05f + 0.94f * random.nextFloat();
            batch.minP[e] = random.nextInt(3) > 0 ? 0 : 0.3f * random.nextFloat();
            batch.seed[e] = random.nextLong();
            int len = 2 + random.nextInt(STRIDE - 2);
            batch.tokens[e] = random.ints(len, 0, Math.min(vocabSize, 100)).toArray();
            batch.promptLen[e] = 1 + random.nextInt(len - 1);
            batch.outputLen[e] = len - batch.promptLen[e];
            batch.position[e] = len;
            batch.repetitionPenalty[e] = random.nextInt(3) > 0 ? 1 : 0.5f + random.nextFloat();
            batch.presencePenalty[e] = random.nextInt(3) > 0 ? 0 : 4 * random.nextFloat() - 2;
            batch.frequencyPenalty[e] = random.nextInt(3) > 0 ? 0 : 4 * random.nextFloat() - 2;
            if (random.nextInt(3) == 0) {
                batch.biasIds[e] = random.ints(5, 0, vocabSize).distinct().toArray();
                batch.biasValues[e] = new float[batch.biasIds[e].length];
                Arrays.fill(batch.biasValues[e], 3 * random.nextFloat());
            }
            batch.allowedIds[e] = random.nextInt(5) > 0
                    ? NO_IDS
                    : random.ints(1000, 0, vocabSize).distinct().toArray();
            if (random.nextInt(5) == 0) { // as a grammar does, in words that need not reach to the vocabulary's end
                batch.allowedBits[e] = random.longs(Math.max(1, vocabSize / 70)).toArray();
                batch.allowedBits[e][0] |= 1;
            }
            if (random.nextInt(3) == 0 && vocabSize > 10) {
                batch.bannedIds[e] = random.ints(4, 1, vocabSize + 3).toArray();
                batch.numBanned[e] = 4;
            }
        }
        return batch;
    }

    private static ScoredTokens scored(int numAlternatives) {
        ScoredTokens tokens = new ScoredTokens(NUM_ENTRIES);
        Arrays.fill(tokens.numAlternatives, numAlternatives);
        return tokens;
    }
}
