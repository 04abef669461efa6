package io.radixflow.backend.cuda;

import io.radixflow.backend.SamplingBatch;
import java.nio.IntBuffer;

/**
 * How rows are drawn from that need more than their largest logit: {@code Entry} of {@code draw.cu}, one each, and the ids and values that
 * entries point to.
 *
 * <pre>
 * ints:  entries [maxEntries][ENTRY_INTS]   lists [listCapacity]
 * </pre>
 *
 * A step adds entries in any number of groups; each group is copied and drawn before the next one. Allocates nothing per step.
 */
final class DrawColumns {

    static final int NO_SCRATCH = -1;
    private static final int NO_MASK = -1;
    private static final int ENTRY_INTS = 20;
    private static final int MIN_LIST_CAPACITY = 1 << 18;
    /** Biases have ids and values, then there are the allowed and the banned ids, which may repeat, and a mask. */
    private static final int LISTS_OF_ENTRY = 5;

    private static final float GREEDY_BELOW = 1e-6f;

    private final StagedInts staged;
    private final int listsAt;
    private final int listCapacity;
    private final int maskInts;
    private int turn;
    private int numEntries;
    private int listLen;
    private int groupEntry;
    private int groupList;

    DrawColumns(CudaDevice device, int maxEntries, int vocabSize) {
        maskInts = (vocabSize + Integer.SIZE - 1) / Integer.SIZE;
        listsAt = maxEntries * ENTRY_INTS;
        listCapacity = Math.max(MIN_LIST_CAPACITY, LISTS_OF_ENTRY * vocabSize);
        staged = new StagedInts(device, listsAt + listCapacity, "how tokens are drawn");
    }

    /** Begins a step. */
    void begin(int turn) {
        this.turn = turn;
        numEntries = 0;
        listLen = 0;
        beginGroup();
    }

    private void beginGroup() {
        groupEntry = numEntries;
        groupList = listLen;
    }

    int numInGroup() {
        return numEntries - groupEntry;
    }

    /** Whether the lists of one more entry fit; if not, the step's groups so far must be done before it begins anew. */
    boolean hasRoom(SamplingBatch batch, int entry) {
        return listLen + listLen(batch, entry) <= listCapacity;
    }

    private int listLen(SamplingBatch batch, int entry) {
        int numMaskInts = batch.allowedBits[entry] == null ? 0 : maskInts;
        return 2 * batch.biasIds[entry].length + batch.numBanned[entry] + batch.allowedIds[entry].length + numMaskInts;
    }

    /** @param scratch where its row is copied before rules change it, or NO_SCRATCH */
    void add(SamplingBatch batch, int entry, int scratch) {
        IntBuffer ints = staged.ints(turn);
        int at = numEntries++ * ENTRY_INTS;
        ints.put(at, entry);
        ints.put(at + 1, scratch);
        boolean isGreedy = batch.temperature[entry] < GREEDY_BELOW || batch.topK[entry] == 1;
        ints.put(at + 2, bits(isGreedy ? 0 : 1 / batch.temperature[entry]));
        ints.put(at + 3, bits(batch.topP[entry]));
        ints.put(at + 4, batch.topK[entry]);
        float minP = batch.minP[entry];
        ints.put(at + 5, bits(minP > 0 ? (float) -Math.log(minP) + 0f : Float.POSITIVE_INFINITY));
        ints.put(at + 6, bits(batch.presencePenalty[entry]));
        ints.put(at + 7, bits(batch.frequencyPenalty[entry]));
        ints.put(at + 8, bits(batch.repetitionPenalty[entry]));
        ints.put(at + 9, (int) batch.seed[entry]);
        ints.put(at + 10, (int) (batch.seed[entry] >>> Integer.SIZE));
        ints.put(at + 11, batch.position[entry]);
        ints.put(at + 12, batch.promptLen[entry]);
        addLists(ints, at, batch, entry);
    }

    private void addLists(IntBuffer ints, int at, SamplingBatch batch, int entry) {
        float[] values = batch.biasValues[entry];
        ints.put(at + 13, listLen);
        ints.put(at + 14, values.length);
        addIds(ints, batch.biasIds[entry], values.length);
        for (float value : values) {
            ints.put(listsAt + listLen++, bits(value));
        }
        ints.put(at + 15, listLen);
        ints.put(at + 16, batch.numBanned[entry]);
        addIds(ints, batch.bannedIds[entry], batch.numBanned[entry]);
        ints.put(at + 17, listLen);
        ints.put(at + 18, batch.allowedIds[entry].length);
        addIds(ints, batch.allowedIds[entry], batch.allowedIds[entry].length);
        long[] bits = batch.allowedBits[entry];
        ints.put(at + 19, bits == null ? NO_MASK : listLen);
        if (bits != null) {
            addMask(ints, bits);
        }
    }

    /** As many words as the vocabulary has; what lies beyond the bits is forbidden. */
    private void addMask(IntBuffer ints, long[] bits) {
        for (int i = 0; i < maskInts; i++) {
            long word = i / 2 < bits.length ? bits[i / 2] : 0;
            ints.put(listsAt + listLen++, (int) (word >>> (i % 2 * Integer.SIZE)));
        }
    }

    private void addIds(IntBuffer ints, int[] ids, int num) {
        ints.put(listsAt + listLen, ids, 0, num);
        listLen += num;
    }

    private static int bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    /** Starts the copy of the group's entries and returns where they are; the next group begins. */
    DevicePointer upload() {
        staged.upload(turn, groupEntry * ENTRY_INTS, numEntries * ENTRY_INTS);
        staged.upload(turn, listsAt + groupList, listsAt + listLen);
        DevicePointer entries = staged.at(groupEntry * ENTRY_INTS);
        beginGroup();
        return entries;
    }

    DevicePointer lists() {
        return staged.at(listsAt);
    }
}
