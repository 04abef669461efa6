package io.radixflow.operators;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * What an engine subtask tells the routers: the work that it still has, and how much it has got of each of them. The work follows from
 * the requests in flight, which are state, so it is exact after a restart and a rescale too. Owned by the task thread.
 */
final class EngineLoad {

    private final int engine;
    private final Map<Long, Long> received = new HashMap<>();
    private long[] lastReport = new long[0];

    EngineLoad(int engine) {
        this.engine = engine;
    }

    void onReceived(RoutedRequest request) {
        received.merge(request.routerId(), request.work(), Long::sum);
    }

    /** Sends word of what is in flight, unless it would say what it said last. */
    void report(Collection<InFlightRequest> inFlight, LoadLine line) {
        long[] report = report(inFlight);
        if (!Arrays.equals(report, lastReport)) {
            lastReport = report;
            line.send(report);
        }
    }

    /** For the {@link LoadBoard}. */
    long[] report(Collection<InFlightRequest> inFlight) {
        long outstanding = 0;
        for (InFlightRequest request : inFlight) {
            outstanding += outstanding(request);
        }
        return LoadBoard.engineReport(engine, outstanding, received);
    }

    private static long outstanding(InFlightRequest request) {
        int expectedLen = RoutedRequest.expectedOutputLen(request.request());
        long outputTokens = 0;
        boolean isPromptDue = false;
        for (InFlightChoice choice : request.choices()) {
            if (!choice.isFinished()) {
                outputTokens += Math.max(1, expectedLen - choice.outputLen());
                isPromptDue |= choice.isWaiting();
            }
        }
        return outputTokens + (isPromptDue ? request.newTokens() : 0);
    }
}
