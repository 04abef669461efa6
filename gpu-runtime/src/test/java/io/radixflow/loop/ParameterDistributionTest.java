package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.SamplingBatch;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.SamplingParamsBuilder;
import io.radixflow.sample.Distributions;
import io.radixflow.sample.NaiveSampler;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.schedule.SchedulerConfig.Policy;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every sampling parameter through the whole engine, from the request to the drawn token: 200,000 requests that differ in their seed alone
 * draw the next token from known logits, and the counts fit the distribution that a naive sampler states for those parameters.
 */
@Tag("slow")
class ParameterDistributionTest {

    private static final int NUM_DRAWS = 200_000;
    private static final int VOCAB_SIZE = 40;
    private static final int EOS = 11;
    private static final int BATCH = 2000;

    private static final int[] PROMPT = {4, 9, 4, 30, 31, 7, 7, 2};
    private static final int[] OUTPUT = {5, 9, 5, 5, 20, 21};

    /** Parameters, alone and together. */
    enum Case {
        PLAIN(b -> {}),
        TEMPERATURE_LOW(b -> b.temperature(0.5f)),
        TEMPERATURE_HIGH(b -> b.temperature(2.2f)),
        TOP_K(b -> b.topK(6)),
        TOP_P(b -> b.topP(0.75f)),
        MIN_P(b -> b.minP(0.1f)),
        PRESENCE(b -> b.presencePenalty(1.8f)),
        FREQUENCY(b -> b.frequencyPenalty(0.9f)),
        REPETITION(b -> b.repetitionPenalty(1.8f)),
        LOGIT_BIAS(b -> b.logitBias(new int[] {0, 5, 39}, new float[] {1.5f, -2, 0.7f})),
        LOGIT_BIAS_OF_100(b -> b.logitBias(new int[] {0, 1, 2}, new float[] {100, 100, -100})),
        BAD_WORDS(b -> b.badWords(List.of(
                new int[] {3}, // always
                new int[] {20, 21, 6}, // now
                new int[] {5, 5, 20, 21, 8}, // now
                new int[] {21, 21, 9}, // not now
                new int[] {2, 5, 9, 5, 5, 20, 21, 10}))), // would be now if the prompt counted
        ALLOWED_TOKEN_IDS(b -> b.allowedTokenIds(new int[] {39, 1, 5, 17, 18, 20})),
        MIN_TOKENS(b -> b.minTokens(7).stopTokenIds(new int[] {1, 2})),
        MIN_TOKENS_REACHED(b -> b.minTokens(6).stopTokenIds(new int[] {1, 2})),
        MIN_TOKENS_IGNORING_EOS(b -> b.minTokens(7).ignoreEos(true)),
        ALL(b -> b.temperature(1.2f)
                .topK(25)
                .topP(0.97f)
                .minP(0.02f)
                .presencePenalty(0.3f)
                .frequencyPenalty(0.2f)
                .repetitionPenalty(1.1f)
                .minTokens(7)
                .logitBias(new int[] {12, 13}, new float[] {1, -1})
                .badWords(List.of(new int[] {21, 14}))
                .allowedTokenIds(new int[] {1, 5, 9, EOS, 12, 13, 14, 15, 16, 20, 21, 22, 30, 31, 32, 33}));

        @SuppressWarnings("ImmutableEnumChecker") // the lambdas above hold nothing
        private final Consumer<SamplingParamsBuilder> settings;

        Case(Consumer<SamplingParamsBuilder> settings) {
            this.settings = settings;
        }
    }

    private final float[] logits = logits();
    private final LoopFixture engine = new LoopFixture(FixedLogits.parts(
            logits, new int[] {EOS}, new SchedulerConfig(4000, 64, 64, 512, 16_384, Policy.FCFS, 1.0, true, 0)));

    @ParameterizedTest
    @EnumSource
    void drawsFromTheNaiveSamplersDistribution(Case parameters) {
        SamplingParamsBuilder builder = SamplingParams.builder().maxTokens(OUTPUT.length + 1);
        parameters.settings.accept(builder);
        SamplingParams params = builder.build();
        DrawCounter counter = draw(params, NUM_DRAWS);
        Distributions.assertFits(counter.counts, NaiveSampler.distribution(logits, naiveBatch(params), 0, 0));
    }

    @Test
    void requestsOfNeighbouringSeedsAreIndependent() {
        DrawCounter counter = draw(
                SamplingParams.builder()
                        .maxTokens(OUTPUT.length + 1)
                        .allowedTokenIds(new int[] {0, 1, 2, 3, 4, 5})
                        .build(),
                2 * NUM_DRAWS);
        double[] expected = new double[6];
        double total = 0;
        for (int id = 0; id < 6; id++) {
            total += Math.exp(logits[id]);
        }
        for (int id = 0; id < 6; id++) {
            expected[id] = Math.exp(logits[id]) / total;
        }
        int[] pairs = new int[36];
        for (int i = 0; i < 2 * NUM_DRAWS; i += 2) {
            pairs[6 * counter.firstToken[i] + counter.firstToken[i + 1]]++;
        }
        Distributions.assertIndependent(pairs, expected);
    }

    private DrawCounter draw(SamplingParams params, int numDraws) {
        DrawCounter counter = new DrawCounter(VOCAB_SIZE, numDraws);
        Session session = engine.open(counter);
        for (int id = 0; id < numDraws; id++) {
            session.submit(GenerationRequest.builder(
                            id, PROMPT, params.toBuilder().seed(id).build())
                    .outputIds(OUTPUT)
                    .build());
            while (id - counter.numEnded() >= BATCH) {
                engine.loop.doWork();
            }
        }
        while (counter.numEnded() < numDraws) {
            engine.loop.doWork();
        }
        engine.parts.backend().close();
        return counter;
    }

    /** What the sampler should be told, found without the engine. */
    private static SamplingBatch naiveBatch(SamplingParams params) {
        SamplingBatch batch = new SamplingBatch(1);
        batch.numEntries = 1;
        batch.temperature[0] = params.temperature();
        batch.topP[0] = params.topP();
        batch.topK[0] = params.topK();
        batch.minP[0] = params.minP();
        batch.presencePenalty[0] = params.presencePenalty();
        batch.frequencyPenalty[0] = params.frequencyPenalty();
        batch.repetitionPenalty[0] = params.repetitionPenalty();
        batch.tokens[0] = Arrays.copyOf(PROMPT, PROMPT.length + OUTPUT.length);
        System.arraycopy(OUTPUT, 0, batch.tokens[0], PROMPT.length, OUTPUT.length);
        batch.promptLen[0] = PROMPT.length;
        batch.outputLen[0] = OUTPUT.length;
        batch.biasIds[0] = params.rules().biasIds();
        batch.biasValues[0] = params.rules().biasValues();
        batch.allowedIds[0] = params.rules().allowedIds();
        batch.bannedIds[0] = bannedIds(params);
        batch.numBanned[0] = batch.bannedIds[0].length;
        return batch;
    }

    private static int[] bannedIds(SamplingParams params) {
        int[] banned = new int[VOCAB_SIZE];
        int num = 0;
        for (int id = 0; id < VOCAB_SIZE; id++) {
            int candidate = id;
            boolean isEnd = (id == EOS && !params.ignoreEos())
                    || Arrays.stream(params.stopTokenIds()).anyMatch(stop -> stop == candidate);
            int[] output = Arrays.copyOf(OUTPUT, OUTPUT.length + 1);
            output[OUTPUT.length] = id;
            boolean isBad = params.rules().badWords().stream().anyMatch(word -> endsWith(output, word));
            if (isBad || (isEnd && OUTPUT.length < params.minTokens())) {
                banned[num++] = id;
            }
        }
        return Arrays.copyOf(banned, num);
    }

    private static boolean endsWith(int[] tokens, int[] word) {
        return tokens.length >= word.length
                && Arrays.equals(Arrays.copyOfRange(tokens, tokens.length - word.length, tokens.length), word);
    }

    private static float[] logits() {
        Random random = new Random(5);
        float[] logits = new float[VOCAB_SIZE];
        for (int id = 0; id < VOCAB_SIZE; id++) {
            logits[id] = (float) random.nextGaussian();
        }
        return logits;
    }

    @Test
    void theCasesDifferFromThePlainDistribution() {
        SamplingParams plain =
                SamplingParams.builder().maxTokens(OUTPUT.length + 1).build();
        double[] plainDistribution = NaiveSampler.distribution(logits, naiveBatch(plain), 0, 0);
        for (Case parameters : Case.values()) {
            SamplingParamsBuilder builder = SamplingParams.builder().maxTokens(OUTPUT.length + 1);
            parameters.settings.accept(builder);
            double[] distribution = NaiveSampler.distribution(logits, naiveBatch(builder.build()), 0, 0);
            boolean isNeutral = parameters == Case.PLAIN
                    || parameters == Case.MIN_TOKENS_REACHED
                    || parameters == Case.MIN_TOKENS_IGNORING_EOS;
            assertThat(Arrays.equals(distribution, plainDistribution))
                    .as(parameters.name())
                    .isEqualTo(isNeutral);
        }
    }
}
