package io.radixflow.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.ManualClock;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Prefix order with 100,000 requests waiting: still kept, and cheap. */
class LongQueueTest {

    private static final int NUM_REQUESTS = 100_000;
    private static final int NUM_PREFIXES = 1_000;
    private static final int PREFIX_LEN = 96;
    private static final int OWN_LEN = 16;

    private static final double MOST_MICROS = 50;

    @ParameterizedTest
    @EnumSource(
            value = SchedulerConfig.Policy.class,
            names = {"LPM", "DFS_WEIGHT"})
    void keepsPrefixOrderWhateverTheLength(SchedulerConfig.Policy policy) {
        SchedulerConfig config = new SchedulerConfig(20_000, 1_000, 64, 2_048, 16_384, policy, 1.0, true, 0);
        Scheduler scheduler = new Scheduler(config, new ManualClock(), (sequence, reason) -> {});
        Random random = new Random(1);
        int[][] prefixes = new int[NUM_PREFIXES][];
        for (int i = 0; i < NUM_PREFIXES; i++) {
            prefixes[i] = random.ints(PREFIX_LEN, 0, 50_000).toArray();
        }
        Sequence[] sequences = new Sequence[NUM_REQUESTS];
        for (int i = 0; i < NUM_REQUESTS; i++) {
            int[] prompt = random.ints(PREFIX_LEN + OWN_LEN, 0, 50_000).toArray();
            System.arraycopy(prefixes[random.nextInt(NUM_PREFIXES)], 0, prompt, 0, PREFIX_LEN);
            sequences[i] = new Sequence(new GenerationRequest(i, prompt, SamplingParams.greedy(1)));
        }
        ThreadMXBean threads =
                ManagementFactory.getThreadMXBean(); // CPU time: other work on the machine does not count
        long start = threads.getCurrentThreadCpuTime();
        for (Sequence sequence : sequences) {
            scheduler.add(sequence);
        }
        runAll(scheduler, config.maxRunning());
        double micros = (threads.getCurrentThreadCpuTime() - start) / 1e3 / NUM_REQUESTS;
        long computed = scheduler.counters().computedPromptTokens();
        long least = (long) NUM_PREFIXES * PREFIX_LEN + (long) NUM_REQUESTS * OWN_LEN;
        System.out.printf(
                "%s with %d waiting: %.1f CPU us a request in all, %.3f x the fewest prefill tokens possible%n",
                policy, NUM_REQUESTS, micros, (double) computed / least);
        assertThat(scheduler.counters().numStarted()).isEqualTo(NUM_REQUESTS);
        assertThat((double) computed / least).isLessThan(policy == SchedulerConfig.Policy.DFS_WEIGHT ? 1.05 : 1.2);
        assertThat(micros).isLessThan(MOST_MICROS);
        scheduler.checkIntegrity();
    }

    private static void runAll(Scheduler scheduler, int maxRunning) {
        int[] sampledIds = new int[maxRunning];
        for (StepPlan plan = scheduler.plan(); plan.numSequences() > 0; plan = scheduler.plan()) {
            scheduler.advance(plan);
            scheduler.commit(plan, sampledIds);
            for (int place = 0; place < plan.numSequences(); place++) {
                if (plan.isSampled(place)) {
                    scheduler.end(plan.sequence(place));
                }
            }
        }
    }
}
