package io.radixflow.sample;

import java.util.Arrays;

/**
 * A prefix of a row's tokens in the order of descending probability, equal ones by ascending id, found by radix selection instead of
 * sorting.
 *
 * <p>Tokens are ranked by their distance below the largest logit. Distances are 0 or more, so the bits of a float order as the float
 * does; three passes fix 12, 12 and 7 of its 31 bits by a histogram of counts and masses. What remains are tokens of exactly one
 * distance, which are taken in the order of ids. Linear in the vocabulary whatever the values. Allocates nothing after construction.
 */
final class LikelyTokens {

    private static final int BUCKETS = 1 << 12;
    private static final int[] SHIFTS = {19, 7, 0};
    private static final int[] WIDTHS = {12, 12, 7};

    private final int[] counts = new int[BUCKETS];
    private final double[] masses = new double[BUCKETS];

    private int lastBits; // tokens of smaller distance are in
    private int lastId; // and those of this distance up to this id
    private long countBefore; // tokens before the bucket under search
    private double massBefore;

    void selectAll() {
        lastBits = Integer.MAX_VALUE;
        lastId = Integer.MAX_VALUE;
    }

    /**
     * Finds the shortest prefix with {@code maxCount} tokens or a mass of {@code minMass}; all tokens, if neither is reached.
     *
     * @param distance {@code [offset, offset + vocabSize)}, each 0 or more
     * @param weight {@code [vocabSize]}
     */
    void select(float[] distance, int offset, float[] weight, int vocabSize, int maxCount, double minMass) {
        countBefore = 0;
        massBefore = 0;
        int prefix = 0;
        for (int level = 0; level < SHIFTS.length; level++) {
            fillHistogram(distance, offset, weight, vocabSize, level, prefix);
            prefix = prefix << WIDTHS[level] | findBucket(1 << WIDTHS[level], maxCount, minMass);
        }
        lastBits = prefix;
        for (int id = 0; id < vocabSize; id++) {
            if (Float.floatToRawIntBits(distance[offset + id]) == prefix) {
                lastId = id;
                massBefore += weight[id];
                if (++countBefore >= maxCount || massBefore >= minMass) {
                    return;
                }
            }
        }
    }

    private void fillHistogram(float[] distance, int offset, float[] weight, int vocabSize, int level, int prefix) {
        int shift = SHIFTS[level];
        int mask = (1 << WIDTHS[level]) - 1;
        int prefixShift = shift + WIDTHS[level];
        Arrays.fill(counts, 0);
        Arrays.fill(masses, 0);
        for (int id = 0; id < vocabSize; id++) {
            int bits = Float.floatToRawIntBits(distance[offset + id]);
            if (bits >>> prefixShift == prefix) {
                int bucket = bits >>> shift & mask;
                counts[bucket]++;
                masses[bucket] += weight[id];
            }
        }
    }

    /** The bucket in which the prefix ends. Sums of different order may just miss the mass; then it is the last one that has tokens. */
    private int findBucket(int numBuckets, int maxCount, double minMass) {
        int last = 0;
        long countBeforeLast = countBefore;
        double massBeforeLast = massBefore;
        long count = countBefore;
        double mass = massBefore;
        for (int bucket = 0; bucket < numBuckets; bucket++) {
            if (counts[bucket] == 0) {
                continue;
            }
            last = bucket;
            countBeforeLast = count;
            massBeforeLast = mass;
            count += counts[bucket];
            mass += masses[bucket];
            if (count >= maxCount || mass >= minMass) {
                break;
            }
        }
        countBefore = countBeforeLast;
        massBefore = massBeforeLast;
        return last;
    }

    /** Shortens the prefix to tokens at least {@code minP} times as likely as the first; 0 changes nothing. */
    void restrict(float minP) {
        if (minP > 0) {
            int bits = Float.floatToRawIntBits((float) -Math.log(minP) + 0f);
            if (bits < lastBits) {
                lastBits = bits;
                lastId = Integer.MAX_VALUE;
            }
        }
    }

    /** Zeroes the weights of all tokens outside the prefix and returns the sum of the rest, added in the order of ids. */
    double dropOthers(float[] distance, int offset, float[] weight, int vocabSize) {
        double kept = 0;
        for (int id = 0; id < vocabSize; id++) {
            int bits = Float.floatToRawIntBits(distance[offset + id]);
            if (bits < lastBits || (bits == lastBits && id <= lastId)) {
                kept += weight[id];
            } else {
                weight[id] = 0;
            }
        }
        return kept;
    }
}
