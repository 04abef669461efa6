package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.SegmentCosts;
import java.nio.IntBuffer;
import java.util.Arrays;

/**
 * How a step's segments are cut into items of about equal work for {@code shared_attention}, and where the merge finds a row's parts: one
 * record for each row and each piece of a segment that it has; two, where an item's few queries are multiplied with two halves of its tokens at a
 * time.
 *
 * <pre>
 * ints:  sharedLen order firstRecord numRecords  [maxSequences each]
 *        numItems, 7 unused   items  [maxRecords, ITEM_INTS]   records  [maxRecords]
 * </pre>
 *
 * <p>Segments for whose records there is no room are left to their rows. Owned by the engine thread. Allocates nothing after construction. While the rows
 * and their segments stay, a step costs a comparison; else O(segments + records).
 */
final class SharedItems {

    /** {@code kItemInts} there. */
    static final int ITEM_INTS = 8;

    private static final int NO_RECORD = -1;
    private static final int MIN_PIECE_LEN = 256;
    /** Below, an item is over too soon for two parts to pay. */
    private static final int LEAST_NARROW_LEN = 1024;

    /** What an item costs besides its tokens, in tokens: queries come, the first tile is awaited, results go. */
    private static final int ITEM_OVERHEAD = 96;
    /** Items that a thread block works on one after another, at most; more give no better balance. */
    private static final int MAX_TURNS = 8;

    private static final int LENS_TRIED_PER_TURN = 3;

    private final Device device;
    private final int maxSequences;
    private final int maxRecords;
    private final SegmentCosts costs;
    private final Overhead overhead;
    private final int[] ints;
    private int numItems;
    private int numRecords;
    private double gainNanos;
    private long ownTokens;

    // What was planned last, to know it again.
    private int numSegments;
    private int numSequences;
    private final int[] from;
    private final int[] to;
    private final int[] first;
    private final int[] end;
    private final int[] row;
    private final int[] order;

    /** First record of a segment. */
    private final int[] firstRecord;
    /** Segments that are shared, and by what they are ordered. */
    private final int[] byTime;

    private final int[] pieceTime;

    /**
     * What the kernel is like.
     *
     * @param tileSequences sequences that an item holds
     * @param narrowSequences segments of so many at most take half the time, in two parts a piece
     * @param tileLen tokens that are copied together
     * @param numBlocks thread blocks that run at once
     */
    record Device(int tileSequences, int narrowSequences, int tileLen, int numKvHeads, int numBlocks) {}

    /**
     * What a layer costs that shares anything at all, besides its segments.
     *
     * @param row for each row, whether it shares or not
     * @param ownToken for each token that a row reads for itself, more than if nothing is shared
     */
    record Overhead(double step, double row, double ownToken) {

        static final Overhead NONE = new Overhead(0, 0, 0);
    }

    SharedItems(Device device, int maxSequences, int maxRecords, SegmentCosts costs, Overhead overhead) {
        this.device = device;
        this.maxSequences = maxSequences;
        this.maxRecords = maxRecords;
        this.costs = costs;
        this.overhead = overhead;
        ints = new int[numInts(maxSequences, maxRecords)];
        from = new int[maxSequences];
        to = new int[maxSequences];
        first = new int[maxSequences];
        end = new int[maxSequences];
        row = new int[maxSequences];
        order = new int[maxSequences];
        firstRecord = new int[maxSequences];
        byTime = new int[maxSequences];
        pieceTime = new int[maxSequences];
    }

    static int numInts(int maxSequences, int maxRecords) {
        return recordsAt(maxSequences, maxRecords) + maxRecords;
    }

    static int sharedLenAt() {
        return 0;
    }

    static int orderAt(int maxSequences) {
        return maxSequences;
    }

    static int firstRecordAt(int maxSequences) {
        return 2 * maxSequences;
    }

    static int numRecordsAt(int maxSequences) {
        return 3 * maxSequences;
    }

    static int workAt(int maxSequences) {
        return 4 * maxSequences;
    }

    static int recordsAt(int maxSequences, int maxRecords) {
        return workAt(maxSequences) + (1 + maxRecords) * ITEM_INTS;
    }

    int numItems() {
        return numItems;
    }

    int numRecords() {
        return numRecords;
    }

    /** Whether what is shared saves more than it costs to share anything. */
    boolean pays() {
        return numItems > 0
                && gainNanos > overhead.step() + overhead.row() * numSequences + overhead.ownToken() * ownTokens;
    }

    /** End of the ints that {@link #write} fills from {@link #workAt} on. */
    int workEnd() {
        return workAt(maxSequences) + (1 + numItems) * ITEM_INTS;
    }

    /** Takes over a batch's segments; whether anything differs from the last one's. */
    boolean plan(ForwardBatch batch) {
        if (batch.numSegments == 0) {
            numSegments = 0;
            numItems = 0;
            return false; // nobody looks at the rest
        }
        if (isSame(batch)) {
            countOwnTokens(batch);
            return false;
        }
        remember(batch);
        Arrays.fill(ints, 0, workAt(maxSequences), 0);
        System.arraycopy(batch.segmentOrder, 0, ints, orderAt(maxSequences), numSequences);
        numItems = 0;
        numRecords = 0;
        gainNanos = 0;
        cut(batch);
        ints[workAt(maxSequences)] = numItems;
        countOwnTokens(batch);
        return true;
    }

    private void countOwnTokens(ForwardBatch batch) {
        ownTokens = 0;
        for (int s = 0; s < numSequences; s++) {
            ownTokens += batch.cachedLen[s] + batch.extendLen[s] - ints[sharedLenAt() + s];
        }
    }

    /** Copies what the last plan says to where the device gets it from. */
    void write(IntBuffer into) {
        into.put(0, ints, 0, workEnd());
        into.put(recordsAt(maxSequences, maxRecords), ints, recordsAt(maxSequences, maxRecords), numRecords);
    }

    private boolean isSame(ForwardBatch batch) {
        int num = batch.numSegments;
        int rows = batch.numSequences;
        return num == numSegments
                && rows == numSequences
                && Arrays.equals(from, 0, num, batch.segmentFrom, 0, num)
                && Arrays.equals(to, 0, num, batch.segmentTo, 0, num)
                && Arrays.equals(first, 0, num, batch.segmentFirst, 0, num)
                && Arrays.equals(end, 0, num, batch.segmentEnd, 0, num)
                && Arrays.equals(row, 0, rows, batch.row, 0, rows)
                && Arrays.equals(order, 0, rows, batch.segmentOrder, 0, rows);
    }

    private void remember(ForwardBatch batch) {
        numSegments = batch.numSegments;
        numSequences = batch.numSequences;
        System.arraycopy(batch.segmentFrom, 0, from, 0, numSegments);
        System.arraycopy(batch.segmentTo, 0, to, 0, numSegments);
        System.arraycopy(batch.segmentFirst, 0, first, 0, numSegments);
        System.arraycopy(batch.segmentEnd, 0, end, 0, numSegments);
        System.arraycopy(batch.row, 0, row, 0, numSequences);
        System.arraycopy(batch.segmentOrder, 0, order, 0, numSequences);
    }

    private void cut(ForwardBatch batch) {
        int pieceLen = pieceLen();
        int numShared = 0;
        for (int g = 0; g < numSegments; g++) {
            int each = pieceLen(g, pieceLen);
            int numParts = (len(g) + each - 1) / each * partsOfPiece(g);
            int numRows = numRows(g);
            boolean isParentShared = ints[sharedLenAt() + order[first[g]]] == from[g];
            if (isParentShared && numRecords + numParts * numRows <= maxRecords) {
                firstRecord[g] = numRecords;
                numShared = insertByTime(g, timeOrder(g, each), numShared);
                share(g, numParts);
                gainNanos +=
                        costs.savedPerToken(numRows, numRows) * len(g) - costs.handOver() * numRows - costs.segment();
            }
        }
        for (int i = 0; i < numShared; i++) {
            addItems(batch, byTime[i], pieceLen(byTime[i], pieceLen));
        }
        listRecords(pieceLen);
    }

    /** By tokens, as it is copying them that two parts wait for; of as many, those in one part take longer. */
    private int timeOrder(int segment, int each) {
        return 2 * Math.min(each, len(segment)) + (partsOfPiece(segment) == 1 ? 1 : 0);
    }

    /** Segments whose pieces take longest first: blocks take every n-th item, so what they take at a time should take equally long. */
    private int insertByTime(int segment, int time, int numShared) {
        int place = numShared;
        while (place > 0 && pieceTime[place - 1] < time) {
            byTime[place] = byTime[place - 1];
            pieceTime[place] = pieceTime[place - 1];
            place--;
        }
        byTime[place] = segment;
        pieceTime[place] = time;
        return numShared + 1;
    }

    private int len(int segment) {
        return to[segment] - from[segment];
    }

    private int numRows(int segment) {
        return end[segment] - first[segment];
    }

    private int numTiles(int segment) {
        return (numRows(segment) + device.tileSequences - 1) / device.tileSequences;
    }

    private int partsOfPiece(int segment) {
        return numRows(segment) <= device.narrowSequences && len(segment) >= LEAST_NARROW_LEN ? 2 : 1;
    }

    /** The time of its tiles, in tokens. */
    private int time(int segment) {
        return (len(segment) + partsOfPiece(segment) - 1) / partsOfPiece(segment);
    }

    private int numPieces(int segment, int mostTime) {
        return (time(segment) + mostTime - 1) / mostTime;
    }

    /** Equal pieces that take at most so long, in whole tiles. */
    private int pieceLen(int segment, int mostTime) {
        int numPieces = numPieces(segment, mostTime);
        return wholeTiles((len(segment) + numPieces - 1) / numPieces);
    }

    private int wholeTiles(long len) {
        return (int) ((len + device.tileLen - 1) / device.tileLen * device.tileLen);
    }

    /** The length at which the blocks are done first if each takes every numBlocks-th item, and for which there are records enough. */
    private int pieceLen() {
        long work = 0;
        int longest = 0;
        for (int g = 0; g < numSegments; g++) {
            work += (long) numTiles(g) * time(g) * device.numKvHeads;
            longest = Math.max(longest, len(g));
        }
        int best = wholeTiles(longest);
        long leastTime = Long.MAX_VALUE;
        for (int turns = 1; turns <= MAX_TURNS; turns++) {
            long blocks = (long) turns * device.numBlocks;
            int len = wholeTiles(Math.max(MIN_PIECE_LEN, (work + blocks - 1) / blocks));
            for (int i = 0; i < LENS_TRIED_PER_TURN; i++) {
                long time = timeOfAll(len);
                if (time < leastTime) {
                    leastTime = time;
                    best = len;
                }
                len += device.tileLen;
            }
        }
        while (best < longest && numRecords(best) > maxRecords) {
            best = Math.min(2 * best, wholeTiles(longest));
        }
        return best;
    }

    private long timeOfAll(int pieceLen) {
        long numUnits = 0;
        for (int g = 0; g < numSegments; g++) {
            numUnits += (long) numTiles(g) * numPieces(g, pieceLen) * device.numKvHeads;
        }
        return (numUnits + device.numBlocks - 1) / device.numBlocks * (pieceLen + ITEM_OVERHEAD);
    }

    private long numRecords(int pieceLen) {
        long num = 0;
        for (int g = 0; g < numSegments; g++) {
            num += (long) numRows(g) * partsOfPiece(g) * numPieces(g, pieceLen);
        }
        return num;
    }

    /** Tiles of one piece side by side, so that its K and V come from memory once. */
    private void addItems(ForwardBatch batch, int segment, int each) {
        int record = firstRecord[segment];
        for (int at = from[segment]; at < to[segment]; at += each) {
            for (int place = first[segment]; place < end[segment]; place += device.tileSequences) {
                int item = workAt(maxSequences) + ++numItems * ITEM_INTS;
                ints[item] = at;
                ints[item + 1] = Math.min(to[segment], at + each);
                ints[item + 2] = place;
                ints[item + 3] = Math.min(device.tileSequences, end[segment] - place);
                ints[item + 4] = record + place - first[segment];
                ints[item + 5] = batch.row[order[first[segment]]];
                ints[item + 6] = partsOfPiece(segment) == 1 ? NO_RECORD : ints[item + 4] + numRows(segment);
            }
            record += partsOfPiece(segment) * numRows(segment);
        }
    }

    private void share(int segment, int numParts) {
        for (int place = first[segment]; place < end[segment]; place++) {
            ints[sharedLenAt() + order[place]] = to[segment];
            ints[numRecordsAt(maxSequences) + order[place]] += numParts;
        }
        numRecords += numParts * numRows(segment);
    }

    /** Once it is known how many records each row has: which ones they are. */
    private void listRecords(int pieceLen) {
        int listed = 0;
        for (int s = 0; s < numSequences; s++) {
            ints[firstRecordAt(maxSequences) + s] = listed;
            listed += ints[numRecordsAt(maxSequences) + s];
            ints[numRecordsAt(maxSequences) + s] = 0; // counted anew below
        }
        int records = recordsAt(maxSequences, maxRecords);
        int record = 0;
        for (int g = 0; g < numSegments; g++) {
            int each = pieceLen(g, pieceLen);
            boolean isShared = ints[sharedLenAt() + order[first[g]]] >= to[g];
            int numParts = isShared ? (len(g) + each - 1) / each * partsOfPiece(g) : 0;
            for (int part = 0; part < numParts; part++) {
                for (int place = first[g]; place < end[g]; place++) {
                    int s = order[place];
                    int next = ints[firstRecordAt(maxSequences) + s] + ints[numRecordsAt(maxSequences) + s]++;
                    ints[records + next] = record++;
                }
            }
        }
    }
}
