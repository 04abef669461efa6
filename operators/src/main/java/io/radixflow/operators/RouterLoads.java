package io.radixflow.operators;

import java.util.Arrays;

/**
 * The engines' work as one router sees it: what is outstanding there or comes from other routers, as last reported, and what of this
 * router's own requests has not arrived yet, which it knows at every moment. Until a report has come, that is all it ever sent.
 */
final class RouterLoads {

    private final long routerId;
    private final long[] sent;
    private long[] reported;
    private boolean isUpToDate;

    RouterLoads(long routerId, int numEngines) {
        this.routerId = routerId;
        sent = new long[numEngines];
        reported = new long[2 * numEngines];
    }

    /** Tokens that the engine has still to compute. */
    long of(int engine) {
        long onTheWay = sent[engine] - reported[sent.length + engine];
        return reported[engine] + Math.max(0, onTheWay);
    }

    /** Tokens that all engines have still to compute. */
    long total() {
        long sum = 0;
        for (int engine = 0; engine < sent.length; engine++) {
            sum += of(engine);
        }
        return sum;
    }

    void onSent(int engine, long work) {
        sent[engine] += work;
        isUpToDate = false;
    }

    /** Whether the loads may have changed: something was sent, or there was work when the last report came. */
    boolean mayHaveChanged() {
        return !isUpToDate;
    }

    /** For the {@link LoadBoard}. */
    long[] report(int router, int numRouters) {
        return LoadBoard.routerReport(router, numRouters, routerId, sent);
    }

    /** Takes the board's reply to a report. */
    void onReply(long[] reply) {
        if (reply.length != 2 * sent.length) {
            throw new IllegalStateException(
                    "a reply about " + reply.length / 2 + " engines came to a router of " + sent.length);
        }
        reported = Arrays.copyOf(reply, reply.length);
        isUpToDate = total() == 0;
    }

    long routerId() {
        return routerId;
    }

    int numEngines() {
        return sent.length;
    }
}
