package io.radixflow.operators;

import java.util.Arrays;

/**
 * The engines' work as one router sees it: what is outstanding there or comes from other routers, as last reported, and what of this
 * router's own requests has not arrived yet, which it knows at every moment. The others are taken to have sent since the report what this one
 * has, or all would fill the same gap. Until a report has come, there is only what was sent.
 */
final class RouterLoads {

    private final long routerId;
    private final long[] sent;
    private long[] reported;
    private long[] sentAtReport;
    private boolean isUpToDate;

    RouterLoads(long routerId, int numEngines) {
        this.routerId = routerId;
        sent = new long[numEngines];
        reported = new long[LoadBoard.replyLen(numEngines)];
        sentAtReport = new long[numEngines];
    }

    /** Tokens that the engine has still to compute. */
    long of(int engine) {
        long onTheWay = sent[engine] - reported[sent.length + engine];
        long numOthers = Math.max(0, reported[2 * sent.length] - 1);
        return reported[engine] + Math.max(0, onTheWay) + numOthers * (sent[engine] - sentAtReport[engine]);
    }

    /** Tokens that all engines have still to compute. */
    long total() {
        long sum = 0;
        for (int engine = 0; engine < sent.length; engine++) {
            sum += of(engine);
        }
        return sum;
    }

    /** Tokens that the least loaded engine has still to compute. */
    long least() {
        long least = Long.MAX_VALUE;
        for (int engine = 0; engine < sent.length; engine++) {
            least = Math.min(least, of(engine));
        }
        return least;
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
        if (reply.length != LoadBoard.replyLen(sent.length)) {
            throw new IllegalStateException(
                    "a reply of " + reply.length + " numbers came to a router of " + sent.length + " engines");
        }
        reported = Arrays.copyOf(reply, reply.length);
        sentAtReport = sent.clone();
        isUpToDate = total() == 0;
    }

    long routerId() {
        return routerId;
    }

    int numEngines() {
        return sent.length;
    }
}
