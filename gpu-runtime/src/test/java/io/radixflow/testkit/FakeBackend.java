package io.radixflow.testkit;

import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.OpFreeBackend;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.Tensor;

/**
 * A backend without arithmetic: a slot of its KV cache keeps which token lies there and at which position, and {@link FakeModel} makes the
 * next token from what it reads back through the slot table. So any mix-up of slots, rows or lengths changes the text.
 *
 * <p>Allocates nothing per step.
 */
public final class FakeBackend extends OpFreeBackend {

    /** Kept tokens, one long a slot. */
    static final class FakeKvCache implements KvCache {
        private final KvLayout layout;
        final long[] content;

        FakeKvCache(KvLayout layout) {
            this.layout = layout;
            content = new long[layout.numSlots()];
        }

        @Override
        public KvLayout layout() {
            return layout;
        }
    }

    /** A fingerprint of the whole sequence for each row instead of logits. */
    static final class FakeLogits implements Tensor {
        final long[] fingerprint;
        final int vocabSize;

        FakeLogits(int rows, int vocabSize) {
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

    private boolean isClosed;

    public boolean isClosed() {
        return isClosed;
    }

    @Override
    public String description() {
        return "fake backend";
    }

    @Override
    public long availableBytes() {
        return 1 << 20;
    }

    @Override
    public KvCache allocateKvCache(KvLayout layout) {
        return new FakeKvCache(layout);
    }

    /** Draws from the fingerprint; sampled draws mix in the seed and the position, penalised ones the output so far. */
    @Override
    public void sample(Tensor logits, SamplingBatch batch, ScoredTokens into) {
        FakeLogits fake = (FakeLogits) logits;
        for (int i = 0; i < batch.numEntries; i++) {
            long draw = fake.fingerprint[i];
            if (batch.temperature[i] > 0) {
                draw = FakeModel.mix(draw ^ FakeModel.mix(batch.seed[i]) + batch.position[i]);
            }
            if (batch.frequencyPenalty[i] != 0) {
                for (int t = 0; t < batch.promptLen[i] + batch.outputLen[i]; t++) {
                    draw = FakeModel.mix(draw + batch.tokens[i][t]);
                }
            }
            into.tokenId[i] = draw(draw, batch, i, fake.vocabSize);
        }
        score(logits, batch.numEntries, into, 0);
    }

    /** The first token from the drawn one on that the entry's rules leave. */
    private static int draw(long draw, SamplingBatch batch, int entry, int vocabSize) {
        int[] allowed = batch.allowedIds[entry];
        int numCandidates = allowed.length == 0 ? vocabSize : allowed.length;
        int drawn = (int) Long.remainderUnsigned(draw, numCandidates);
        for (int i = 0; i < numCandidates; i++) {
            int candidate = (drawn + i) % numCandidates;
            int token = allowed.length == 0 ? candidate : allowed[candidate];
            if (!isBanned(token, batch, entry)) {
                return token;
            }
        }
        return ScoredTokens.NO_TOKEN;
    }

    private static boolean isBanned(int token, SamplingBatch batch, int entry) {
        for (int i = 0; i < batch.numBanned[entry]; i++) {
            if (batch.bannedIds[entry][i] == token) {
                return true;
            }
        }
        return false;
    }

    /** The likeliest tokens follow the greedy one; a log-probability is a function of the fingerprint and the token. */
    @Override
    public void score(Tensor logits, int rows, ScoredTokens tokens, int firstEntry) {
        for (int row = 0; row < rows; row++) {
            int i = firstEntry + row;
            long fingerprint = ((FakeLogits) logits).fingerprint[row];
            int first = (int) Long.remainderUnsigned(fingerprint, logits.cols());
            tokens.logprob[i] = logprob(fingerprint, tokens.tokenId[i]);
            for (int rank = 0; rank < tokens.numAlternatives[i]; rank++) {
                int at = i * ScoredTokens.MAX_ALTERNATIVES + rank;
                tokens.alternativeId[at] = (first + rank) % logits.cols();
                tokens.alternativeLogprob[at] = logprob(fingerprint, tokens.alternativeId[at]);
            }
        }
    }

    static float logprob(long fingerprint, int token) {
        return -(FakeModel.mix(fingerprint + token) >>> 40) * 0x1p-24f;
    }

    @Override
    public void synchronize() {
        if (isClosed) {
            throw new IllegalStateException("the backend is closed");
        }
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
