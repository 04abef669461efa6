package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
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
        Routed routed = new Routed(4);
        int first = routed.engine(0, SYSTEM + " A");
        for (int i = 0; i < 20; i++) {
            assertThat(routed.engine(i, SYSTEM + " ticket " + i)).isEqualTo(first);
        }
    }

    @Test
    void agreesWithOtherRouters() {
        Routed one = new Routed(3);
        Routed other = new Routed(3);
        for (int i = 0; i < 50; i++) {
            assertThat(one.engine(i, "prompt " + i)).isEqualTo(other.engine(i, "prompt " + i));
        }
    }

    @Test
    void spreadsAHotPrefixWithinTheBoundWhileNoReportHasCome() {
        Routed routed = new Routed(4);
        for (int i = 0; i < 20_000; i++) {
            routed.engine(i, SYSTEM + i);
        }
        long mean = LongStream.of(routed.work).sum() / 4;
        assertThat(LongStream.of(routed.work).max().orElseThrow())
                .isLessThan((long) (PrefixRouter.LOAD_FACTOR * mean) + 2L * PrefixRouter.SLACK_TOKENS);
    }

    @Test
    void keepsAHotPrefixAtItsHomeWhenTheWorkIsDone() {
        Routed routed = new Routed(4);
        int home = routed.engine(0, SYSTEM);
        for (int i = 0; i < 2_000; i++) {
            routed.engine(i, SYSTEM + i);
        }
        assertThat(routed.engine(0, SYSTEM)).as("while all are loaded").isNotEqualTo(home);
        routed.reportAllDone();
        for (int i = 0; i < 20; i++) {
            assertThat(routed.engine(i, SYSTEM + i)).isEqualTo(home);
        }
    }

    @Test
    void avoidsAnEngineThatReportsWorkOfOthers() {
        Routed routed = new Routed(4);
        int home = routed.engine(0, SYSTEM);
        routed.report(home, 100_000);

        int other = routed.engine(1, SYSTEM + 1);
        assertThat(other).isNotEqualTo(home);
        assertThat(routed.engine(2, SYSTEM + 2))
                .as("a second choice sticks as well")
                .isEqualTo(other);
    }

    @Test
    void spreadsContinuationsOfAHotPrefixAsWholes() {
        String root = SYSTEM.repeat(4);
        Routed routed = new Routed(8);
        for (int group = 0; group < 8; group++) {
            routed.engine(0, continuation(root, group));
        }
        routed.report(routed.engine(0, root), 1_000_000);
        Set<Integer> used = new HashSet<>();
        for (int group = 0; group < 8; group++) {
            int engine = routed.engine(0, continuation(root, group) + "first");
            used.add(engine);
            assertThat(routed.engine(1, continuation(root, group) + "second")).isEqualTo(engine);
        }
        assertThat(used).as("engines of eight continuations").hasSizeGreaterThan(2);
    }

    private static String continuation(String root, int group) {
        return root + Integer.toString(group).repeat(128);
    }

    @Test
    void countsOnlyTokensThatAreNewAsWork() {
        Routed routed = new Routed(2);
        String prompt = "x".repeat(1024);
        assertThat(routed.route(0, prompt + "a").newTokens()).isEqualTo(1025);
        assertThat(routed.route(1, prompt + "b").newTokens()).isEqualTo(1);
        assertThat(routed.route(1, "y" + prompt).newTokens()).isEqualTo(1025);
    }

    @Test
    void spreadsDifferentPrefixesOverAllEngines() {
        Routed routed = new Routed(4);
        Random random = new Random(7);
        int[] count = new int[4];
        for (int i = 0; i < 400; i++) {
            count[routed.engine(i, "p" + random.nextLong())]++;
        }
        assertThat(IntStream.of(count).boxed()).allMatch(num -> num >= 60 && num <= 140);
    }

    @Test
    void derivesSeedsFromIdentityAndConfiguredSeed() {
        assertThat(RequestSeed.derive(0, "a")).isEqualTo(RequestSeed.derive(0, "a"));
        assertThat(RequestSeed.derive(0, "a")).isNotEqualTo(RequestSeed.derive(0, "b"));
        assertThat(RequestSeed.derive(0, "a")).isNotEqualTo(RequestSeed.derive(1, "a"));
    }

    /** A router and what it sent to engines that report when told. */
    private static final class Routed {

        private final int[] keys;
        private final RouterLoads loads;
        private final PrefixRouter router;
        private final long[] work;

        private Routed(int numEngines) {
            keys = EngineKeys.forParallelism(numEngines);
            loads = new RouterLoads(1, numEngines);
            router = new PrefixRouter(keys, loads, new SeenPrefixes());
            work = new long[numEngines];
        }

        private RoutedRequest route(long offset, String prompt) {
            return router.route(Prompts.prepared(offset, prompt, Prompts.exactly(5)));
        }

        private int engine(long offset, String prompt) {
            RoutedRequest routed = route(offset, prompt);
            int engine = 0;
            while (keys[engine] != routed.routingKey()) {
                engine++;
            }
            work[engine] += routed.work();
            return engine;
        }

        private void reportAllDone() {
            report(0, 0);
        }

        /** All that was sent has come; one engine has so much to do. */
        private void report(int engine, long outstanding) {
            long[] reply = new long[LoadBoard.replyLen(work.length)];
            reply[engine] = outstanding;
            System.arraycopy(work, 0, reply, work.length, work.length);
            loads.onReply(reply);
        }
    }
}
