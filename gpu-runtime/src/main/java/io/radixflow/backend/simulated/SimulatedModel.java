package io.radixflow.backend.simulated;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Tensor;
import io.radixflow.model.Model;

/**
 * A model without weights: the next token is a hash of all tokens of the sequence, read back from the KV slots that the slot table names.
 * So a mix-up of slots, rows or lengths changes what is generated. Allocates nothing after construction.
 */
public final class SimulatedModel implements Model {

    /** What each row's sequence hashes to, instead of its logits. */
    static final class Logits implements Tensor {

        final long[] fingerprint;
        private final int vocabSize;

        Logits(int rows, int vocabSize) {
            fingerprint = new long[rows];
            this.vocabSize = vocabSize;
        }

        @Override
        public int rows() {
            return fingerprint.length;
        }

        @Override
        public int cols() {
            return vocabSize;
        }
    }

    private final SimulatedBackend backend;
    private final Logits logits;

    /** @param maxSequences most sequences of one step */
    public SimulatedModel(SimulatedBackend backend, int vocabSize, int maxSequences) {
        this.backend = backend;
        logits = new Logits(maxSequences, vocabSize);
    }

    /** The greedy token after {@code tokens[0, len)}, from first principles. */
    public static int nextToken(int[] tokens, int len, int vocabSize) {
        long fingerprint = 0;
        for (int i = 0; i < len; i++) {
            fingerprint = mix(fingerprint + content(tokens[i], i));
        }
        return (int) Long.remainderUnsigned(fingerprint, vocabSize);
    }

    @Override
    public KvLayout kvLayout(int numSlots, KvLayout.ElementType type) {
        return new KvLayout(1, numSlots, 1, 1, 2, type);
    }

    @Override
    public int vocabSize() {
        return logits.cols();
    }

    @Override
    public Tensor forward(ForwardBatch batch, KvCache cache) {
        long[] content = ((SimulatedBackend.Cache) cache).content;
        for (int i = 0; i < batch.numTokens; i++) {
            content[batch.kvSlot[i]] = content(batch.tokenId[i], batch.position[i]);
        }
        int wanted = 0;
        for (int s = 0; s < batch.numSequences; s++) {
            wanted = fingerprints(batch, s, content, wanted);
        }
        if (wanted != batch.numLogits) {
            throw new IllegalStateException("logits are wanted of a token that no sequence has");
        }
        backend.run(batch);
        return logits;
    }

    /** Writes the rows, from {@code wanted} on, of the tokens of sequence s whose logits are wanted; returns the next row. */
    private int fingerprints(ForwardBatch batch, int s, long[] content, int wanted) {
        int offset = batch.row[s] * batch.slotTableStride;
        int firstToken = batch.firstToken[s]
                - batch.cachedLen[s]; // place in the batch of the sequence's first token, if it were there
        int endToken = batch.firstToken[s] + batch.extendLen[s];
        long fingerprint = 0;
        int len = 0;
        int next = wanted;
        while (next < batch.numLogits && batch.logitToken[next] < endToken) {
            int end = batch.logitToken[next] - firstToken + 1;
            for (; len < end; len++) {
                fingerprint = mix(fingerprint + content[batch.slotTable[offset + len]]);
            }
            logits.fingerprint[next++] = fingerprint;
        }
        return next;
    }

    private static long content(int token, int position) {
        return mix(((long) token << 32) + position + 1);
    }

    /** Scrambles all bits: the finalizer of SplitMix64 (Steele et al., 2014). */
    static long mix(long x) {
        long z = x + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
