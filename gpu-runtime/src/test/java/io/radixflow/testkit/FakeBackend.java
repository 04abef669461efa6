package io.radixflow.testkit;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.OpFreeBackend;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.StepOps;
import io.radixflow.backend.Tensor;
import java.util.ArrayDeque;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A backend without arithmetic: a slot of its KV cache keeps which token lies there and at which position, and {@link FakeModel} makes the
 * next token from what it reads back through the slot table. So any mix-up of slots, rows or lengths changes the text.
 *
 * <p>It computes at once, but with two steps in flight it hands out a step's results only when that is finished, as a device would that works
 * while the host goes on. Allocates nothing per step.
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

    private static final int NOT_YET = -77;
    private static final ScoredTokens END_OF_STEP = new ScoredTokens(0);

    private final int maxStepsInFlight;
    /** The columns that wait for their results, step by step. */
    private final ArrayDeque<ScoredTokens> unfinished = new ArrayDeque<>();

    private final IdentityHashMap<ScoredTokens, ScoredTokens> results = new IdentityHashMap<>();
    private ForwardBatch forward = new ForwardBatch(0, 0, new int[0], 1);
    private int[] drawn = {};
    private int numStepsInFlight;
    private boolean isClosed;
    private long numReplayed;

    public FakeBackend() {
        this(1);
    }

    public FakeBackend(int maxStepsInFlight) {
        this.maxStepsInFlight = maxStepsInFlight;
    }

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

    /** Such that some segments pay. */
    @Override
    public SegmentCosts segmentCosts(KvCache cache) {
        return new SegmentCosts(1, 4, 8, 1, 2, 5);
    }

    /** As if all decode steps came from graphs. */
    @Override
    public long numReplayedSteps() {
        return numReplayed;
    }

    @Override
    public long usedBytes() {
        return 1 << 20;
    }

    @Override
    public int maxStepsInFlight() {
        return maxStepsInFlight;
    }

    /** Puts the tokens that the last step drew where the batch names them by their entries. */
    @Override
    public @Nullable Tensor runStep(ForwardBatch batch, StepOps ops) {
        if (++numStepsInFlight > maxStepsInFlight) {
            throw new IllegalStateException(numStepsInFlight + " steps are in flight");
        }
        for (int i = 0; i < batch.numTokens; i++) {
            if (batch.tokenId[i] < 0) {
                batch.tokenId[i] = Math.max(0, drawn[-1 - batch.tokenId[i]]);
            }
        }
        numReplayed += batch.numTokens == batch.numSequences ? 1 : 0;
        forward = batch;
        unfinished.add(END_OF_STEP);
        return ops.enqueue();
    }

    @Override
    public void finishStep() {
        synchronize();
        numStepsInFlight--;
        unfinished.remove();
        while (!unfinished.isEmpty() && unfinished.element() != END_OF_STEP) {
            ScoredTokens into = unfinished.remove();
            ScoredTokens result = result(into);
            System.arraycopy(result.tokenId, 0, into.tokenId, 0, into.tokenId.length);
            System.arraycopy(result.logprob, 0, into.logprob, 0, into.logprob.length);
            System.arraycopy(result.alternativeId, 0, into.alternativeId, 0, into.alternativeId.length);
            System.arraycopy(result.alternativeLogprob, 0, into.alternativeLogprob, 0, into.alternativeLogprob.length);
        }
    }

    private ScoredTokens result(ScoredTokens into) {
        ScoredTokens result = results.get(into);
        if (result == null) {
            result = new ScoredTokens(into.tokenId.length);
            results.put(into, result);
        }
        return result;
    }

    /** Draws from the fingerprint; sampled draws mix in the seed and the position, penalised ones the output so far. */
    @Override
    public void sample(Tensor logits, SamplingBatch batch, ScoredTokens into) {
        FakeLogits fake = (FakeLogits) logits;
        ScoredTokens result = result(into);
        if (drawn.length < into.tokenId.length) {
            drawn = new int[into.tokenId.length];
        }
        for (int i = 0; i < batch.numEntries; i++) {
            long draw = fake.fingerprint[i];
            if (batch.temperature[i] > 0) {
                draw = FakeModel.mix(draw ^ FakeModel.mix(batch.seed[i]) + batch.position[i]);
            }
            if (batch.frequencyPenalty[i] != 0) {
                int len = batch.promptLen[i] + batch.outputLen[i];
                for (int t = 0; t < len - 1; t++) {
                    draw = FakeModel.mix(draw + batch.tokens[i][t]);
                }
                draw = FakeModel.mix(draw + forward.tokenId[forward.logitToken[i]]);
            }
            result.tokenId[i] = draw(draw, batch, i, fake.vocabSize);
            drawn[i] = result.tokenId[i];
            into.tokenId[i] = NOT_YET;
        }
        scoreRows(logits, batch.numEntries, into, result, 0);
        unfinished.add(into);
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
        long[] bits = batch.allowedBits[entry];
        if (bits != null && (bits[token >> 6] >>> token & 1) == 0) {
            return true;
        }
        for (int i = 0; i < batch.numBanned[entry]; i++) {
            if (batch.bannedIds[entry][i] == token) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void score(Tensor logits, int rows, ScoredTokens tokens, int firstEntry) {
        ScoredTokens result = result(tokens);
        System.arraycopy(tokens.tokenId, firstEntry, result.tokenId, firstEntry, rows);
        scoreRows(logits, rows, tokens, result, firstEntry);
        if (unfinished.getLast() != tokens) {
            unfinished.add(tokens);
        }
    }

    /** The likeliest tokens follow the greedy one; a log-probability is a function of the fingerprint and the token. */
    private static void scoreRows(Tensor logits, int rows, ScoredTokens wanted, ScoredTokens result, int firstEntry) {
        for (int row = 0; row < rows; row++) {
            int i = firstEntry + row;
            long fingerprint = ((FakeLogits) logits).fingerprint[row];
            int first = (int) Long.remainderUnsigned(fingerprint, logits.cols());
            result.logprob[i] = logprob(fingerprint, result.tokenId[i]);
            for (int rank = 0; rank < wanted.numAlternatives[i]; rank++) {
                int at = i * ScoredTokens.MAX_ALTERNATIVES + rank;
                result.alternativeId[at] = (first + rank) % logits.cols();
                result.alternativeLogprob[at] = logprob(fingerprint, result.alternativeId[at]);
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
