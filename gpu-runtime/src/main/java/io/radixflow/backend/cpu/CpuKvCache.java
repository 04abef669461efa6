package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.INTS;
import static io.radixflow.backend.cpu.Lanes.LANES;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.engine.EngineException;
import io.radixflow.weights.Float16;
import jdk.incubator.vector.IntVector;

/**
 * K and V on the heap, {@code [slots, kvHeads, headDim]} of each for every layer, in segments of {@link #SEGMENT_SLOTS} slots.
 *
 * <p>A segment is allocated when a step first writes to one of its slots, so that a start needn't clear gigabytes and a small load takes
 * little memory: the allocator hands out low slots first. The plan at start has counted the whole pool.
 *
 * <p>fp16 numbers lie in pairs in an int: numbers i (low half) and {@code i + headDim / 2} (high half) of a head, so that a vector of ints
 * converts to two vectors of neighbours.
 */
final class CpuKvCache implements KvCache {

    private static final int SEGMENT_SHIFT = 10;
    private static final int SEGMENT_SLOTS = 1 << SEGMENT_SHIFT;
    /** Numbers of 4 bytes in a cache line. */
    private static final int LINE_NUMBERS = 16;

    private final KvLayout layout;
    private final boolean isHalf;
    private final int headDim;
    private final int half;
    /** Numbers of one slot in one array, 4 bytes each: floats, or pairs of fp16 numbers. */
    private final int slotStride;

    private final int headStride;
    private final int numSegments;

    // [layers * segments], each segment null until it is written to
    private final float[][] k;
    private final float[][] v;
    private final int[][] kPairs;
    private final int[][] vPairs;
    private final boolean[] isAllocated; // [segments]

    CpuKvCache(KvLayout layout) {
        if (layout.type() == ElementType.BFLOAT16) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "--kv-cache-dtype bfloat16 is not built for the CPU; take auto, float16 or float32");
        }
        this.layout = layout;
        isHalf = layout.type() == ElementType.FLOAT16;
        headDim = layout.headDim();
        half = headDim / 2;
        headStride = isHalf ? half : headDim;
        slotStride = layout.numKvHeads() * headStride;
        numSegments = (layout.numSlots() + SEGMENT_SLOTS - 1) >>> SEGMENT_SHIFT;
        int numArrays = layout.numLayers() * numSegments;
        k = new float[isHalf ? 0 : numArrays][];
        v = new float[isHalf ? 0 : numArrays][];
        kPairs = new int[isHalf ? numArrays : 0][];
        vPairs = new int[isHalf ? numArrays : 0][];
        isAllocated = new boolean[numSegments];
    }

    /** Makes sure that the slots which a step writes to have memory. Not thread-safe: before the step's writes are shared out. */
    void prepare(ForwardBatch batch) {
        for (int token = 0; token < batch.numTokens; token++) {
            int segment = batch.kvSlot[token] >>> SEGMENT_SHIFT;
            if (!isAllocated[segment]) {
                allocate(segment);
            }
        }
    }

    private void allocate(int segment) {
        int slots = Math.min(SEGMENT_SLOTS, layout.numSlots() - segment * SEGMENT_SLOTS);
        try {
            for (int array = segment; array < layout.numLayers() * numSegments; array += numSegments) {
                if (isHalf) {
                    kPairs[array] = new int[slots * slotStride];
                    vPairs[array] = new int[slots * slotStride];
                } else {
                    k[array] = new float[slots * slotStride];
                    v[array] = new float[slots * slotStride];
                }
            }
        } catch (OutOfMemoryError e) {
            throw new EngineException(
                    EngineException.Category.DEVICE,
                    "no Java heap for " + slots * layout.bytesPerSlot()
                            + " bytes of KV cache, which were free at start; raise"
                            + " -Xmx, or lower --max-total-tokens or --mem-fraction-static",
                    e);
        }
        isAllocated[segment] = true;
    }

    /** Index of the array that holds a slot's numbers of a layer. */
    private int arrayOf(int layer, int slot) {
        return layer * numSegments + (slot >>> SEGMENT_SHIFT);
    }

    /** Index of a slot's first number in that array. */
    private int offsetOf(int slot) {
        return (slot & (SEGMENT_SLOTS - 1)) * slotStride;
    }

    static CpuKvCache of(KvCache cache) {
        return (CpuKvCache) cache;
    }

    @Override
    public KvLayout layout() {
        return layout;
    }

    /** Stores all heads' K and V of one token, {@code [kvHeads * headDim]} each, rounded to the cache's type. */
    void write(int layer, int slot, float[] from, int kAt, int vAt) {
        int array = arrayOf(layer, slot);
        int to = offsetOf(slot);
        if (isHalf) {
            writePairs(kPairs[array], to, from, kAt);
            writePairs(vPairs[array], to, from, vAt);
        } else {
            System.arraycopy(from, kAt, k[array], to, slotStride);
            System.arraycopy(from, vAt, v[array], to, slotStride);
        }
    }

    private void writePairs(int[] pairs, int to, float[] from, int at) {
        for (int head = 0; head < layout.numKvHeads(); head++) {
            for (int i = 0; i < half; i++) {
                int low = Float16.fromFloat(from[at + head * headDim + i]);
                int high = Float16.fromFloat(from[at + head * headDim + half + i]);
                pairs[to + head * half + i] = (low & 0xFFFF) | (high << 16);
            }
        }
    }

    /**
     * Reads a number of each cache line that the copies of {@code count} slots will need, so that their misses overlap; the copies
     * themselves have few of them in flight. The sum is of no use.
     */
    int touch(int layer, int kvHead, int[] slots, int from, int count) {
        int sum = 0;
        for (int t = 0; t < count; t++) {
            int slot = slots[from + t];
            int array = arrayOf(layer, slot);
            int at = offsetOf(slot) + kvHead * headStride;
            for (int i = 0; i < headStride; i += LINE_NUMBERS) {
                sum += isHalf
                        ? kPairs[array][at + i] + vPairs[array][at + i]
                        : Float.floatToRawIntBits(k[array][at + i]) + Float.floatToRawIntBits(v[array][at + i]);
            }
        }
        return sum;
    }

    /**
     * Copies one head's K of {@code count} slots transposed: number d of slot t to {@code into[d * tileLen + t]}. Columns from
     * {@code count} on keep what they held.
     *
     * @param pairs scratch, {@code headDim / 2 * tileLen}
     */
    void copyTransposedK(
            int layer, int kvHead, int[] slots, int from, int count, int tileLen, int[] pairs, float[] into) {
        if (!isHalf) {
            for (int t = 0; t < count; t++) {
                int slot = slots[from + t];
                transpose(k[arrayOf(layer, slot)], offsetOf(slot) + kvHead * headStride, headDim, into, t, tileLen);
            }
            return;
        }
        for (int t = 0; t < count; t++) {
            int slot = slots[from + t];
            transpose(kPairs[arrayOf(layer, slot)], offsetOf(slot) + kvHead * headStride, half, pairs, t, tileLen);
        }
        unpackPairs(pairs, 0, half * tileLen, into, 0, half * tileLen);
    }

    private static void transpose(float[] from, int at, int len, float[] into, int column, int stride) {
        for (int d = 0; d < len; d++) {
            into[d * stride + column] = from[at + d];
        }
    }

    private static void transpose(int[] from, int at, int len, int[] into, int column, int stride) {
        for (int d = 0; d < len; d++) {
            into[d * stride + column] = from[at + d];
        }
    }

    /** Copies one head's V of {@code count} slots: number d of slot t to {@code into[t * stride + d]}. */
    void copyV(int layer, int kvHead, int[] slots, int from, int count, int stride, float[] into) {
        for (int t = 0; t < count; t++) {
            int slot = slots[from + t];
            int array = arrayOf(layer, slot);
            int at = offsetOf(slot) + kvHead * headStride;
            if (isHalf) {
                unpackPairs(vPairs[array], at, half, into, t * stride, half);
            } else {
                System.arraycopy(v[array], at, into, t * stride, headDim);
            }
        }
    }

    /** Low halves of {@code len} pairs to {@code into[to..]}, high halves {@code distance} behind. */
    private static void unpackPairs(int[] pairs, int from, int len, float[] into, int to, int distance) {
        int i = 0;
        for (; i + LANES <= len; i += LANES) {
            IntVector vector = IntVector.fromArray(INTS, pairs, from + i);
            Lanes.allLowHalves(vector).intoArray(into, to + i);
            Lanes.allHighHalves(vector).intoArray(into, to + distance + i);
        }
        for (; i < len; i++) {
            into[to + i] = Float16.toFloat((short) pairs[from + i]);
            into[to + distance + i] = Float16.toFloat((short) (pairs[from + i] >>> 16));
        }
    }
}
