package io.radixflow.operators;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the engines and routers of a job have last said of the work that they sent, got and still have. Lives in the job's master on
 * the JobManager, on its one thread; a new master begins with an empty one, which the next reports fill.
 *
 * <p>Reports and replies are plain numbers, since Flink's remote calls know no classes of a job. An engine's report is
 * {@code [0, engine, outstanding, (routerId, received)*]}, a router's {@code [1, router, numRouters, routerId, sent of each engine]};
 * sent and received count all work of a router since it started. The reply to a router has for each engine what is outstanding there or
 * on the way from other routers, then for each engine how much it has received of the router, and last how many routers have sent
 * something lately. Engines get an empty one.
 */
final class LoadBoard {

    /** By which all find the board of their job. */
    static final String NAME = "radixflow-engine-loads";

    private static final long ENGINE = 0;
    private static final long ROUTER = 1;
    private static final int ENGINE_HEAD = 3;
    private static final int ROUTER_HEAD = 4;

    private final Map<Integer, EngineEntry> engines = new HashMap<>();
    private final Map<Integer, RouterEntry> routers = new HashMap<>();
    private long[] reply = new long[0];

    private record EngineEntry(long outstanding, Map<Long, Long> received) {}

    private record RouterEntry(long id, long[] sent, boolean isActive) {}

    static long[] engineReport(int engine, long outstanding, Map<Long, Long> received) {
        long[] report = new long[ENGINE_HEAD + 2 * received.size()];
        report[0] = ENGINE;
        report[1] = engine;
        report[2] = outstanding;
        int at = ENGINE_HEAD;
        for (Map.Entry<Long, Long> entry : received.entrySet()) {
            report[at++] = entry.getKey();
            report[at++] = entry.getValue();
        }
        return report;
    }

    static long[] routerReport(int router, int numRouters, long routerId, long[] sent) {
        long[] report = new long[ROUTER_HEAD + sent.length];
        report[0] = ROUTER;
        report[1] = router;
        report[2] = numRouters;
        report[3] = routerId;
        System.arraycopy(sent, 0, report, ROUTER_HEAD, sent.length);
        return report;
    }

    /** Numbers in a reply to a router. */
    static int replyLen(int numEngines) {
        return 2 * numEngines + 1;
    }

    /** Takes a report in and makes the reply to it. */
    void take(long[] report) {
        int index = (int) report[1];
        if (report[0] == ENGINE) {
            Map<Long, Long> received = new HashMap<>();
            for (int at = ENGINE_HEAD; at < report.length; at += 2) {
                received.put(report[at], report[at + 1]);
            }
            engines.put(index, new EngineEntry(report[2], received));
            reply = new long[0];
        } else {
            int numRouters = (int) report[2];
            routers.keySet().removeIf(router -> router >= numRouters); // of a larger job before a rescale
            long[] sent = Arrays.copyOfRange(report, ROUTER_HEAD, report.length);
            RouterEntry before = routers.get(index);
            boolean isActive = before == null || !Arrays.equals(before.sent, sent);
            RouterEntry router = new RouterEntry(report[3], sent, isActive);
            routers.put(index, router);
            reply = replyTo(router);
        }
    }

    long[] reply() {
        return reply;
    }

    private long[] replyTo(RouterEntry asking) {
        int numEngines = asking.sent.length;
        long[] made = new long[replyLen(numEngines)];
        for (int e = 0; e < numEngines; e++) {
            EngineEntry engine = engines.get(e);
            made[e] = engine == null ? 0 : engine.outstanding;
            for (RouterEntry router : routers.values()) {
                if (router.id != asking.id && e < router.sent.length) {
                    made[e] += Math.max(0, router.sent[e] - received(engine, router.id));
                }
            }
            made[numEngines + e] = received(engine, asking.id);
        }
        for (RouterEntry router : routers.values()) {
            made[2 * numEngines] += router.isActive ? 1 : 0;
        }
        return made;
    }

    private static long received(@Nullable EngineEntry engine, long routerId) {
        return engine == null ? 0 : engine.received.getOrDefault(routerId, 0L);
    }

    /** What Flink runs in the job's master for each report. */
    static final class Exchange implements AggregateFunction<long[], LoadBoard, long[]> {

        private static final long serialVersionUID = 1L;

        @Override
        public LoadBoard createAccumulator() {
            return new LoadBoard();
        }

        @Override
        public LoadBoard add(long[] report, LoadBoard board) {
            board.take(report);
            return board;
        }

        @Override
        public long[] getResult(LoadBoard board) {
            return board.reply();
        }

        @Override
        public LoadBoard merge(LoadBoard one, LoadBoard other) {
            throw new UnsupportedOperationException("a job has one board");
        }
    }
}
