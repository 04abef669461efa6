package io.radixflow.sample;

import java.util.Arrays;

/**
 * Cuts a row of logits to its most likely tokens and draws from them; finds the cut by radix selection instead of sorting.
 *
 * <p>Tokens are ranked by their distance below the largest logit, equal ones by id. Distances are 0 or more, so the bits of a float order
 * as the float does. A histogram over the upper 12 of the 31 bits, with the count and mass of each bucket, tells the bucket in which
 * top-k or top-p ends. The tokens up to there are gathered, usually a few of many; the same over the next 12 and the last 7 bits of those
 * leaves tokens of exactly one distance, which are taken in the order of ids. Linear in the vocabulary whatever the values.
 *
 * <p>Allocates nothing after construction. Not thread-safe.
 */
final class LikelyTokens {

    private static final int BUCKETS = 1 << 12;
    private static final int[] SHIFTS = {19, 7, 0};
    private static final int[] WIDTHS = {12, 12, 7};
    private static final int INFINITY_BITS = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    private final int[] counts = new int[BUCKETS];
    private final double[] masses = new double[BUCKETS];

    // The row: distance[offset .. offset + vocabSize), in the caller's array of logits.
    private float[] distance = {};
    private int offset;
    private int vocabSize;

    // Gathered tokens by ascending id.
    private final int[] ids; // [maxVocabSize]
    private final float[] weights; // [maxVocabSize] probability relative to the most likely token's
    private int numGathered;

    // Where the cut is: the first maxCount tokens, or fewer whose mass reaches minMass.
    private int maxCount;
    private double minMass;
    private int countBefore; // tokens before the bucket that the cut is in
    private double massBefore;

    LikelyTokens(int maxVocabSize) {
        ids = new int[maxVocabSize];
        weights = new float[maxVocabSize];
    }

    /** Replaces the logits by their distances below {@code max}, times {@code scale}; the array is used until the next row is set. */
    void setTo(float[] logits, int offset, int vocabSize, float max, float scale) {
        for (int i = offset; i < offset + vocabSize; i++) {
            logits[i] = (max - logits[i]) * scale;
        }
        distance = logits;
        this.offset = offset;
        this.vocabSize = vocabSize;
    }

    /** Draws by a uniform number in [0, 1) from the tokens that all three cuts keep; a cut of 0 or less, or of 1 for topP, is off. */
    int draw(int topK, float topP, float minP, double uniform) {
        maxCount = topK > 0 ? topK : Integer.MAX_VALUE;
        int limitBits = minP > 0 ? Float.floatToRawIntBits((float) -Math.log(minP) + 0f) : INFINITY_BITS;
        if (maxCount < vocabSize || topP < 1) {
            int bucket = findFirstBucket(topP);
            int bucketEnd = ((bucket + 1) << SHIFTS[0]) - 1;
            gather(Math.min(limitBits, bucketEnd));
            if (limitBits >= (bucket << SHIFTS[0])) {
                cutInside(bucket);
            }
        } else {
            gather(limitBits);
        }
        return pick(uniform);
    }

    /** Histogram of the whole row, with masses only if top-p needs them. */
    private int findFirstBucket(float topP) {
        Arrays.fill(counts, 0);
        Arrays.fill(masses, 0);
        countBefore = 0;
        massBefore = 0;
        minMass = Double.POSITIVE_INFINITY;
        if (topP >= 1) {
            for (int i = offset; i < offset + vocabSize; i++) {
                counts[Float.floatToRawIntBits(distance[i]) >>> SHIFTS[0]]++;
            }
        } else {
            for (int i = offset; i < offset + vocabSize; i++) {
                int bucket = Float.floatToRawIntBits(distance[i]) >>> SHIFTS[0];
                counts[bucket]++;
                masses[bucket] += Exponential.ofMinus(distance[i]);
            }
            double total = 0;
            for (double mass : masses) {
                total += mass;
            }
            minMass = topP * total;
        }
        return findBucket(BUCKETS);
    }

    private void gather(int limitBits) {
        int gathered = 0;
        for (int id = 0; id < vocabSize; id++) {
            float d = distance[offset + id];
            if (Float.floatToRawIntBits(d) <= limitBits) {
                ids[gathered] = id;
                weights[gathered++] = Exponential.ofMinus(d);
            }
        }
        numGathered = gathered;
    }

    /** Narrows the cut down to one distance and id, and drops the gathered tokens that lie behind it. */
    private void cutInside(int firstBucket) {
        int prefix = firstBucket;
        for (int level = 1; level < SHIFTS.length; level++) {
            int shift = SHIFTS[level];
            int numBuckets = 1 << WIDTHS[level];
            Arrays.fill(counts, 0, numBuckets, 0);
            Arrays.fill(masses, 0, numBuckets, 0);
            for (int i = 0; i < numGathered; i++) {
                int bits = Float.floatToRawIntBits(distance[offset + ids[i]]) >>> shift;
                if (bits >>> WIDTHS[level] == prefix) {
                    int bucket = bits & (numBuckets - 1);
                    counts[bucket]++;
                    masses[bucket] += weights[i];
                }
            }
            prefix = prefix << WIDTHS[level] | findBucket(numBuckets);
        }
        int kept = 0;
        for (int i = 0; i < numGathered; i++) {
            int bits = Float.floatToRawIntBits(distance[offset + ids[i]]);
            boolean isKept = bits < prefix;
            if (bits == prefix && countBefore < maxCount && massBefore < minMass) {
                isKept = true;
                countBefore++;
                massBefore += weights[i];
            }
            if (isKept) {
                ids[kept] = ids[i];
                weights[kept++] = weights[i];
            }
        }
        numGathered = kept;
    }

    /** The bucket that the cut is in. Sums of different order may just miss the mass; then it is the last one that has tokens. */
    private int findBucket(int numBuckets) {
        int last = 0;
        int countBeforeLast = countBefore;
        double massBeforeLast = massBefore;
        int count = countBefore;
        double mass = massBefore;
        for (int bucket = 0; bucket < numBuckets && count < maxCount && mass < minMass; bucket++) {
            if (counts[bucket] > 0) {
                last = bucket;
                countBeforeLast = count;
                massBeforeLast = mass;
                count += counts[bucket];
                mass += masses[bucket];
            }
        }
        countBefore = countBeforeLast;
        massBefore = massBeforeLast;
        return last;
    }

    /** The first gathered id whose cumulative weight exceeds its share; should rounding leave none, the last id with any weight. */
    private int pick(double uniform) {
        double total = 0;
        for (int i = 0; i < numGathered; i++) {
            total += weights[i];
        }
        double target = uniform * total;
        double sum = 0;
        int last = 0;
        for (int i = 0; i < numGathered; i++) {
            sum += weights[i];
            if (sum > target) {
                return ids[i];
            }
            last = weights[i] > 0 ? ids[i] : last;
        }
        return last;
    }
}
