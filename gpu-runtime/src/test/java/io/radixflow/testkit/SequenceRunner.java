package io.radixflow.testkit;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Tensor;
import io.radixflow.model.Model;

/**
 * Drives a model with one sequence and no scheduler. KV slots are scattered, so that an index taken for a slot is noticed.
 *
 * <p>One thread. {@link #restart()} begins another sequence over the same slots.
 */
public final class SequenceRunner {

    private static final int SLOT_STRIDE = 7;

    private final Model model;
    private final Backend backend;
    private final KvCache cache;
    private final ForwardBatch batch;
    private final int[] slotTable;
    private final int maxTokens;
    private int sequenceLen;

    /**
     * @param maxTokens most tokens of one step; the model must have been loaded for as many tokens and rows of logits
     * @param contextLen most tokens of a sequence
     */
    public SequenceRunner(Model model, Backend backend, int maxTokens, int contextLen, KvLayout.ElementType kvType) {
        this.model = model;
        this.backend = backend;
        this.maxTokens = maxTokens;
        int numSlots = contextLen % SLOT_STRIDE == 0 ? contextLen + 1 : contextLen;
        cache = backend.allocateKvCache(model.kvLayout(numSlots, kvType));
        slotTable = new int[contextLen];
        for (int position = 0; position < contextLen; position++) {
            slotTable[position] = (position * SLOT_STRIDE + 3) % numSlots;
        }
        batch = new ForwardBatch(maxTokens, maxTokens, slotTable, contextLen);
    }

    public void restart() {
        sequenceLen = 0;
    }

    /** Computes {@code ids} after those of earlier calls, {@code chunkLen} a step, and returns the logits of each. */
    public float[][] append(int[] ids, int chunkLen) {
        float[][] logits = new float[ids.length][model.vocabSize()];
        for (int from = 0; from < ids.length; from += chunkLen) {
            int count = Math.min(chunkLen, ids.length - from);
            step(ids, from, count, 0);
            Tensor chunk = model.logits(0, count);
            for (int i = 0; i < count; i++) {
                backend.read(chunk, i, 1, logits[from + i]);
            }
        }
        return logits;
    }

    /** Computes {@code ids} in as few steps as fit and writes the last one's logits to {@code into}. */
    public void appendForLast(int[] ids, float[] into) {
        for (int from = 0; from < ids.length; from += maxTokens) {
            int count = Math.min(maxTokens, ids.length - from);
            boolean isLast = from + count == ids.length;
            step(ids, from, count, isLast ? count - 1 : count);
            if (isLast) {
                backend.read(model.logits(0, 1), 0, 1, into);
            }
        }
    }

    /** One step whose logits are wanted from token {@code firstWanted} of it on. */
    private void step(int[] ids, int from, int count, int firstWanted) {
        batch.numTokens = count;
        batch.numSequences = 1;
        batch.row[0] = 0;
        batch.firstToken[0] = 0;
        batch.cachedLen[0] = sequenceLen;
        batch.extendLen[0] = count;
        batch.numLogits = 0;
        for (int i = 0; i < count; i++) {
            batch.tokenId[i] = ids[from + i];
            batch.position[i] = sequenceLen + i;
            batch.kvSlot[i] = slotTable[sequenceLen + i];
            if (i >= firstWanted) {
                batch.logitToken[batch.numLogits++] = i;
            }
        }
        sequenceLen += count;
        backend.runStep(batch, () -> {
            model.forward(batch, cache);
            return null;
        });
        backend.finishStep();
    }
}
