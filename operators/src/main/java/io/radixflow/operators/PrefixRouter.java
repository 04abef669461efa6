package io.radixflow.operators;

/**
 * Chooses the engine of each request: equal prefixes go to the same one, unless it has too much to do.
 *
 * <p>A prompt's home is the engine that rendezvous hashing [1] ranks first for its first {@value SeenPrefixes#STEP} tokens. While the home has
 * room, it takes the request. Else engines are ranked for the prompt's longest prefix that was seen before, and the first with room takes it. So
 * all routers of a job agree; a hot prefix spreads over as many engines as it needs, its continuations each as a whole; and it shrinks
 * back to its home when the load is gone. An engine has room while its work is within {@value #LOAD_FACTOR} of the average [2] and within
 * {@value #LEAST_FACTOR} of the least loaded's, plus a slack: of few engines, the average alone would let one idle. Work is what has still to be
 * computed ({@link RouterLoads}), so an engine that is slow or has long answers gets less.
 *
 * <p>[1] Thaler, Ravishankar: "Using name-based mappings to increase hit rates", 1998. [2] Mirrokni, Thorup, Zadimoghaddam: "Consistent
 * hashing with bounded loads", 2016.
 */
final class PrefixRouter {

    static final double LOAD_FACTOR = 1.5;
    static final double LEAST_FACTOR = 2;
    /** An engine with less work than this has room, whatever the others have. */
    static final int SLACK_TOKENS = 4_096;

    private final int[] keys;
    private final RouterLoads loads;
    private final SeenPrefixes prefixes;

    /** @param keys entry i leads to engine i */
    PrefixRouter(int[] keys, RouterLoads loads, SeenPrefixes prefixes) {
        this.keys = keys.clone();
        this.loads = loads;
        this.prefixes = prefixes;
    }

    /** Chooses the request's engine and counts its work there. */
    RoutedRequest route(PreparedRequest request) {
        prefixes.lookUp(request.cacheSalt(), request.promptIds());
        int newTokens = Math.max(1, request.promptIds().length - prefixes.seenLen());
        int engine = keys.length == 1 ? 0 : choose();
        RoutedRequest routed = new RoutedRequest(request.withRoutingKey(keys[engine]), loads.routerId(), newTokens);
        loads.onSent(engine, routed.work());
        return routed;
    }

    private int choose() {
        double bound = Math.min(LOAD_FACTOR * loads.total() / keys.length, LEAST_FACTOR * loads.least()) + SLACK_TOKENS;
        int home = firstRanked(prefixes.homeHash(), Double.POSITIVE_INFINITY);
        return loads.of(home) <= bound ? home : firstRanked(prefixes.seenHash(), bound);
    }

    /** The engine that ranks first for the hash among those within the bound, of which there is always one. */
    private int firstRanked(long hash, double bound) {
        int best = -1;
        long bestRank = 0;
        for (int engine = 0; engine < keys.length; engine++) {
            long rank = RequestSeed.mix(hash + engine * 0x9e3779b97f4a7c15L);
            if (loads.of(engine) <= bound && (best < 0 || rank > bestRank)) {
                best = engine;
                bestRank = rank;
            }
        }
        return best;
    }
}
