package io.radixflow.testkit;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.SegmentPlanner;
import io.radixflow.backend.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Sequences with fixed q, k and v for every position and scattered slots, some with a common prefix, which a test can run through a
 * backend in steps of its choice.
 */
public final class AttentionScene {

    private final KvLayout layout;
    private final int[] len;
    private final int stride;
    private final int[] slotTable;
    private final float[][] qkv;
    private final float[] angles;

    /**
     * @param len tokens of each sequence
     * @param sharedLen leading tokens that all sequences share, with the same slots
     * @param isRotated random rotary angles, or none at all
     */
    public AttentionScene(KvLayout layout, int[] len, int sharedLen, boolean isRotated, long seed) {
        this(layout, len, new int[len.length], filled(len.length, sharedLen), isRotated, seed);
    }

    /**
     * @param elder for each sequence but the first an earlier one
     * @param sharedLen leading tokens that a sequence shares with its elder, with the same slots
     */
    public AttentionScene(KvLayout layout, int[] len, int[] elder, int[] sharedLen, boolean isRotated, long seed) {
        this.layout = layout;
        this.len = len.clone();
        int maxLen = 0;
        for (int l : len) {
            maxLen = Math.max(maxLen, l);
        }
        stride = maxLen + 3;
        slotTable = new int[len.length * stride];
        qkv = new float[len.length][];
        List<Integer> free = new ArrayList<>();
        for (int slot = 0; slot < layout.numSlots(); slot++) {
            free.add(slot);
        }
        Random random = new Random(seed);
        Collections.shuffle(free, random);
        int used = 0;
        for (int s = 0; s < len.length; s++) {
            qkv[s] = RandomTensors.activations(len[s] * qkvCols(), seed + 1 + s);
            for (int p = 0; p < len[s]; p++) {
                boolean isShared = s > 0 && p < sharedLen[s];
                slotTable[s * stride + p] = isShared ? slotTable[elder[s] * stride + p] : free.get(used++);
            }
            if (s > 0) {
                System.arraycopy(qkv[elder[s]], 0, qkv[s], 0, sharedLen[s] * qkvCols());
            }
        }
        angles = new float[stride * layout.headDim() / 2];
        for (int i = 0; i < angles.length; i++) {
            angles[i] = isRotated ? random.nextFloat() * 6 : 0;
        }
    }

    private static int[] filled(int length, int value) {
        int[] all = new int[length];
        Arrays.fill(all, value);
        return all;
    }

    public int qkvCols() {
        return (layout.numHeads() + 2 * layout.numKvHeads()) * layout.headDim();
    }

    public int outCols() {
        return layout.numHeads() * layout.headDim();
    }

    public int len(int sequence) {
        return len[sequence];
    }

    public Rope rope(Backend backend, Rope.Pairing pairing) {
        float[] cos = new float[angles.length];
        float[] sin = new float[angles.length];
        for (int i = 0; i < angles.length; i++) {
            cos[i] = (float) Math.cos(angles[i]);
            sin[i] = (float) Math.sin(angles[i]);
        }
        int half = layout.headDim() / 2;
        return new Rope(backend.upload(cos, stride, half), backend.upload(sin, stride, half), pairing);
    }

    /** Tokens {@code [from[s], to[s])} of each sequence s with from below to, as one step. */
    public ForwardBatch step(int[] from, int[] to) {
        int numTokens = 0;
        for (int s = 0; s < len.length; s++) {
            numTokens += to[s] - from[s];
        }
        ForwardBatch batch = new ForwardBatch(numTokens, len.length, slotTable, stride);
        for (int s = 0; s < len.length; s++) {
            if (from[s] == to[s]) {
                continue;
            }
            int entry = batch.numSequences++;
            batch.row[entry] = s;
            batch.firstToken[entry] = batch.numTokens;
            batch.cachedLen[entry] = from[s];
            batch.extendLen[entry] = to[s] - from[s];
            for (int p = from[s]; p < to[s]; p++) {
                batch.position[batch.numTokens] = p;
                batch.kvSlot[batch.numTokens++] = slotTable[s * stride + p];
            }
        }
        return batch;
    }

    /** Gives the step the segments that pay at such costs. */
    public void share(ForwardBatch batch, SegmentCosts costs) {
        new SegmentPlanner(batch.numSequences, len.length, costs).plan(batch);
    }

    /** Declares one segment: the first {@code sharedLen} slots of all the step's sequences, which must be the same. */
    public void share(ForwardBatch batch, int sharedLen) {
        batch.numSegments = 1;
        batch.segmentTo[0] = sharedLen;
        batch.segmentEnd[0] = batch.numSequences;
        Arrays.fill(batch.sharedLen, sharedLen);
    }

    /** The step's rows of q, k and v before rotation. */
    public float[] qkv(ForwardBatch batch) {
        float[] rows = new float[batch.numTokens * qkvCols()];
        for (int s = 0; s < batch.numSequences; s++) {
            System.arraycopy(
                    qkv[batch.row[s]],
                    batch.cachedLen[s] * qkvCols(),
                    rows,
                    batch.firstToken[s] * qkvCols(),
                    batch.extendLen[s] * qkvCols());
        }
        return rows;
    }

    /** Rotates, writes and attends; the result, {@code [numTokens, outCols]}, was poisoned before. */
    public Tensor run(Backend backend, KvCache cache, Rope rope, ForwardBatch batch) {
        Tensor rows = backend.upload(qkv(batch), batch.numTokens, qkvCols());
        Tensor out =
                backend.upload(RandomTensors.poison((batch.numTokens + 1) * outCols()), batch.numTokens + 1, outCols());
        for (int layer = 0; layer < layout.numLayers(); layer++) {
            backend.transformAndWriteKv(rows, QkvTransform.rotation(rope), cache, layer, batch);
            backend.attention(rows, cache, layer, batch, out);
        }
        backend.synchronize();
        return out;
    }
}
