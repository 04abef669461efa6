package io.radixflow.operators;

import java.util.ArrayDeque;
import java.util.Deque;

/** The engine failures of late, against {@link RebuildLimit}. Owned by the task thread. */
final class FailureWindow {

    private final RebuildLimit limit;
    private final Deque<Long> failureNanos = new ArrayDeque<>();

    FailureWindow(RebuildLimit limit) {
        this.limit = limit;
    }

    void add(long nowNanos) {
        long windowNanos = limit.window().toNanos();
        failureNanos.removeIf(nanos -> nowNanos - nanos >= windowNanos);
        failureNanos.addLast(nowNanos);
    }

    /** The newest so many failures, or all, count no longer: they were a request's, and it is gone. */
    void forgive(int numFailures) {
        for (int i = 0; i < numFailures; i++) {
            failureNanos.pollLast();
        }
    }

    int numFailures() {
        return failureNanos.size();
    }

    boolean isOverLimit() {
        return failureNanos.size() > limit.maxRebuilds();
    }

    RebuildLimit limit() {
        return limit;
    }
}
