package io.radixflow.operators;

/** Seeds for requests that name none: made from who the request is, so that a restart draws the same numbers. */
final class RequestSeed {

    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private RequestSeed() {}

    /** FNV-1a over the id, mixed with the configured seed by the finalizer of MurmurHash3. */
    static long derive(long randomSeed, String customId) {
        long hash = FNV_OFFSET;
        for (int i = 0; i < customId.length(); i++) {
            hash = (hash ^ customId.charAt(i)) * FNV_PRIME;
        }
        return mix(hash ^ mix(randomSeed));
    }

    /** The seed of a request's answer number {@code index}: the first keeps the request's, each other one has its own. */
    static long ofChoice(long seed, int index) {
        return index == 0 ? seed : mix(seed + index * 0x9e3779b97f4a7c15L);
    }

    static long mix(long value) {
        long mixed = (value ^ (value >>> 33)) * 0xff51afd7ed558ccdL;
        mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return mixed ^ (mixed >>> 33);
    }
}
