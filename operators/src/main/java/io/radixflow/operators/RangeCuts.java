package io.radixflow.operators;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Cuts a sorted run of requests into contiguous ranges of nearly equal work, where little is lost: whoever takes a range begins without
 * what its first request shares with the one before.
 *
 * <p>Remembers places where a range may begin, each with the work before it and what a cut there loses. When there are too many, every
 * other one goes, of two neighbours the one that loses more; so memory is bounded, and places stay dense enough for even ranges.
 */
final class RangeCuts {

    /** So many ranges an engine even out what estimates get wrong. */
    private static final int RANGES_PER_ENGINE = 8;
    /** Fewer ranges are made while their cuts lose more than this share of the work. */
    private static final double MAX_LOSS = 0.02;

    private static final int MAX_PLACES = 1 << 16;

    private final long[] offset = new long[MAX_PLACES];
    private final long[] workBefore = new long[MAX_PLACES];
    private final int[] loss = new int[MAX_PLACES];
    private int numPlaces;
    private long minDistance;
    private long totalWork;

    /**
     * A part of the run.
     *
     * @param from byte offset of its first record
     * @param to byte offset behind its last one
     * @param work tokens that its requests are estimated to need
     */
    record Range(long from, long to, long work) {}

    /**
     * The next request of the run.
     *
     * @param at its byte offset
     * @param sharedLen tokens of its prompt that the request before has too
     * @param work tokens that it needs when these are cached
     */
    void add(long at, int sharedLen, long work) {
        boolean isNear = numPlaces > 1 && totalWork - workBefore[numPlaces - 1] < minDistance;
        if (!isNear || sharedLen < loss[numPlaces - 1]) {
            if (!isNear && numPlaces == MAX_PLACES) {
                thinOut();
            }
            int place = isNear ? numPlaces - 1 : numPlaces++;
            offset[place] = at;
            workBefore[place] = totalWork;
            loss[place] = sharedLen;
        }
        totalWork += work;
    }

    private void thinOut() {
        int kept = 1; // the run's start
        for (int i = 1; i + 1 < numPlaces; i += 2) {
            int better = loss[i + 1] < loss[i] ? i + 1 : i;
            offset[kept] = offset[better];
            workBefore[kept] = workBefore[better];
            loss[kept++] = loss[better];
        }
        numPlaces = kept;
        minDistance = 2 * totalWork / MAX_PLACES;
    }

    /** The ranges of the run, which ends at the byte offset. */
    List<Range> cut(int numEngines, long end) {
        if (numPlaces == 0) {
            return List.of();
        }
        int numRanges = numEngines == 1 ? 1 : numEngines * RANGES_PER_ENGINE;
        int[] cuts = cuts(numRanges);
        while (numRanges > numEngines && lossOf(cuts) > MAX_LOSS * totalWork) {
            numRanges = Math.max(numEngines, numRanges / 2);
            cuts = cuts(numRanges);
        }
        List<Range> ranges = new ArrayList<>(cuts.length + 1);
        int from = 0;
        for (int cut : cuts) {
            ranges.add(new Range(offset[from], offset[cut], workBefore[cut] - workBefore[from]));
            from = cut;
        }
        ranges.add(new Range(offset[from], end, totalWork - workBefore[from]));
        return ranges;
    }

    /** Places of the cuts, ascending; near each one's even share the place that loses least. */
    private int[] cuts(int numRanges) {
        int[] cuts = new int[numRanges - 1];
        double share = (double) totalWork / numRanges;
        int num = 0;
        int next = 1;
        for (int cut = 1; cut < numRanges; cut++) {
            int best = -1;
            double wanted = cut * share;
            int place = next;
            for (; place < numPlaces && workBefore[place] <= wanted + share / 4; place++) {
                boolean isNearEnough = workBefore[place] >= wanted - share / 4;
                if (isNearEnough && (best < 0 || isBetter(place, best, wanted))) {
                    best = place;
                }
            }
            if (best >= 0) {
                cuts[num++] = best;
                next = best + 1;
            }
        }
        return Arrays.copyOf(cuts, num);
    }

    private boolean isBetter(int place, int best, double wanted) {
        return loss[place] != loss[best]
                ? loss[place] < loss[best]
                : Math.abs(workBefore[place] - wanted) < Math.abs(workBefore[best] - wanted);
    }

    private long lossOf(int[] cuts) {
        long sum = 0;
        for (int cut : cuts) {
            sum += loss[cut];
        }
        return sum;
    }
}
