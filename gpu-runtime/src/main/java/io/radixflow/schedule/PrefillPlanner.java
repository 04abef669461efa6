package io.radixflow.schedule;

import org.jspecify.annotations.Nullable;

/**
 * Fills a step's prefill: first the next chunks of sequences already admitted, then new sequences while budget, rows and memory last.
 *
 * <p>A sequence is admitted if the pool has room for its tokens and for the share of future tokens that all running sequences are expected
 * to need. It is passed over while another one computes a prefix that both have and that isn't cached yet: reading it from the cache
 * a few steps later beats computing it twice.
 *
 * <p>A sequence that was retracted {@value #MAX_RETRACTIONS} times comes back only when all that run with it have room for the longest outputs
 * that they may have, and as long as it runs nobody is admitted who would change that. So it is never retracted again.
 */
final class PrefillPlanner {

    /** Tokens of a shared prefix worth waiting for. */
    static final int MIN_SHARED_LEN = 32;
    /** Most retractions of one sequence for want of memory. */
    static final int MAX_RETRACTIONS = 3;
    /** Most future tokens of one sequence for which room is kept: long limits are rarely used up. */
    private static final int MAX_EXPECTED_LEN = 4096;

    private final SchedulerConfig config;
    private final SequenceKv kv;
    private final RowTable rows;
    private final WaitingQueue waiting;
    private final NewTokenRatio ratio;
    private final DecodeSet decoding;
    /** Those that decoded before, then in order of admission. */
    private final @Nullable Sequence[] prefilling;

    private int numPrefilling;

    PrefillPlanner(
            SchedulerConfig config,
            SequenceKv kv,
            RowTable rows,
            WaitingQueue waiting,
            NewTokenRatio ratio,
            DecodeSet decoding) {
        this.config = config;
        this.kv = kv;
        this.rows = rows;
        this.waiting = waiting;
        this.ratio = ratio;
        this.decoding = decoding;
        prefilling = new Sequence[config.maxRunning()];
    }

    int numPrefilling() {
        return numPrefilling;
    }

    @SuppressWarnings("NullAway") // places below numPrefilling are never null
    Sequence get(int place) {
        return prefilling[place];
    }

    void remove(Sequence sequence) {
        int place = 0;
        while (get(place) != sequence) {
            place++;
        }
        numPrefilling--;
        System.arraycopy(prefilling, place + 1, prefilling, place, numPrefilling - place);
        prefilling[numPrefilling] = null;
    }

    /** A sequence that was decoding has several tokens to compute: it goes first, as decoding ones do. */
    void addFirst(Sequence sequence) {
        System.arraycopy(prefilling, 0, prefilling, 1, numPrefilling++);
        prefilling[0] = sequence;
    }

    /** Adds chunks to {@code plan} and takes their slots. */
    void plan(StepPlan plan, long nowNanos) {
        int budget = config.chunkedPrefillSize();
        for (int place = 0; place < numPrefilling && budget > 0; place++) {
            budget -= planChunk(get(place), budget, plan);
        }
        int admittedLen = 0;
        while (budget > 0 && rows.numFree() > 0) {
            Sequence candidate = waiting.next();
            if (candidate == null) {
                break;
            }
            kv.matchAndLock(candidate);
            if (isComputedElsewhere(candidate)) {
                kv.unlock(candidate);
                if (!waiting.passOver(candidate)) {
                    break;
                }
                continue;
            }
            int extendLen = candidate.len - candidate.cached.len;
            boolean fitsStep = admittedLen == 0 || admittedLen + extendLen <= config.maxPrefillTokens();
            if (!fitsStep || !fitsPool(candidate)) {
                kv.unlock(candidate);
                break;
            }
            admittedLen += extendLen;
            admit(candidate, nowNanos);
            budget -= planChunk(candidate, budget, plan);
        }
        waiting.restorePassedOver();
    }

    /** Returns the tokens planned, fewer than asked for (perhaps none) if memory is short. */
    private int planChunk(Sequence sequence, int budget, StepPlan plan) {
        int chunk = Math.min(Math.min(budget, sequence.len - sequence.kvLen), kv.mostTokens(sequence));
        if (chunk > 0 && kv.allocate(sequence, chunk)) {
            plan.addPrefill(sequence, chunk);
        }
        return chunk;
    }

    private void admit(Sequence sequence, long nowNanos) {
        waiting.admit(sequence);
        kv.start(sequence);
        sequence.phase = Sequence.Phase.PREFILL;
        if (!sequence.wasStarted) {
            sequence.wasStarted = true;
            sequence.firstCachedLen = Math.min(sequence.cached.len, sequence.promptLen());
            sequence.queueNanos = nowNanos - sequence.arrivalNanos;
            sequence.reserve(config.contextLen());
        }
        prefilling[numPrefilling++] = sequence;
    }

    private boolean isComputedElsewhere(Sequence candidate) {
        for (int place = 0; place < numPrefilling; place++) {
            int shared =
                    kv.sharedLen(Math.min(candidate.maxCachedLen(), get(place).commonLen(candidate)));
            if (shared - candidate.cached.len >= MIN_SHARED_LEN) {
                return true;
            }
        }
        return false;
    }

    /** Whether the pool has room for the candidate beside what runs, which it needn't if nothing does: no request is too big for it alone. */
    private boolean fitsPool(Sequence candidate) {
        if (decoding.size() + numPrefilling == 0) {
            return true;
        }
        boolean isForSure = isForSure(candidate);
        long needed = (long) kv.slotsOf(candidate.len + expectedLen(candidate, isForSure)) - candidate.cached.len;
        for (int place = 0; place < decoding.size(); place++) {
            needed += neededSlots(decoding.get(place), isForSure);
        }
        for (int place = 0; place < numPrefilling; place++) {
            needed += neededSlots(get(place), isForSure);
        }
        return needed <= kv.numAvailable();
    }

    /** Whether a sequence that must not be retracted again runs or is about to. */
    private boolean isForSure(Sequence candidate) {
        boolean isForSure = candidate.numRetractions >= MAX_RETRACTIONS;
        for (int place = 0; place < decoding.size(); place++) {
            isForSure |= decoding.get(place).numRetractions >= MAX_RETRACTIONS;
        }
        for (int place = 0; place < numPrefilling; place++) {
            isForSure |= get(place).numRetractions >= MAX_RETRACTIONS;
        }
        return isForSure;
    }

    private int neededSlots(Sequence sequence, boolean isForSure) {
        return kv.missingSlots(sequence, sequence.len - sequence.kvLen + expectedLen(sequence, isForSure));
    }

    /** Tokens that a sequence is expected to get yet, at most. */
    private int expectedLen(Sequence sequence, boolean isForSure) {
        int most = sequence.remainingLen(config.contextLen());
        return isForSure ? most : (int) Math.ceil(ratio.current() * Math.min(MAX_EXPECTED_LEN, most));
    }
}
