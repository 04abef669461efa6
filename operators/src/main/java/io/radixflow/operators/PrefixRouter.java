package io.radixflow.operators;

/**
 * Chooses the engine of each request: equal prefixes go to the same one, up to a bound of its load.
 *
 * <p>A request's bucket is the hash of its first {@value #PREFIX_TOKENS} tokens and cache salt. Engines are ranked for a bucket
 * by rendezvous hashing [1]; the first whose load stays within {@value #LOAD_FACTOR} of the average plus a slack takes the
 * request [2]. So every router of a job agrees without talking to the others, a hot prefix spreads over as many engines as it
 * needs, and adding an engine moves few buckets. Loads are tokens handed out lately; they halve now and then, and a restart
 * forgets them.
 *
 * <p>[1] Thaler, Ravishankar: "Using name-based mappings to increase hit rates", 1998. [2] Mirrokni, Thorup, Zadimoghaddam:
 * "Consistent hashing with bounded loads", 2016.
 */
final class PrefixRouter {

    static final int PREFIX_TOKENS = 64;
    static final double LOAD_FACTOR = 1.25;
    static final int SLACK_TOKENS = 8_192;

    /** Answers differ in length and {@code max_tokens} is often a mere ceiling, so no request counts for more output. */
    private static final int MAX_OUTPUT_COST = 256;

    private static final long HALVE_ABOVE_TOKENS = 1L << 20;

    private final int[] keys;
    private final long[] load;
    private long totalLoad;

    PrefixRouter(int[] keys) {
        this.keys = keys.clone();
        load = new long[keys.length];
    }

    /** The routing key for the request; counts its load. */
    int route(PreparedRequest request) {
        if (keys.length == 1) {
            return keys[0];
        }
        int outputCost = Math.min(MAX_OUTPUT_COST, request.sampling().maxTokens());
        int cost = request.promptIds().length + outputCost * request.shape().numChoices();
        int engine = choose(bucket(request), cost);
        load[engine] += cost;
        totalLoad += cost;
        if (totalLoad > HALVE_ABOVE_TOKENS * keys.length) {
            halve();
        }
        return keys[engine];
    }

    private int choose(long bucket, int cost) {
        double bound = LOAD_FACTOR * (totalLoad + cost) / keys.length + SLACK_TOKENS;
        int best = -1;
        long bestRank = 0;
        int least = 0;
        for (int engine = 0; engine < keys.length; engine++) {
            long rank = RequestSeed.mix(bucket + engine * 0x9e3779b97f4a7c15L);
            if (load[engine] + cost <= bound && (best < 0 || rank > bestRank)) {
                best = engine;
                bestRank = rank;
            }
            if (load[engine] < load[least]) {
                least = engine;
            }
        }
        // A request above the bound by itself goes where the least load is.
        return best < 0 ? least : best;
    }

    private static long bucket(PreparedRequest request) {
        String salt = request.cacheSalt();
        long hash = salt == null ? 0 : salt.hashCode() + 1L;
        int prefixLen = Math.min(PREFIX_TOKENS, request.promptIds().length);
        for (int i = 0; i < prefixLen; i++) {
            hash = RequestSeed.mix(hash * 31 + request.promptIds()[i]);
        }
        return hash;
    }

    private void halve() {
        totalLoad = 0;
        for (int engine = 0; engine < load.length; engine++) {
            load[engine] /= 2;
            totalLoad += load[engine];
        }
    }
}
