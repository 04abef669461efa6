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
    private long[] wanted = {}; // [maxTokens] what the sequences up to the wanted tokens hash to

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
    public int maxLogitRows() {
        return logits.rows();
    }

    @Override
    public void forward(ForwardBatch batch, KvCache cache) {
        long[] content = ((SimulatedBackend.Cache) cache).content;
        for (int i = 0; i < batch.numTokens; i++) {
            content[batch.kvSlot[i]] = content(batch.tokenId[i], batch.position[i]);
        }
        if (wanted.length < batch.numLogits) {
            wanted = new long[batch.logitToken.length];
        }
        int sequence = 0;
        for (int i = 0; i < batch.numLogits; i++) {
            sequence = i == batch.numSampled ? 0 : sequence; // both parts are in the order of tokens, so of sequences
            int token = batch.logitToken[i];
            while (token >= batch.firstToken[sequence] + batch.extendLen[sequence]) {
                sequence++;
            }
            int len = batch.cachedLen[sequence] + token - batch.firstToken[sequence] + 1;
            wanted[i] = fingerprint(batch, sequence, len, content);
        }
        backend.run(batch);
    }

    private static long fingerprint(ForwardBatch batch, int sequence, int len, long[] content) {
        int offset = batch.row[sequence] * batch.slotTableStride;
        long fingerprint = 0;
        for (int i = 0; i < len; i++) {
            fingerprint = mix(fingerprint + content[batch.slotTable[offset + i]]);
        }
        return fingerprint;
    }

    @Override
    public Tensor logits(int firstRow, int rows) {
        System.arraycopy(wanted, firstRow, logits.fingerprint, 0, rows);
        return logits;
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
