package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.INTS;
import static io.radixflow.backend.cpu.Lanes.LANES;

import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.weights.Float16;
import jdk.incubator.vector.IntVector;

/**
 * K and V on the heap, for each layer one array {@code [slots, kvHeads, headDim]} of each.
 *
 * <p>fp16 numbers lie in pairs in an int: numbers i (low half) and {@code i + headDim / 2} (high half) of a head, so that a vector of ints
 * converts to two vectors of neighbours.
 */
final class CpuKvCache implements KvCache {

    private final KvLayout layout;
    private final boolean isHalf;
    private final int headDim;
    private final int half;
    /** Numbers of one slot in one array, 4 bytes each: floats, or pairs of fp16 numbers. */
    private final int slotStride;

    private final int headStride;

    private final float[][] k;
    private final float[][] v;
    private final int[][] kPairs;
    private final int[][] vPairs;

    CpuKvCache(KvLayout layout) {
        this.layout = layout;
        isHalf = layout.type() == ElementType.FLOAT16;
        headDim = layout.headDim();
        half = headDim / 2;
        headStride = isHalf ? half : headDim;
        slotStride = layout.numKvHeads() * headStride;
        long elements = (long) layout.numSlots() * slotStride;
        if (elements > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("KV cache of " + layout.numSlots() + " slots: " + 4 * elements
                    + " bytes for K of one layer, the CPU backend takes at most 8 GiB; lower --max-total-tokens");
        }
        int length = (int) elements;
        k = new float[isHalf ? 0 : layout.numLayers()][length];
        v = new float[isHalf ? 0 : layout.numLayers()][length];
        kPairs = new int[isHalf ? layout.numLayers() : 0][length];
        vPairs = new int[isHalf ? layout.numLayers() : 0][length];
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
        if (isHalf) {
            writePairs(kPairs[layer], slot * slotStride, from, kAt);
            writePairs(vPairs[layer], slot * slotStride, from, vAt);
        } else {
            System.arraycopy(from, kAt, k[layer], slot * slotStride, slotStride);
            System.arraycopy(from, vAt, v[layer], slot * slotStride, slotStride);
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
     * Copies one head's K of {@code count} slots transposed: number d of slot t to {@code into[d * tileLen + t]}. Columns from
     * {@code count} on keep what they held.
     *
     * @param pairs scratch, {@code headDim / 2 * tileLen}
     */
    void copyTransposedK(
            int layer, int kvHead, int[] slots, int from, int count, int tileLen, int[] pairs, float[] into) {
        if (!isHalf) {
            for (int t = 0; t < count; t++) {
                transpose(k[layer], slots[from + t] * slotStride + kvHead * headStride, headDim, into, t, tileLen);
            }
            return;
        }
        for (int t = 0; t < count; t++) {
            transpose(kPairs[layer], slots[from + t] * slotStride + kvHead * headStride, half, pairs, t, tileLen);
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
            int at = slots[from + t] * slotStride + kvHead * headStride;
            if (isHalf) {
                unpackPairs(vPairs[layer], at, half, into, t * stride, half);
            } else {
                System.arraycopy(v[layer], at, into, t * stride, headDim);
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
