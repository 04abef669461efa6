package io.radixflow.operators;

import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.SamplingParams;
import io.radixflow.schemas.AnswerHead;
import io.radixflow.schemas.Prompt;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A job's way from prefix windows to engines, without Flink and on simulated engines: real windows' order, router, load board, engine loop,
 * scheduler and radix tree, in one thread and virtual time, so that a run gives the same figures on every machine.
 *
 * <p>Records are dealt out to the routers and are all there at the start; each router works off its windows in order. Between a router
 * and an engine lie at most {@value #CHANNEL_RECORDS} records, as in network buffers; a router whose next record finds no room there waits,
 * as a Flink task does. An engine takes records in while fewer wait than may run. Engines and routers report to the board as
 * often as in a job.
 */
public final class RoutingSimulation {

    private static final int CHANNEL_RECORDS = 16;
    private static final long REPORT_NANOS = 200_000_000;

    private final Settings settings;
    private final List<SimulatedTask> engines = new ArrayList<>();
    private final List<Router> routers = new ArrayList<>();
    private final LoadBoard board = new LoadBoard();
    private final int[] keys;
    /** Of {@link RoutingPolicy#WHOLE_INPUT}: what no reader has taken yet. */
    private final Queue<List<PreparedRequest>> ranges = new ArrayDeque<>();

    private final long promptTokens;
    private long nextReportNanos;

    /**
     * What is simulated.
     *
     * @param config of each engine; with a time model
     * @param numEngines at least 1
     * @param numRouters at least 1; in whole-input order each engine has one, its reader
     * @param windowRecords of a router's prefix window; 1 is none
     */
    public record Settings(
            EngineConfig config, RoutingPolicy policy, int numEngines, int numRouters, int windowRecords) {

        public Settings {
            numRouters = policy == RoutingPolicy.WHOLE_INPUT ? numEngines : numRouters;
            if (numEngines < 1 || numRouters < 1 || windowRecords < 1) {
                throw new IllegalArgumentException("engines, routers and window records must be at least 1, got "
                        + numEngines + ", " + numRouters + " and " + windowRecords);
            }
        }
    }

    /**
     * A request.
     *
     * @param tokens of the prompt; nobody writes the array
     * @param outputLen tokens to generate
     */
    public record Request(int[] tokens, int outputLen) {}

    private RoutingSimulation(Settings settings, List<Request> requests) {
        this.settings = settings;
        keys = EngineKeys.forParallelism(settings.numEngines);
        for (int r = 0; r < settings.numRouters; r++) {
            routers.add(new Router(r));
        }
        List<PreparedRequest> all = new ArrayList<>(requests.size());
        for (int i = 0; i < requests.size(); i++) {
            all.add(prepared(i, requests.get(i)));
        }
        promptTokens =
                all.stream().mapToLong(request -> request.promptIds().length).sum();
        if (settings.policy == RoutingPolicy.WHOLE_INPUT) {
            cutIntoRanges(all);
        } else {
            for (int i = 0; i < all.size(); i++) {
                routers.get(i % settings.numRouters).pending.add(all.get(i));
            }
            routers.forEach(Router::sortWindows);
        }
    }

    private void cutIntoRanges(List<PreparedRequest> all) {
        all.sort(PrefixGrouping.RADIX_ORDER);
        RangeCuts cuts = new RangeCuts();
        for (int i = 0; i < all.size(); i++) {
            PreparedRequest request = all.get(i);
            int shared = WholeInputOrder.sharedLen(i == 0 ? null : all.get(i - 1), request);
            cuts.add(i, shared, new RoutedRequest(request, 0, request.promptIds().length - shared).work());
        }
        for (RangeCuts.Range range : cuts.cut(settings.numEngines, all.size())) {
            ranges.add(all.subList((int) range.from(), (int) range.to()));
        }
    }

    /** Runs the requests to their ends. */
    public static RoutingFigures run(Settings settings, List<Request> requests) {
        RoutingSimulation simulation = new RoutingSimulation(settings, requests);
        try {
            for (int e = 0; e < settings.numEngines; e++) {
                simulation.engines.add(new SimulatedTask(e, settings.config, settings.numRouters));
            }
            return simulation.run();
        } finally {
            simulation.engines.forEach(SimulatedTask::close);
        }
    }

    private static PreparedRequest prepared(int index, Request request) {
        SourceRecord source = new SourceRecord(null, null, List.of(), "simulated", 0, index, index);
        AnswerHead head = new AnswerHead(
                Prompt.Kind.COMPLETION, Prompt.Envelope.BODY, Integer.toString(index), "simulated", 0, null);
        SamplingParams sampling = SamplingParams.builder()
                .temperature(0)
                .ignoreEos(true)
                .maxTokens(request.outputLen)
                .build();
        return new PreparedRequest(
                source, head, AnswerShape.plain(false, false), request.tokens, sampling, false, null, 0, 0);
    }

    private RoutingFigures run() {
        while (true) {
            moveRecords();
            SimulatedTask next = earliestBusy();
            if (next == null) {
                return figures();
            }
            if (next.nanoTime() >= nextReportNanos) {
                report();
                nextReportNanos = next.nanoTime() + REPORT_NANOS;
                moveRecords();
            }
            next.step();
        }
    }

    /** Lets records go on until nobody can any more. */
    private void moveRecords() {
        boolean hasMoved = true;
        while (hasMoved) {
            hasMoved = false;
            for (Router router : routers) {
                hasMoved |= router.emit();
            }
            for (SimulatedTask engine : engines) {
                hasMoved |= engine.takeIn(now());
            }
        }
    }

    private long now() {
        SimulatedTask earliest = earliestBusy();
        long now = 0;
        for (SimulatedTask engine : engines) {
            now = Math.max(now, engine.nanoTime());
        }
        return earliest == null ? now : earliest.nanoTime();
    }

    private @Nullable SimulatedTask earliestBusy() {
        SimulatedTask earliest = null;
        for (SimulatedTask engine : engines) {
            if (engine.isBusy() && (earliest == null || engine.nanoTime() < earliest.nanoTime())) {
                earliest = engine;
            }
        }
        return earliest;
    }

    private void report() {
        for (SimulatedTask engine : engines) {
            board.take(engine.load().report(engine.inFlight()));
        }
        for (Router router : routers) {
            board.take(router.loads.report(router.index, settings.numRouters));
            router.loads.onReply(board.reply());
        }
    }

    private RoutingFigures figures() {
        long[] prefill = new long[engines.size()];
        long[] output = new long[engines.size()];
        long end = 0;
        for (int e = 0; e < engines.size(); e++) {
            prefill[e] = engines.get(e).stats().prefillTokensTotal();
            output[e] = engines.get(e).stats().generationTokensTotal();
            end = Math.max(end, engines.get(e).nanoTime());
        }
        return new RoutingFigures(promptTokens, prefill, output, end);
    }

    /** A prefix-grouping subtask. */
    private final class Router {

        private final int index;
        private List<PreparedRequest> pending = new ArrayList<>();
        private final RouterLoads loads;
        private final PrefixRouter prefixRouter;
        private final SeenPrefixes prefixes = new SeenPrefixes();
        private int next;
        private int turn;
        /** The record that waits for room, already routed, or empty. */
        private final Queue<RoutedRequest> waiting = new ArrayDeque<>(1);

        private Router(int index) {
            this.index = index;
            turn = index;
            loads = new RouterLoads(index + 1L, settings.numEngines);
            prefixRouter = new PrefixRouter(keys, loads, prefixes);
        }

        private void sortWindows() {
            for (int from = 0; from < pending.size(); from += settings.windowRecords) {
                int to = Math.min(pending.size(), from + settings.windowRecords);
                List<PreparedRequest> window = new ArrayList<>(pending.subList(from, to));
                window.sort(PrefixGrouping.RADIX_ORDER);
                Collections.copy(pending.subList(from, to), window);
            }
        }

        /** Sends as much as the channels take; false if that is nothing. */
        private boolean emit() {
            int sent = 0;
            while (true) {
                if (waiting.isEmpty()) {
                    if (next == pending.size() && !takeRange()) {
                        return sent > 0;
                    }
                    waiting.add(route(pending.get(next)));
                    next++;
                }
                Queue<RoutedRequest> channel =
                        engines.get(engineOf(waiting.element())).channel(index);
                if (channel.size() >= CHANNEL_RECORDS) {
                    return sent > 0;
                }
                channel.add(waiting.remove());
                sent++;
            }
        }

        private boolean takeRange() {
            List<PreparedRequest> range = ranges.poll();
            if (range == null) {
                return false;
            }
            pending = range;
            next = 0;
            return true;
        }

        private RoutedRequest route(PreparedRequest request) {
            if (settings.policy == RoutingPolicy.PREFIX) {
                return prefixRouter.route(request);
            }
            long draw = switch (settings.policy) {
                case ROUND_ROBIN -> turn++;
                case WHOLE_INPUT -> index;
                case RANDOM -> RequestSeed.mix(request.source().offset() + 1);
                case KEY_HASH, PREFIX -> keyHash(request);
            };
            int engine = (int) Long.remainderUnsigned(draw, keys.length);
            return new RoutedRequest(request.withRoutingKey(keys[engine]), index + 1L, request.promptIds().length);
        }

        private long keyHash(PreparedRequest request) {
            prefixes.lookUp(request.cacheSalt(), request.promptIds());
            return prefixes.homeHash();
        }

        private int engineOf(RoutedRequest request) {
            int engine = 0;
            while (keys[engine] != request.routingKey()) {
                engine++;
            }
            return engine;
        }
    }
}
