package io.radixflow.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schedule.SchedulerConfig.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What happens at the limits: a pool just large enough, a pool too small, a long prompt among many, a prefix that everybody wants. */
class SchedulerLimitsTest {

    private final Random random = new Random(1);
    private long nextId;

    @Test
    void aPromptOfThePoolsSizeFitsAndOneTokenMoreIsRefused() {
        int len = 64;
        assertThatThrownBy(() -> Scheduler.checkFits(request(len, 1), 1000, len - 1))
                .hasMessageContaining("prompt of 64 tokens needs as many KV slots, the pool has 63");
        for (int extra = 0; extra <= 1; extra++) {
            SchedulerRun run = new SchedulerRun(config(len + extra, 4, Policy.LPM, 1.0));
            Scheduler.checkFits(request(len, 1), 1000, len + extra);
            Sequence fits = add(run, len, 1 + extra); // the token drawn last needs no slot
            run.drain();
            assertThat(fits.outputLen()).isEqualTo(1 + extra);
            assertThat(run.aborted).isEmpty();
            Sequence outgrows = add(run, len, 10);
            run.drain();
            assertThat(outgrows.outputLen()).isEqualTo(1 + extra);
            assertThat(run.aborted).containsExactly(outgrows);
            run.scheduler.flushCache();
            run.scheduler.checkNothingLeft();
        }
    }

    @Test
    void afterAFullPoolDrainsItIsAsFastAsBefore() {
        SchedulerRun run = new SchedulerRun(config(4_000, 32, Policy.LPM, 0.05)); // admits far too many
        int before = steps(run, 64, 40, 60);
        long retractions = run.scheduler.counters().numRetractions();
        for (int i = 0; i < 64; i++) {
            add(run, 40, 700);
        }
        run.drain();
        assertThat(run.scheduler.counters().numRetractions()).isGreaterThan(retractions);
        int after = steps(run, 64, 40, 60);
        System.out.printf("steps for the same work: %d, after a full pool %d%n", before, after);
        assertThat(before / (double) after).isGreaterThanOrEqualTo(0.95);
    }

    @Test
    void retractionsEnd() {
        SchedulerRun run = new SchedulerRun(config(1_000, 32, Policy.LPM, 0.02));
        List<Sequence> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            all.add(add(run, 20, 400));
        }
        run.drain();
        int most = 0;
        for (Sequence sequence : all) {
            assertThat(sequence.outputLen()).isEqualTo(400);
            most = Math.max(most, sequence.numRetractions);
        }
        System.out.printf(
                "100 requests of 420 tokens in 1,000 slots: %d retractions, at most %d of one request, %d steps%n",
                run.scheduler.counters().numRetractions(), most, run.numSteps);
        assertThat(most).isBetween(1, PrefillPlanner.MAX_RETRACTIONS);
        assertThat(run.aborted).isEmpty();
    }

    @Test
    void whoWasRetractedOftenEnoughIsNotRetractedAgain() {
        assertThat(retractionsOfTheYoungest(0)).isPositive();
        assertThat(retractionsOfTheYoungest(PrefillPlanner.MAX_RETRACTIONS)).isEqualTo(PrefillPlanner.MAX_RETRACTIONS);
    }

    private int retractionsOfTheYoungest(int before) {
        SchedulerRun run = new SchedulerRun(config(1_000, 32, Policy.FCFS, 0.02));
        add(run, 20, 400);
        add(run, 20, 400);
        Sequence youngest = add(run, 20, 600);
        youngest.numRetractions = before;
        run.drain();
        assertThat(youngest.outputLen()).isEqualTo(600);
        return youngest.numRetractions;
    }

    /** A step is taken to last 10 ms and 0.05 ms a token: a chunk of 256 tokens costs about as much as the batch that decodes. */
    @Test
    void aLongPromptNeverStallsThoseThatDecode() {
        SchedulerRun run =
                new SchedulerRun(new SchedulerConfig(100_000, 40_000, 65, 256, 16_384, Policy.LPM, 1.0, true, 0));
        for (int i = 0; i < 64; i++) {
            add(run, 16, 1_000);
        }
        while (run.step().numDecode() < 64) {
            assertThat(run.numSteps).isLessThan(100);
        }
        double alone = stepMillis(run.step());
        Sequence late = add(run, 32_768, 1);
        List<Double> gaps = new ArrayList<>();
        while (late.outputLen() == 0) {
            StepPlan plan = run.step();
            assertThat(plan.numDecode()).isEqualTo(64);
            gaps.add(stepMillis(plan));
        }
        gaps.sort(null);
        double p99 = gaps.get((int) (0.99 * gaps.size()));
        System.out.printf(
                "32,768 tokens among 64 that decode: %d steps, p99 between tokens %.1f ms, alone %.1f ms%n",
                gaps.size(), p99, alone);
        assertThat(p99).isLessThan(3 * alone);
    }

    private static double stepMillis(StepPlan plan) {
        return 10 + 0.05 * (plan.numDecode() + plan.numPrefillTokens());
    }

    /**
     * Sixteen requests for a prefix that is always cached wait at any time, so a policy of its own would never take the others, of which one
     * comes with each 1,000 admissions.
     */
    @ParameterizedTest
    @EnumSource(
            value = Policy.class,
            names = {"FCFS"},
            mode = EnumSource.Mode.EXCLUDE)
    void nobodyWaitsLongerThanTheBound(Policy policy) {
        int numAdmissions = 30_000;
        SchedulerRun run = new SchedulerRun(config(10_000, 8, policy, 1.0));
        int[] hot = random.ints(64, 0, 50_000).toArray();
        List<Sequence> cold = new ArrayList<>();
        List<Integer> startedAtArrival = new ArrayList<>();
        List<Integer> mostToWait = new ArrayList<>();
        while (run.started.size() < numAdmissions) {
            if (run.started.size() / 1_000 > cold.size()) {
                startedAtArrival.add(run.started.size());
                mostToWait.add(WaitingQueue.MAX_AHEAD * (run.scheduler.numWaiting() + run.scheduler.numRunning() + 1));
                cold.add(addHotOrCold(run, hot, false));
            }
            while (run.scheduler.numWaiting() < 16 + cold.size()) {
                addHotOrCold(run, hot, true);
            }
            run.step();
        }
        List<Integer> waits = new ArrayList<>();
        int within = 0;
        for (int i = 0; i < cold.size(); i++) {
            int startedAs = run.started.indexOf(cold.get(i));
            waits.add((startedAs < 0 ? numAdmissions : startedAs) - startedAtArrival.get(i));
            boolean isLate = waits.get(i) > mostToWait.get(i);
            within += isLate ? 0 : 1;
        }
        waits.sort(null);
        System.out.printf(
                "%s: %d of %d start within the bound, the longest wait is %d admissions, the median %d%n",
                policy, within, cold.size(), waits.get(waits.size() - 1), waits.get(waits.size() / 2));
        assertThat(within).isEqualTo(cold.size());
        assertThat(waits.get(waits.size() / 2)).isLessThan(2_000);
    }

    private Sequence addHotOrCold(SchedulerRun run, int[] hot, boolean isHot) {
        int[] prompt = random.ints(80, 0, 50_000).toArray();
        if (isHot) {
            System.arraycopy(hot, 0, prompt, 0, hot.length);
        }
        SamplingParams params = SamplingParams.greedy(isHot ? 2 : 1);
        Sequence sequence = new Sequence(GenerationRequest.builder(nextId++, prompt, params)
                .priority(isHot ? 1 : 0)
                .build());
        run.scheduler.add(sequence);
        return sequence;
    }

    private int steps(SchedulerRun run, int num, int promptLen, int outputLen) {
        int before = run.numSteps;
        for (int i = 0; i < num; i++) {
            add(run, promptLen, outputLen);
        }
        run.drain();
        return run.numSteps - before;
    }

    private Sequence add(SchedulerRun run, int promptLen, int outputLen) {
        Sequence sequence = new Sequence(request(promptLen, outputLen));
        run.scheduler.add(sequence);
        return sequence;
    }

    private GenerationRequest request(int promptLen, int outputLen) {
        int[] prompt = random.ints(promptLen, 0, 50_000).toArray();
        return new GenerationRequest(nextId++, prompt, SamplingParams.greedy(outputLen));
    }

    private static SchedulerConfig config(int numSlots, int maxRunning, Policy policy, double conservativeness) {
        return new SchedulerConfig(numSlots, 1_000, maxRunning, 512, 16_384, policy, conservativeness, true, 0);
    }
}
