package io.radixflow.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class HostSamplerTest {

    private static final float MASKED = Float.NEGATIVE_INFINITY;

    private final SamplingBatch batch = SamplingRows.neutral(1);

    @Test
    void greedyTakesTheLargestLogitAndOfEqualOnesTheLowestId() {
        batch.temperature[0] = 0;
        assertThat(draw(1, 3, 2, 3)).isEqualTo(1);
        assertThat(draw(-5, MASKED, -5)).isEqualTo(0);
        assertThat(draw(MASKED, -1e30f)).isEqualTo(1);
        batch.temperature[0] = 5;
        batch.topK[0] = 1;
        assertThat(draw(1, 3, 2, 3)).isEqualTo(1);
    }

    @Test
    void readsTheRowAtItsOffset() {
        batch.temperature[0] = 0;
        float[] logits = {9, 9, 1, 2, 1, 9};
        assertThat(new HostSampler(3).draw(logits, 2, 3, batch, 0)).isEqualTo(1);
    }

    @Test
    void repetitionPenaltyCountsPromptAndOutputOnce() {
        batch.temperature[0] = 0;
        batch.repetitionPenalty[0] = 2;
        sequence(new int[] {0, 0}, 1, 1);
        assertThat(draw(3, -1, 1.4f)).isEqualTo(0); // 3 / 2, although token 0 occurs twice
        assertThat(draw(3, -1, 1.6f)).isEqualTo(2);
        sequence(new int[] {1}, 1, 0);
        assertThat(draw(-2, -1.5f, MASKED)).isEqualTo(0); // -1.5 * 2
    }

    @Test
    void aTinyRepetitionPenaltyDoesNotOverflow() {
        batch.repetitionPenalty[0] = Float.MIN_VALUE;
        sequence(new int[] {1}, 1, 0);
        assertThat(draw(30, 20, 10)).isEqualTo(1);
        batch.topP[0] = 0.5f;
        assertThat(draw(30, 20, MASKED)).isEqualTo(1);
    }

    @Test
    void presenceAndFrequencyPenaltiesCountTheOutputAlone() {
        batch.temperature[0] = 0;
        batch.presencePenalty[0] = 1;
        batch.frequencyPenalty[0] = 0.5f;
        sequence(new int[] {0, 0, 0}, 3, 0);
        assertThat(draw(3, 2.9f)).isEqualTo(0);
        sequence(new int[] {0, 0, 0}, 1, 2);
        assertThat(draw(3, 1.1f)).isEqualTo(1); // 3 - 2 * 0.5 - 1
        assertThat(draw(3, 0.9f)).isEqualTo(0);
        batch.presencePenalty[0] = -2;
        batch.frequencyPenalty[0] = 0;
        assertThat(draw(1, 2.9f)).isEqualTo(0); // a negative penalty raises
    }

    @Test
    void leavesNoCountsToTheNextDraw() {
        batch.temperature[0] = 0;
        batch.repetitionPenalty[0] = 2;
        batch.frequencyPenalty[0] = 2;
        sequence(new int[] {0, 1, 0}, 1, 2);
        HostSampler sampler = new HostSampler(3);
        for (int i = 0; i < 3; i++) {
            assertThat(sampler.draw(new float[] {8, 8, 1.9f}, 0, 3, batch, 0)).isEqualTo(0);
            assertThat(sampler.draw(new float[] {8, 8, 2.1f}, 0, 3, batch, 0)).isEqualTo(2);
        }
    }

    @Test
    void neverDrawsBannedIdsAndIgnoresThoseOutsideTheVocabulary() {
        SamplingRows.ban(batch, 0, 1, 700, 2);
        for (int position = 0; position < 1000; position++) {
            batch.position[0] = position;
            assertThat(draw(1, 9, 9, 1)).isIn(0, 3);
        }
    }

    @Test
    void cutsTiesAtTheLowestIds() {
        float[] equal = new float[5000];
        batch.topK[0] = 10;
        assertThat(largestIdDrawn(equal)).isEqualTo(9);
        batch.topK[0] = -1;
        batch.topP[0] = 0.002f;
        assertThat(largestIdDrawn(equal)).isEqualTo(10); // 0.002f is a bit more than 10 / 5000
        batch.topP[0] = 1;
        batch.minP[0] = 1;
        assertThat(largestIdDrawn(equal)).isGreaterThan(4900);
    }

    @Test
    void distinguishesTokensThatDifferInTheLastBit() {
        float[] logits = new float[300];
        Arrays.fill(logits, 8);
        for (int id = 100; id < 300; id++) {
            logits[id] = Math.nextDown(8f) - (id - 100) * 1e-4f;
        }
        batch.topK[0] = 101;
        assertThat(largestIdDrawn(logits)).isEqualTo(100);
    }

    @Test
    void takesNegativeZeroForZero() {
        batch.topK[0] = 2;
        assertThat(largestIdDrawn(new float[] {-0f, 0f, 0f})).isEqualTo(1);
    }

    @Test
    void drawsNothingThatIsMaskedEvenIfTopKAsksForMore() {
        batch.topK[0] = 3;
        for (int position = 0; position < 1000; position++) {
            batch.position[0] = position;
            assertThat(draw(MASKED, 1, MASKED, -200, MASKED)).isEqualTo(1);
        }
    }

    @Test
    void repeatsTheDrawOfASeedAndPositionWhateverElseHappens() {
        Random random = new Random(3);
        float[] logits = randomLogits(random, 1000);
        batch.temperature[0] = 2;
        batch.topP[0] = 0.9f;
        int[] first = new int[50];
        for (int round = 0; round < 2; round++) {
            for (int position = 0; position < first.length; position++) {
                batch.seed[0] = 99;
                batch.position[0] = position;
                int id = draw(logits.clone());
                assertThat(round == 0 ? id : first[position]).isEqualTo(id);
                first[position] = id;
                batch.seed[0] = random.nextLong();
                draw(logits.clone());
            }
        }
        assertThat(Arrays.stream(first).distinct().count()).isGreaterThan(10);
    }

    @Test
    void namesTheTokenAndEntryOfALogitThatIsNoNumber() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> draw(1, 2, bad, 0))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.category()).isEqualTo(Category.INVARIANT))
                    .hasMessage("logit of token 2 is " + bad + " in batch entry 0");
        }
        assertThatThrownBy(() -> draw(MASKED, MASKED)).hasMessage("no token has a finite logit in batch entry 0");
    }

    @Test
    void exponentialIsCloseToTheExactOne() {
        assertThat(Exponential.ofMinus(0)).isEqualTo(1);
        assertThat(Exponential.ofMinus(Float.POSITIVE_INFINITY)).isZero();
        for (float x = 0; x < 87; x += 1 / 1024f) {
            double exact = Math.exp(-(double) x);
            assertThat(Exponential.ofMinus(x) / exact).isCloseTo(1, within(2e-7));
        }
    }

    @Test
    void allocatesNothing() {
        SamplingBatch entries = SamplingRows.neutral(4);
        entries.topK[1] = 40;
        entries.topP[1] = 0.9f;
        entries.minP[2] = 0.05f;
        entries.repetitionPenalty[3] = 1.1f;
        entries.frequencyPenalty[3] = 0.3f;
        entries.tokens[3] = new int[] {5, 6, 7, 5};
        entries.promptLen[3] = 1;
        entries.outputLen[3] = 3;
        SamplingRows.ban(entries, 3, 1);
        float[] rows = randomLogits(new Random(1), 4 * 2000);
        float[] logits = new float[rows.length];
        HostSampler sampler = new HostSampler(2000);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        drawAll(sampler, rows, logits, entries);
        threads.getThreadAllocatedBytes(thread);
        long before = threads.getThreadAllocatedBytes(thread);
        drawAll(sampler, rows, logits, entries);
        assertThat(threads.getThreadAllocatedBytes(thread) - before).isZero();
    }

    private static void drawAll(HostSampler sampler, float[] rows, float[] logits, SamplingBatch entries) {
        for (int i = 0; i < 200; i++) {
            System.arraycopy(rows, 0, logits, 0, rows.length);
            for (int entry = 0; entry < 4; entry++) {
                entries.position[entry] = i;
                sampler.draw(logits, entry * 2000, 2000, entries, entry);
            }
        }
    }

    private int draw(float... logits) {
        return new HostSampler(logits.length).draw(logits, 0, logits.length, batch, 0);
    }

    private int largestIdDrawn(float[] logits) {
        HostSampler sampler = new HostSampler(logits.length);
        int largest = 0;
        for (int position = 0; position < 2000; position++) {
            batch.position[0] = position;
            largest = Math.max(largest, sampler.draw(logits.clone(), 0, logits.length, batch, 0));
        }
        return largest;
    }

    private void sequence(int[] tokens, int promptLen, int outputLen) {
        batch.tokens[0] = tokens;
        batch.promptLen[0] = promptLen;
        batch.outputLen[0] = outputLen;
    }

    static float[] randomLogits(Random random, int size) {
        float[] logits = new float[size];
        for (int id = 0; id < size; id++) {
            logits[id] = (float) random.nextGaussian() * 3;
        }
        return logits;
    }
}
