package io.radixflow.schedule;

import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.cache.IndexedHeap;
import io.radixflow.cache.KvPool;
import io.radixflow.engine.CacheNamespace;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.schedule.SchedulerConfig.Policy;
import io.radixflow.schedule.Sequence.Phase;
import java.util.BitSet;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Orders a step: who decodes, who is prefilled, who must go back to waiting. Continuous batching with chunked prefill mixed in, after
 * Orca [1], Sarathi [2] and SGLang.
 *
 * <p>A step is planned, enqueued, {@link #advance advanced} over and, once its tokens are here, {@link #commit committed}. On a device that works
 * while the host plans, the next step is planned and advanced over before this one is committed: all that planning needs but the tokens
 * themselves is known, and slots freed meanwhile are written again by later steps only, which the device runs in order.
 *
 * <p>Decoding sequences always get their token; if the pool is too small for that, the least progressed sequence is retracted: its KV stays in
 * the tree as long as it can, and it goes on later with the same tokens. That is only done when all steps are committed. The last one
 * running can't be helped so and ends with ABORT.
 *
 * <p>Owned by the engine thread. A step that only decodes allocates nothing.
 *
 * <p>[1] Yu et al., "Orca", OSDI 2022. [2] Agrawal et al., "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
 * OSDI 2024.
 */
public final class Scheduler {

    /** Hears of sequences that the scheduler itself ends. */
    public interface EndListener {
        /** The sequence is gone from the scheduler. */
        void onEnd(Sequence sequence, FinishReason reason);
    }

    private static final class DeadlineHeap extends IndexedHeap<Sequence> {
        @Override
        protected boolean isBefore(Sequence a, Sequence b) {
            return a.request().deadlineNanos() - b.request().deadlineNanos() < 0;
        }

        @Override
        protected int place(Sequence sequence) {
            return sequence.deadlinePlace;
        }

        @Override
        protected void setPlace(Sequence sequence, int place) {
            sequence.deadlinePlace = place;
        }
    }

    private final SchedulerConfig config;
    private final LongSupplier nanoClock;
    private final EndListener endListener;
    private final KvPool pool;
    private final RowTable rows;
    private final SequenceKv kv;
    private final WaitingQueue waiting;
    private final DecodeSet decoding;
    private final NewTokenRatio ratio;
    private final PrefillPlanner prefill;
    /** In turns: the one under way, and the next. */
    private final StepPlan[] plans;

    private int nextPlan;
    private int numUnderWay;
    private final SequenceList ending = new SequenceList();
    private final DeadlineHeap deadlines = new DeadlineHeap();
    private final SchedulerCounters counters = new SchedulerCounters();

    private long numArrivals;
    private int stepsSinceForcedRetraction;

    public Scheduler(SchedulerConfig config, LongSupplier nanoClock, EndListener endListener) {
        this.config = config;
        this.nanoClock = nanoClock;
        this.endListener = endListener;
        pool = new KvPool(config.numSlots(), config.pageSize(), config.evictionOrder());
        rows = new RowTable(config.maxRunning(), config.rowStride());
        kv = new SequenceKv(pool, rows, config.hasRadixCache());
        waiting = new WaitingQueue(pool.tree(), config.policy());
        decoding = new DecodeSet(rows, config.maxRunning());
        ratio = new NewTokenRatio(config.conservativeness());
        prefill = new PrefillPlanner(config, kv, rows, waiting, ratio, decoding);
        plans = new StepPlan[] {new StepPlan(config.maxRunning()), new StepPlan(config.maxRunning())};
    }

    public RowTable rows() {
        return rows;
    }

    public int numRunning() {
        return numGoingOn() + ending.size();
    }

    /** Those that will be in the next steps. */
    private int numGoingOn() {
        return decoding.size() + prefill.numPrefilling();
    }

    public int numWaiting() {
        return waiting.size();
    }

    /** Slots in use by running sequences. */
    public int numUsedTokens() {
        return pool.numSlots() - pool.numAvailable();
    }

    public SchedulerCounters counters() {
        return counters;
    }

    /**
     * Refuses what could never run. Thread-safe.
     *
     * @throws EngineException of category INVALID_REQUEST that names the need and the limit
     */
    public static void checkFits(GenerationRequest request, int contextLen, int numSlots) {
        int len = request.promptIds().length + request.outputIds().length;
        if (len >= contextLen) {
            throw new EngineException(
                    EngineException.Category.INVALID_REQUEST,
                    "prompt of " + len + " tokens leaves no room for an answer in the context length of " + contextLen
                            + "; at most " + (contextLen - 1) + " tokens fit");
        }
        if (len > numSlots) {
            throw new EngineException(
                    EngineException.Category.INVALID_REQUEST,
                    "prompt of " + len + " tokens needs as many KV slots, the pool has " + numSlots
                            + "; raise --max-total-tokens");
        }
    }

    /** Queues a new sequence whose request passed {@link #checkFits}. */
    public void add(Sequence sequence) {
        sequence.arrival = numArrivals++;
        sequence.arrivalNanos = nanoClock.getAsLong();
        if (sequence.request().deadlineNanos() != GenerationRequest.NO_DEADLINE) {
            deadlines.add(sequence);
        }
        waiting.add(sequence);
    }

    /** Queues a new sequence that was announced and uses up one of the announcement's uses. */
    public void addAnnounced(Sequence sequence, ExpectedPrompt announcement) {
        sequence.isAnnounced = true;
        add(sequence);
        endUses(announcement, 1);
    }

    /** Notes that {@code num} sequences to come need a prefix. */
    public ExpectedPrompt announce(CacheNamespace namespace, int[] prefixIds, int num) {
        ExpectedPrompt announcement = new ExpectedPrompt(namespace, prefixIds, prefixIds.length, numArrivals);
        pool.tree().expect(announcement, num);
        return announcement;
    }

    /** Those of the announced that have not been added won't come. */
    public void withdraw(ExpectedPrompt announcement) {
        endUses(announcement, announcement.numUses());
    }

    private void endUses(ExpectedPrompt announcement, int num) {
        if (announcement.numUses() > 0) { // none if the order of eviction doesn't ask for it
            pool.tree().endUses(announcement, num);
        }
    }

    /** Takes a sequence out for good, finished or aborted; what it computed stays cached. */
    public void end(Sequence sequence) {
        if (sequence.deadlinePlace != IndexedHeap.ABSENT) {
            deadlines.remove(sequence);
        }
        if (sequence.phase == Phase.WAITING) {
            waiting.remove(sequence);
        } else {
            stop(sequence);
        }
        sequence.phase = Phase.ENDED;
    }

    /**
     * Chooses what the next step computes and takes its slots; a plan without sequences if there is nothing to do. If a step is under way, an empty
     * plan may also mean that somebody must be retracted, for which it must be committed first.
     */
    public StepPlan plan() {
        StepPlan plan = plans[nextPlan];
        long now = nanoClock.getAsLong();
        plan.clear();
        endExpired(now);
        if (numUnderWay > 0 && (isRetractionForced() || kv.numAvailable() < decodeSlots())) {
            return plan;
        }
        retractIfForced();
        makeRoomForDecode();
        takeDecodeSlots(plan);
        prefill.plan(plan, now);
        while (plan.numSequences() == 0 && prefill.numPrefilling() > 0 && numUnderWay == 0) {
            retractOne(); // several prompts are half computed and fill the pool: the older go first
            prefill.plan(plan, now);
        }
        if (numRunning() == 0) {
            ratio.reset();
        } else if (plan.numDecode() > 0) {
            ratio.decayStep();
        }
        return plan;
    }

    /**
     * Counts the planned step as done, which it will be before any later one: its tokens have KV, prompts enter the cache, and each sampled
     * sequence has one token more, unknown until {@link #commit}. The plan stays valid until then.
     */
    public void advance(StepPlan plan) {
        for (int place = 0; place < plan.numSequences(); place++) {
            Sequence sequence = plan.sequence(place);
            sequence.kvLen += plan.chunkLen(place);
            if (sequence.phase == Phase.PREFILL) {
                kv.share(sequence);
                waiting.onCached(sequence, sequence.kvLen);
            }
            if (plan.isSampled(place)) {
                sequence.appendUnknown();
                goOn(sequence);
            }
        }
        counters.computedPromptTokens += plan.numPrefillTokens();
        nextPlan = (nextPlan + 1) % plans.length;
        numUnderWay++;
    }

    /** After a sequence got a token: it decodes from its first one on, until it has all. */
    private void goOn(Sequence sequence) {
        boolean isFirst = sequence.phase == Phase.PREFILL;
        boolean isLast = sequence.remainingLen(config.contextLen()) <= 0;
        if (isFirst) {
            prefill.remove(sequence);
            countStart(sequence);
        } else if (isLast) {
            decoding.remove(sequence);
        }
        if (isLast) {
            sequence.phase = Phase.ENDING;
            ending.append(sequence);
        } else if (isFirst) {
            sequence.phase = Phase.DECODE;
            decoding.add(sequence);
        }
    }

    private void countStart(Sequence sequence) {
        if (!sequence.isCounted) {
            sequence.isCounted = true;
            counters.numStarted++;
            counters.promptTokens += sequence.promptLen();
            counters.cachedTokens += sequence.firstCachedLen;
        }
    }

    /**
     * Books the tokens of the oldest step that isn't committed. Sequences that have ended meanwhile don't get theirs.
     *
     * @param sampledIds token of each sequence of the plan that {@link StepPlan#isSampled}, in order; negative if none could be drawn, and
     *     the sequence must be ended then
     * @return tokens booked
     */
    public int commit(StepPlan plan, int[] sampledIds) {
        int numSampled = 0;
        int numTokens = 0;
        for (int place = 0; place < plan.numSequences(); place++) {
            if (plan.isSampled(place)) {
                int token = sampledIds[numSampled++];
                Sequence sequence = plan.sequence(place);
                if (token >= 0 && sequence.phase != Phase.ENDED) {
                    numTokens++;
                    sequence.learn(token);
                }
            }
        }
        numUnderWay--;
        return numTokens;
    }

    /**
     * Puts another token in the place of a sequence's last one, for which no KV is computed yet. No step may be under way.
     */
    public void replaceLast(Sequence sequence, int token) {
        checkNothingUnderWay();
        sequence.replaceLast(token);
    }

    /**
     * Gives a sequence a token that is known without a draw; there must be room for it in the sequence. What has not been computed is computed
     * together, in the next step. No step may be under way.
     */
    public void append(Sequence sequence, int token) {
        checkNothingUnderWay();
        sequence.append(token);
        if (sequence.phase == Phase.DECODE) {
            decoding.remove(sequence);
            prefill.addFirst(sequence);
            sequence.phase = Phase.PREFILL;
        }
    }

    private void checkNothingUnderWay() {
        if (numUnderWay > 0) {
            throw new IllegalStateException("tokens are changed while a step with them is under way");
        }
    }

    private void endExpired(long now) {
        for (Sequence first = deadlines.peek();
                first != null && first.request().deadlineNanos() - now <= 0;
                first = deadlines.peek()) {
            end(first);
            endListener.onEnd(first, FinishReason.TIMEOUT);
        }
    }

    /** Takes only a sequence that decodes: each has got a token since it was admitted, so all come to an end. */
    private void retractIfForced() {
        if (isRetractionForced()) {
            stepsSinceForcedRetraction = 0;
            retract(leastProgressed(decoding.size()));
        } else if (decoding.size() > 0) {
            stepsSinceForcedRetraction++;
        }
    }

    private boolean isRetractionForced() {
        return config.retractEverySteps() > 0
                && decoding.size() > 0
                && stepsSinceForcedRetraction + 1 >= config.retractEverySteps();
    }

    private void makeRoomForDecode() {
        while (kv.numAvailable() < decodeSlots()) {
            retractOne();
        }
    }

    /** Slots that the next token of each decoding sequence takes. */
    private int decodeSlots() {
        int num = 0;
        for (int place = 0; place < decoding.size(); place++) {
            num += kv.missingSlots(decoding.get(place), 1);
        }
        return num;
    }

    private void takeDecodeSlots(StepPlan plan) {
        for (int place = 0; place < decoding.size(); place++) {
            if (!kv.allocate(decoding.get(place), 1)) {
                throw new IllegalStateException("no slot for a decoding sequence, although room was made");
            }
        }
        plan.addDecode(decoding);
    }

    private void retractOne() {
        Sequence sequence = leastProgressed(numGoingOn());
        if (numGoingOn() > 1) {
            sequence.numRetractions++;
            retract(sequence);
            raiseRatio();
        } else {
            end(sequence);
            endListener.onEnd(sequence, FinishReason.ABORT);
        }
    }

    private void retract(Sequence sequence) {
        stop(sequence);
        sequence.phase = Phase.WAITING;
        waiting.addRetracted(sequence);
        counters.numRetractions++;
    }

    /** Takes a running sequence out of the running ones and gives its memory back. */
    private void stop(Sequence sequence) {
        if (sequence.phase == Phase.DECODE) {
            decoding.remove(sequence);
        } else if (sequence.phase == Phase.ENDING) {
            ending.remove(sequence);
        } else {
            prefill.remove(sequence);
        }
        kv.release(sequence);
    }

    private void raiseRatio() {
        long outputLen = 0;
        long maxOutputLen = 0;
        for (int place = 0; place < decoding.size(); place++) {
            Sequence sequence = decoding.get(place);
            outputLen += sequence.outputLen();
            maxOutputLen += sequence.outputLen() + sequence.remainingLen(config.contextLen());
        }
        ratio.raise(outputLen, maxOutputLen, decoding.size());
    }

    /**
     * Of the first {@code num} running sequences, the one with the fewest output tokens; of several, the youngest. Under the priority policy
     * only among those of the lowest priority. There is one.
     */
    private Sequence leastProgressed(int num) {
        Sequence found = null;
        for (int place = 0; place < num; place++) {
            Sequence sequence = running(place);
            if (found == null || isLessProgressed(sequence, found)) {
                found = sequence;
            }
        }
        if (found == null) {
            throw new IllegalStateException("nothing runs that could be retracted");
        }
        return found;
    }

    private boolean isLessProgressed(Sequence a, Sequence b) {
        if (config.policy() == Policy.PRIORITY
                && a.request().priority() != b.request().priority()) {
            return a.request().priority() < b.request().priority();
        }
        return a.outputLen() < b.outputLen() || (a.outputLen() == b.outputLen() && a.arrival > b.arrival);
    }

    private Sequence running(int place) {
        return place < decoding.size() ? decoding.get(place) : prefill.get(place - decoding.size());
    }

    /** Frees all cached prefixes that nothing runs on. */
    public void flushCache() {
        pool.flush();
    }

    /** Any sequence that has not ended, or null; for aborting all. */
    public @Nullable Sequence anySequence() {
        if (numGoingOn() > 0) {
            return running(0);
        }
        return ending.size() > 0 ? ending.head() : waiting.first();
    }

    /**
     * Deep check between steps.
     *
     * @throws IllegalStateException if a slot or row has no owner or two, or any structure is inconsistent
     */
    public void checkIntegrity() {
        BitSet held = new BitSet();
        for (int place = 0; place < numGoingOn(); place++) {
            kv.markHeld(running(place), held);
        }
        for (Sequence sequence = ending.head(); sequence != null; sequence = sequence.next) {
            kv.markHeld(sequence, held);
        }
        kv.checkIntegrity(held);
        waiting.checkIntegrity();
        deadlines.checkIntegrity();
        if (rows.numFree() + numRunning() != config.maxRunning()) {
            throw new IllegalStateException(
                    rows.numFree() + " rows are free while " + numRunning() + " of " + config.maxRunning() + " run");
        }
    }

    /** @throws IllegalStateException if a slot or a row is still in use although all sequences have ended and the cache is flushed */
    public void checkNothingLeft() {
        if (numRunning() + numWaiting() > 0 || pool.numFree() != pool.numSlots() || !rows.isAllFree()) {
            throw new IllegalStateException("left behind: " + numRunning() + " running and " + numWaiting()
                    + " waiting sequences, " + (pool.numSlots() - pool.numFree()) + " KV slots");
        }
    }
}
