package io.radixflow.testkit;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Tensor;
import io.radixflow.model.Model;

/** A deterministic model over {@link FakeBackend}: the next token is a hash of all tokens of the sequence, read through the slot table. */
public final class FakeModel implements Model {

    private final int vocabSize;
    private final FakeBackend.FakeLogits logits;
    private long[] wanted = {}; // fingerprints of the wanted tokens' sequences up to them
    private long numTokens;

    public FakeModel(int vocabSize, int maxSequences) {
        this.vocabSize = vocabSize;
        logits = new FakeBackend.FakeLogits(maxSequences, vocabSize);
    }

    /** Tokens computed since start. */
    public long numTokens() {
        return numTokens;
    }

    /** What a token's log-probability after {@code tokens[0, len)} must be. */
    public static float logprob(int[] tokens, int len, int token) {
        return FakeBackend.logprob(fingerprint(tokens, len), token);
    }

    /** The greedy token after {@code tokens[0, len)}, from first principles. */
    public static int nextToken(int[] tokens, int len, int vocabSize) {
        return (int) Long.remainderUnsigned(fingerprint(tokens, len), vocabSize);
    }

    private static long fingerprint(int[] tokens, int len) {
        long fingerprint = 0;
        for (int i = 0; i < len; i++) {
            fingerprint = mix(fingerprint + content(tokens[i], i));
        }
        return fingerprint;
    }

    @Override
    public KvLayout kvLayout(int numSlots, KvLayout.ElementType type) {
        return new KvLayout(1, numSlots, 1, 1, 2, type);
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    @Override
    public int maxLogitRows() {
        return logits.rows();
    }

    @Override
    public Tensor logits(int firstRow, int rows) {
        System.arraycopy(wanted, firstRow, logits.fingerprint, 0, rows);
        return logits;
    }

    @Override
    public void forward(ForwardBatch batch, KvCache cache) {
        long[] content = ((FakeBackend.FakeKvCache) cache).content;
        numTokens += batch.numTokens;
        checkSegments(batch);
        for (int i = 0; i < batch.numTokens; i++) {
            content[batch.kvSlot[i]] = content(batch.tokenId[i], batch.position[i]);
        }
        if (wanted.length < batch.numLogits) {
            wanted = new long[batch.numLogits];
        }
        for (int i = 0; i < batch.numLogits; i++) {
            wanted[i] = fingerprint(batch, batch.logitToken[i], content);
        }
    }

    private static long fingerprint(ForwardBatch batch, int token, long[] content) {
        for (int s = 0; s < batch.numSequences; s++) {
            int place = token - batch.firstToken[s];
            if (place >= 0 && place < batch.extendLen[s]) {
                int len = batch.cachedLen[s] + place + 1;
                return fingerprint(batch, batch.row[s] * batch.slotTableStride, len, content);
            }
        }
        throw new IllegalStateException("logits are wanted of a token that is in no sequence");
    }

    private static long fingerprint(ForwardBatch batch, int offset, int len, long[] content) {
        long fingerprint = 0;
        for (int i = 0; i < len; i++) {
            fingerprint = mix(fingerprint + content[batch.slotTable[offset + i]]);
        }
        return fingerprint;
    }

    private static void checkSegments(ForwardBatch batch) {
        for (int g = 0; g < batch.numSegments; g++) {
            int first = batch.segmentFirst[g];
            int end = batch.segmentEnd[g];
            check(first >= 0 && first + 2 <= end && end <= batch.numSequences, "places");
            check(batch.segmentFrom[g] < batch.segmentTo[g], "length");
            int row = batch.row[batch.segmentOrder[first]] * batch.slotTableStride;
            for (int place = first; place < end; place++) {
                int s = batch.segmentOrder[place];
                check(batch.segmentTo[g] <= batch.sharedLen[s] && batch.sharedLen[s] <= batch.cachedLen[s], "length");
                for (int i = 0; i < batch.segmentTo[g]; i++) {
                    int slot = batch.slotTable[batch.row[s] * batch.slotTableStride + i];
                    check(slot == batch.slotTable[row + i], "slots");
                }
            }
        }
    }

    private static void check(boolean isTrue, String what) {
        if (!isTrue) {
            throw new IllegalStateException("wrong " + what + " in a shared segment");
        }
    }

    private static long content(int token, int position) {
        return mix(((long) token << 32) + position + 1);
    }

    /** Scrambles all bits (the finalizer of SplitMix64). */
    static long mix(long x) {
        long z = x + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
