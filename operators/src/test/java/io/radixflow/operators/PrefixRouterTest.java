package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.junit.jupiter.api.Test;

class PrefixRouterTest {

    private static final String SYSTEM =
            "You are a careful assistant who labels support tickets by topic and by urgency.";

    @Test
    void findsAKeyForEverySubtask() {
        for (int parallelism : new int[] {1, 2, 3, 8, 100}) {
            int[] keys = EngineKeys.forParallelism(parallelism);
            for (int subtask = 0; subtask < parallelism; subtask++) {
                assertThat(KeyGroupRangeAssignment.assignKeyToParallelOperator(
                                keys[subtask], EngineKeys.MAX_PARALLELISM, parallelism))
                        .isEqualTo(subtask);
            }
        }
    }

    @Test
    void sendsEqualPrefixesToOneEngine() {
        PrefixRouter router = new PrefixRouter(EngineKeys.forParallelism(4));
        int first = router.route(Prompts.prepared(0, SYSTEM + " A", Prompts.exactly(5)));
        for (int i = 0; i < 20; i++) {
            assertThat(router.route(Prompts.prepared(i, SYSTEM + " ticket " + i, Prompts.exactly(5))))
                    .isEqualTo(first);
        }
    }

    @Test
    void agreesWithOtherRouters() {
        PrefixRouter one = new PrefixRouter(EngineKeys.forParallelism(3));
        PrefixRouter other = new PrefixRouter(EngineKeys.forParallelism(3));
        for (int i = 0; i < 50; i++) {
            PreparedRequest request = Prompts.prepared(i, "prompt " + i, Prompts.exactly(5));
            assertThat(one.route(request)).isEqualTo(other.route(request));
        }
    }

    @Test
    void spreadsAHotPrefixWithinTheBound() {
        int parallelism = 4;
        int[] keys = EngineKeys.forParallelism(parallelism);
        PrefixRouter router = new PrefixRouter(keys);
        int[] count = new int[parallelism];
        int numRequests = 20_000;
        for (int i = 0; i < numRequests; i++) {
            int key = router.route(Prompts.prepared(i, SYSTEM + i, Prompts.exactly(5)));
            count[
                    IntStream.range(0, parallelism)
                            .filter(k -> keys[k] == key)
                            .findFirst()
                            .orElseThrow()]++;
        }
        assertThat(IntStream.of(count).max().orElseThrow()).isLessThan((int) (1.3 * numRequests / parallelism));
    }

    @Test
    void spreadsDifferentPrefixesOverAllEngines() {
        int[] keys = EngineKeys.forParallelism(4);
        PrefixRouter router = new PrefixRouter(keys);
        Random random = new Random(7);
        long[] count = new long[1024 * 16];
        for (int i = 0; i < 400; i++) {
            count[router.route(Prompts.prepared(i, "p" + random.nextLong(), Prompts.exactly(5)))]++;
        }
        for (int key : keys) {
            assertThat(count[key]).isBetween(60L, 140L);
        }
    }

    @Test
    void derivesSeedsFromIdentityAndConfiguredSeed() {
        assertThat(RequestSeed.derive(0, "a")).isEqualTo(RequestSeed.derive(0, "a"));
        assertThat(RequestSeed.derive(0, "a")).isNotEqualTo(RequestSeed.derive(0, "b"));
        assertThat(RequestSeed.derive(0, "a")).isNotEqualTo(RequestSeed.derive(1, "a"));
    }
}
