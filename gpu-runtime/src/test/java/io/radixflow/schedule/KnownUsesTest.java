package io.radixflow.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.cache.EvictionOrder;
import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.engine.CacheNamespace;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schedule.SchedulerConfig.Policy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Bounded runs over documents that many requests share, each announced with its number of requests. Hits are compared with those of computing
 * each document once.
 */
class KnownUsesTest {

    private static final int USES = 50;
    private static final int OUTPUT_LEN = 4;
    private static final int NUM_SLOTS = 3_276;
    private static final int MAX_WAITING = 128;

    /** Documents with short questions; the pool has room for a tenth of them. */
    private static final Workload QUESTIONS = new Workload(64, 512, 16);
    /** Instructions that the pool has room for, with long texts that nobody else needs. */
    private static final Workload LONG_TEXTS = new Workload(8, 256, 400);

    private record Workload(int numDocuments, int documentLen, int ownLen) {}

    /** In which order the requests come: by document, in turns over the documents, or shuffled. */
    private enum Arrival {
        BY_DOCUMENT,
        IN_TURNS,
        SHUFFLED
    }

    @Test
    void reachesTheBestPossibleHitRate() {
        for (Arrival arrival : Arrival.values()) {
            for (Policy policy : new Policy[] {Policy.FCFS, Policy.LPM, Policy.DFS_WEIGHT}) {
                double lru = shareOfBest(QUESTIONS, arrival, config(policy, EvictionOrder.LRU), MAX_WAITING);
                double known = shareOfBest(QUESTIONS, arrival, config(policy, EvictionOrder.KNOWN_USES), MAX_WAITING);
                System.out.printf(
                        "%s, %s, %d waiting: lru %.1f %%, known-uses %.1f %% of the best possible hits%n",
                        arrival, policy, MAX_WAITING, 100 * lru, 100 * known);
                assertThat(known).isGreaterThan(lru - 0.01);
                if (arrival == Arrival.BY_DOCUMENT) {
                    assertThat(known).isGreaterThan(0.98);
                }
            }
        }
    }

    @Test
    void reachesItInAnyOrderIfAllWait() {
        for (Arrival arrival : Arrival.values()) {
            double lru =
                    shareOfBest(QUESTIONS, arrival, config(Policy.DFS_WEIGHT, EvictionOrder.LRU), Integer.MAX_VALUE);
            double known = shareOfBest(
                    QUESTIONS, arrival, config(Policy.DFS_WEIGHT, EvictionOrder.KNOWN_USES), Integer.MAX_VALUE);
            System.out.printf(
                    "%s, dfs-weight, all waiting: lru %.1f %%, known-uses %.1f %% of the best possible hits%n",
                    arrival, 100 * lru, 100 * known);
            assertThat(known).isGreaterThan(0.98);
        }
    }

    @Test
    void keepsWhatIsNeededWhileLongTextsPassThrough() {
        double lru = shareOfBest(LONG_TEXTS, Arrival.SHUFFLED, config(Policy.FCFS, EvictionOrder.LRU), MAX_WAITING);
        double known =
                shareOfBest(LONG_TEXTS, Arrival.SHUFFLED, config(Policy.FCFS, EvictionOrder.KNOWN_USES), MAX_WAITING);
        System.out.printf(
                "long texts, fcfs: lru %.1f %%, known-uses %.1f %% of the best possible hits%n",
                100 * lru, 100 * known);
        assertThat(known).isGreaterThan(0.98).isGreaterThan(lru);
    }

    private static SchedulerConfig config(Policy policy, EvictionOrder order) {
        return new SchedulerConfig(NUM_SLOTS, 1024, 2, 512, 16_384, policy, 1.0, true, 0).withCache(1, order);
    }

    private static double shareOfBest(Workload work, Arrival arrival, SchedulerConfig config, int maxWaiting) {
        SchedulerRun run = new SchedulerRun(config);
        Random random = new Random(1);
        int[][] documents = new int[work.numDocuments()][];
        ExpectedPrompt[] announcements = new ExpectedPrompt[work.numDocuments()];
        for (int i = 0; i < work.numDocuments(); i++) {
            documents[i] = random.ints(work.documentLen(), 0, 50_000).toArray();
            announcements[i] = run.scheduler.announce(CacheNamespace.COMMON, documents[i], USES);
        }
        List<Integer> turns = turns(work.numDocuments(), arrival, random);
        int next = 0;
        while (run.numEnded < turns.size()) {
            while (next < turns.size() && run.scheduler.numWaiting() < maxWaiting) {
                int document = turns.get(next);
                int[] prompt = Arrays.copyOf(documents[document], work.documentLen() + work.ownLen());
                for (int i = work.documentLen(); i < prompt.length; i++) {
                    prompt[i] = random.nextInt(50_000);
                }
                run.scheduler.addAnnounced(
                        new Sequence(new GenerationRequest(next++, prompt, SamplingParams.greedy(OUTPUT_LEN))),
                        announcements[document]);
            }
            run.step();
        }
        run.scheduler.checkIntegrity();
        assertThat(run.aborted).isEmpty();
        assertThat(announcements).allMatch(announcement -> announcement.numUses() == 0);
        long best = (long) work.numDocuments() * (USES - 1) * work.documentLen();
        return (double) run.scheduler.counters().cachedTokens() / best;
    }

    private static List<Integer> turns(int numDocuments, Arrival arrival, Random random) {
        List<Integer> turns = new ArrayList<>();
        for (int i = 0; i < numDocuments * USES; i++) {
            turns.add(arrival == Arrival.IN_TURNS ? i % numDocuments : i / USES);
        }
        if (arrival == Arrival.SHUFFLED) {
            Collections.shuffle(turns, random);
        }
        return turns;
    }
}
