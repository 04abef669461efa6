package io.radixflow.backend.simulated;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.OpFreeBackend;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.Tensor;

/**
 * The device under a {@link SimulatedModel}: it is busy for as long as the time model says and computes nothing. {@link #synchronize()} lets that
 * time pass on its clock. It has no ops of a transformer; only its own model can run on it.
 *
 * <p>Driven by the engine thread. Allocates nothing per step.
 */
public final class SimulatedBackend extends OpFreeBackend {

    private static final double NANOS_PER_MICRO = 1e3;
    /** Of a device whose decoding rows read together whatever they have in common. */
    private static final SegmentCosts ALWAYS = new SegmentCosts(1, 1, Integer.MAX_VALUE, 1, 0, 0);

    /** Which token lies in a slot, and at which position of its sequence. */
    static final class Cache implements KvCache {

        private final KvLayout layout;
        final long[] content;

        Cache(KvLayout layout) {
            this.layout = layout;
            content = new long[layout.numSlots()];
        }

        @Override
        public KvLayout layout() {
            return layout;
        }
    }

    private final TimeModel times;
    private final SimulatedClock clock;
    private long busyUntilNanos;

    public SimulatedBackend(TimeModel times, SimulatedClock clock) {
        this.times = times;
        this.clock = clock;
        busyUntilNanos = clock.getAsLong();
    }

    /** Keeps the device busy with a step, after what it is busy with already. */
    void run(ForwardBatch batch) {
        long start = Math.max(clock.getAsLong(), busyUntilNanos);
        busyUntilNanos = start + Math.round(times.stepMicros(batch) * NANOS_PER_MICRO);
    }

    @Override
    public boolean isSimulated() {
        return true;
    }

    @Override
    public String description() {
        return "simulated: " + times.name() + ", a time model and no arithmetic, " + clock.description();
    }

    @Override
    public long availableBytes() {
        return Long.MAX_VALUE;
    }

    @Override
    public KvCache allocateKvCache(KvLayout layout) {
        return new Cache(layout);
    }

    @Override
    public SegmentCosts segmentCosts(KvCache cache) {
        return times.readsSharedPrefixOnce() ? ALWAYS : SegmentCosts.NEVER;
    }

    /**
     * Takes the fingerprint as the draw; a temperature mixes in seed and position, so that such draws differ by seed. Allowed and banned ids
     * and grammars are honoured; bias and penalties, which need logits, are not.
     */
    @Override
    public void sample(Tensor logits, SamplingBatch batch, ScoredTokens into) {
        SimulatedModel.Logits rows = (SimulatedModel.Logits) logits;
        for (int i = 0; i < batch.numEntries; i++) {
            long draw = rows.fingerprint[i];
            if (batch.temperature[i] > 0) {
                draw = SimulatedModel.mix(draw ^ SimulatedModel.mix(batch.seed[i]) + batch.position[i]);
            }
            into.tokenId[i] = permitted(draw, batch, i, rows.cols());
        }
        score(logits, batch.numEntries, into, 0);
    }

    /** The first token from the drawn one on that the entry's rules leave. */
    private static int permitted(long draw, SamplingBatch batch, int entry, int vocabSize) {
        int[] allowed = batch.allowedIds[entry];
        int numCandidates = allowed.length == 0 ? vocabSize : allowed.length;
        int first = (int) Long.remainderUnsigned(draw, numCandidates);
        int behind = permittedWithin(first, numCandidates, batch, entry);
        return behind == ScoredTokens.NO_TOKEN ? permittedWithin(0, first, batch, entry) : behind;
    }

    /** The first of the candidates {@code [from, to)} that the rules leave. Where all tokens are, what a grammar forbids is skipped by words. */
    private static int permittedWithin(int from, int to, SamplingBatch batch, int entry) {
        int[] allowed = batch.allowedIds[entry];
        long[] bits = allowed.length == 0 ? batch.allowedBits[entry] : null;
        for (int candidate = from; candidate < to; candidate++) {
            if (bits != null && candidate % Long.SIZE == 0 && isEmpty(bits, candidate)) {
                candidate += Long.SIZE - 1;
                continue;
            }
            int token = allowed.length == 0 ? candidate : allowed[candidate];
            if (!isBanned(token, batch, entry)) {
                return token;
            }
        }
        return ScoredTokens.NO_TOKEN;
    }

    private static boolean isEmpty(long[] bits, int candidate) {
        return candidate >= bits.length * Long.SIZE || bits[candidate / Long.SIZE] == 0;
    }

    private static boolean isBanned(int token, SamplingBatch batch, int entry) {
        long[] bits = batch.allowedBits[entry];
        if (bits != null && (token >= bits.length * Long.SIZE || (bits[token >> 6] >>> token & 1) == 0)) {
            return true;
        }
        for (int i = 0; i < batch.numBanned[entry]; i++) {
            if (batch.bannedIds[entry][i] == token) {
                return true;
            }
        }
        return false;
    }

    /** A hash draws all tokens alike, so all are equally likely, and the lowest ids come first. */
    @Override
    public void score(Tensor logits, int rows, ScoredTokens tokens, int firstEntry) {
        float logprob = (float) -Math.log(logits.cols());
        for (int i = firstEntry; i < firstEntry + rows; i++) {
            tokens.logprob[i] = logprob;
            for (int rank = 0; rank < tokens.numAlternatives[i]; rank++) {
                tokens.alternativeId[i * ScoredTokens.MAX_ALTERNATIVES + rank] = rank;
                tokens.alternativeLogprob[i * ScoredTokens.MAX_ALTERNATIVES + rank] = logprob;
            }
        }
    }

    @Override
    public void synchronize() {
        clock.passUntil(busyUntilNanos);
    }

    @Override
    public void close() {
        // Holds no memory but the Java heap's.
    }
}
