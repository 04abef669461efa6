package io.radixflow.operators;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the request that kills engines among those that were in failed steps, without harm to its neighbours.
 *
 * <p>Whoever was in a failed step is a suspect. Before anything else runs again, the suspects run one after another, each alone, for some
 * tokens that are thrown away. Who passes goes on as if nothing had happened. A request in whose step nobody else was and that was in a
 * failed step before is accused: it doesn't run any more, and its verdict falls as soon as another request gets a token from a new engine,
 * which shows that the device is well, or when there is no other. Until then nothing is given up, so a broken device fails the task and not
 * its records.
 *
 * <p>Who is suspected again after it passed runs alone for more tokens each time, so a request that kills late is found in the end. Owned by the
 * task thread.
 */
final class Suspects {

    /** So many times more tokens for each further failure. */
    private static final int PROBE_GROWTH_BITS = 3;

    private static final int MAX_PROBE_BITS = 24;

    /** In the order in which they run alone; the first does so now. */
    private final Deque<InFlightRequest> untested = new ArrayDeque<>();

    private final List<InFlightRequest> accused = new ArrayList<>();

    /** A request as read from state: a restart forgets nothing. */
    void restore(InFlightRequest request) {
        if (request.numEngineFailures() > 0) {
            untested.add(request);
        }
    }

    /** @param inStep who was in the failed step; empty if the engine failed for another reason */
    void onFailure(Collection<InFlightRequest> inStep) {
        for (InFlightRequest request : inStep) {
            request.countEngineFailure();
            untested.remove(request);
            boolean wasAlone = inStep.size() == 1;
            if (wasAlone && request.numEngineFailures() > 1) {
                accused.add(request);
            } else {
                untested.add(request);
            }
        }
    }

    /** The one to run alone, or null if nobody is left. */
    @Nullable
    InFlightRequest next() {
        return untested.peek();
    }

    int numUntested() {
        return untested.size();
    }

    /** The first one ran alone and nothing happened. */
    void passFirst() {
        untested.remove();
    }

    /** Tokens that a suspect must make alone. */
    static int probeLen(InFlightRequest request) {
        int bits = PROBE_GROWTH_BITS * (request.numEngineFailures() - 1);
        return 1 << Math.min(MAX_PROBE_BITS, Math.max(0, bits));
    }

    boolean isAccused(InFlightRequest request) {
        return accused.contains(request);
    }

    int numAccused() {
        return accused.size();
    }

    /** Those whose verdict falls now; they are accused no longer. */
    List<InFlightRequest> takeAccused() {
        List<InFlightRequest> taken = List.copyOf(accused);
        accused.clear();
        return taken;
    }

    /** It was answered otherwise. */
    void forget(InFlightRequest request) {
        untested.remove(request);
        accused.remove(request);
    }
}
