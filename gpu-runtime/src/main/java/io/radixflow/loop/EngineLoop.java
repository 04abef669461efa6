package io.radixflow.loop;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.StepOps;
import io.radixflow.backend.Tensor;
import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.PrefixAnnouncement;
import io.radixflow.engine.StepOutput;
import io.radixflow.grammar.GrammarException;
import io.radixflow.model.Model;
import io.radixflow.schedule.Scheduler;
import io.radixflow.schedule.Sequence.Phase;
import io.radixflow.schedule.StepPlan;
import io.radixflow.text.TokenBytes;
import io.radixflow.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The engine's duty cycle: take commands, plan a step, run it, book its tokens, hand the outputs to the sessions.
 *
 * <p>Everything here and below belongs to the engine thread. A step that only decodes allocates nothing.
 *
 * <p>On a device that works while the host goes on, step n + 1 is planned and enqueued while step n runs; the tokens that n draws stay on the
 * device. So the host learns one step late who has ended, and throws away the token that those got too many. It waits for step n first
 * where it must know its tokens: to retract somebody, and for rules about the last tokens. So no step is under way when a grammar's next
 * tokens are written without draws ({@link JumpForward}).
 */
final class EngineLoop {

    /** Most commands taken between two steps, so that a flood of requests doesn't stall those that run. */
    private static final int MAX_COMMANDS = 256;

    private final Backend backend;
    private final Model model;
    private final KvCache kvCache;
    private final LongSupplier nanoClock;
    private final CommandQueue commands;
    private final Grammars grammars;
    private final GrammarQueue grammarQueue = new GrammarQueue();
    private final Consumer<Answer> admitting = this::admit; // a field, as stepOps
    private final Scheduler scheduler;
    private final BatchBuilder batch;
    private final StepOps stepOps = this::enqueueForward; // a field: a reference made in each step would be an object
    private final StatsBoard stats;
    private final IntervalLog intervalLog;
    private final int contextLen;
    private final List<Session> touched = new ArrayList<>();
    private final TokenBytes tokenBytes;
    private final @Nullable Tokenizer jumpTokenizer;
    private @Nullable JumpForward jumps; // made for the first grammar

    private final boolean isAhead;
    /** Enqueued, not booked; only if the loop plans ahead. */
    private @Nullable Step underWay;
    /** What the device is at work on, and what it will be next; volatile for those who look at a thread that hangs in it. */
    private volatile @Nullable StepPlan computing;

    private volatile @Nullable StepPlan following;

    EngineLoop(EngineParts parts, Grammars grammars, CommandQueue commands, LongSupplier nanoClock) {
        this.grammars = grammars;
        this.commands = commands;
        this.nanoClock = nanoClock;
        backend = parts.backend();
        model = parts.model();
        kvCache = parts.kvCache();
        tokenBytes = parts.tokenBytes();
        jumpTokenizer = parts.jumpTokenizer();
        contextLen = parts.scheduling().contextLen();
        int maxRunning = parts.scheduling().maxRunning();
        int numSlots = parts.scheduling().numSlots();
        scheduler =
                new Scheduler(parts.scheduling(), nanoClock, (sequence, reason) -> endEarly((Answer) sequence, reason));
        int maxStepsInFlight = Math.min(2, backend.maxStepsInFlight());
        isAhead = maxStepsInFlight > 1;
        batch = new BatchBuilder(
                parts.scheduling().maxStepTokens(),
                maxRunning,
                scheduler.rows(),
                maxStepsInFlight,
                backend.segmentCosts(kvCache));
        stats = new StatsBoard(numSlots);
        String label = backend.isSimulated() ? "Simulated. " : "";
        intervalLog =
                new IntervalLog(label, scheduler, stats, numSlots, parts.logIntervalSeconds(), nanoClock.getAsLong());
    }

    StatsBoard stats() {
        return stats;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    /** Before the first round; may be called from another thread than the engine's. */
    void prepare() {
        backend.prepare(batch.forward(), stepOps);
        stats.publishDeviceBytes(backend.usedBytes());
    }

    /** One round; returns the work done: commands taken plus sequences computed, 0 if idle. */
    int doWork() {
        int work = takeCommands() + grammarQueue.release(nanoClock, admitting);
        Step next = launch();
        Step due = isAhead ? underWay : next;
        underWay = isAhead ? next : null;
        if (due != null) {
            finish(due);
            if (isAhead && next == null) {
                underWay = launch(); // it was needed to plan the next one; the device must not wait for clients too
            }
        }
        stats.publish(scheduler, grammarQueue); // before clients hear of it, so that they read what they were told
        deliver();
        if (intervalLog.tick(nanoClock.getAsLong())) {
            stats.publishDeviceBytes(backend.usedBytes());
        }
        return work + numSequences(next != null ? next : due);
    }

    private static int numSequences(@Nullable Step step) {
        return step == null ? 0 : step.plan().numSequences();
    }

    /** Plans and enqueues a step; null if there is nothing to do, or if the one under way must be booked first. */
    private @Nullable Step launch() {
        Step before = underWay;
        if (before != null && before.isNeededByNext) {
            return null;
        }
        StepPlan plan = scheduler.plan();
        if (plan.numSequences() == 0) {
            return null;
        }
        if (before == null) {
            computing = plan;
        } else {
            following = plan;
        }
        Step step = batch.fill(plan);
        enqueue(step);
        scheduler.advance(plan);
        return step;
    }

    private void finish(Step step) {
        backend.finishStep();
        book(step);
        computing = following;
        following = null;
    }

    /** The session's requests in steps that have not come to their end, by id. For when the loop stands still: it failed or hangs. */
    long[] requestsInStep(Session session) {
        Set<Long> ids = new TreeSet<>();
        addRequests(computing, session, ids);
        addRequests(following, session, ids);
        long[] all = new long[ids.size()];
        int num = 0;
        for (long id : ids) {
            all[num++] = id;
        }
        return all;
    }

    private static void addRequests(@Nullable StepPlan plan, Session session, Set<Long> to) {
        for (int place = 0; plan != null && place < plan.numSequences(); place++) {
            Answer answer = (Answer) plan.sequence(place);
            if (answer.session == session) {
                to.add(answer.request().requestId());
            }
        }
    }

    private int takeCommands() {
        int taken = 0;
        while (taken < MAX_COMMANDS) {
            Command command = commands.poll();
            if (command == null) {
                break;
            }
            handle(command);
            taken++;
        }
        return taken;
    }

    void handle(Command command) {
        if (command instanceof Command.Submit submit) {
            submit(submit.answer());
        } else if (command instanceof Command.SubmitAll submit) {
            submit.answers().forEach(this::submit);
        } else if (command instanceof Command.FlushCache flush) {
            flush.isFlushed().complete(flushIfIdle());
        } else if (command instanceof Command.Announce announce) {
            announce(announce.session(), announce.announcement());
        } else if (command instanceof Command.Withdraw withdraw) {
            withdraw(withdraw.session(), withdraw.announcementId());
        } else if (command instanceof Command.Abort abort) {
            abort(abort.answer());
        } else if (command instanceof Command.CloseSession close) {
            closeSession(close.session());
        }
    }

    private void submit(Answer answer) {
        Session session = answer.session;
        boolean isAborted = session.answers.get(answer.request().requestId()) != answer;
        if (isAborted || session.isClosed()) {
            session.answers.remove(answer.request().requestId(), answer);
            return;
        }
        stats.numRequests++;
        if (answer.isGrammarDone()) {
            admit(answer);
        } else {
            grammarQueue.add(answer);
        }
    }

    private void admit(Answer answer) {
        Session session = answer.session;
        if (answer.hasGrammar() && !startGrammar(answer)) {
            return;
        }
        ExpectedPrompt announcement = session.announcements.get(answer.request().announcementId());
        if (announcement == null) {
            scheduler.add(answer);
        } else {
            scheduler.addAnnounced(answer, announcement);
            if (announcement.numUses() == 0) {
                session.announcements.remove(answer.request().announcementId());
            }
        }
    }

    /** False if there is no such grammar, or if what the request brought along is no beginning of its texts; it has ended then. */
    private boolean startGrammar(Answer answer) {
        FinishReason failure = answer.grammarFailure();
        answer.reportCompileTime();
        if (failure == null) {
            try {
                answer.startGrammar(grammars.masks());
                if (jumps == null && jumpTokenizer != null) {
                    jumps = new JumpForward(
                            jumpTokenizer, tokenBytes, grammars.masks().trie(), model.vocabSize());
                }
                return true;
            } catch (GrammarException e) {
                failure = FinishReason.ERROR;
            }
        }
        endEarly(answer, failure);
        return false;
    }

    private void announce(Session session, PrefixAnnouncement announcement) {
        withdraw(session, announcement.announcementId());
        if (!session.isClosed()) {
            session.announcements.put(
                    announcement.announcementId(),
                    scheduler.announce(announcement.namespace(), announcement.prefixIds(), announcement.numUses()));
        }
    }

    private void withdraw(Session session, long announcementId) {
        ExpectedPrompt announcement = session.announcements.remove(announcementId);
        if (announcement != null) {
            scheduler.withdraw(announcement);
        }
    }

    private boolean flushIfIdle() {
        boolean isIdle = scheduler.numRunning() + scheduler.numWaiting() + grammarQueue.size() == 0;
        if (isIdle) {
            scheduler.flushCache();
        }
        return isIdle;
    }

    /** A listener's abort may overtake its request in the queue; {@link #submit} ignores that then. */
    private void abort(Answer answer) {
        if (answer.phase() != Phase.ENDED
                && answer.session.answers.containsKey(answer.request().requestId())) {
            if (answer.isAdded()) {
                scheduler.end(answer);
            } else {
                grammarQueue.removeIf(waiting -> waiting == answer);
            }
            endEarly(answer, FinishReason.ABORT);
        }
    }

    private void closeSession(Session session) {
        for (Answer answer : session.answers.values()) {
            if (answer.isAdded() && answer.phase() != Phase.ENDED) {
                scheduler.end(answer);
                stats.numAborted++;
            }
        }
        grammarQueue.removeIf(waiting -> waiting.session == session);
        session.answers.clear();
        session.announcements.values().forEach(scheduler::withdraw);
        session.announcements.clear();
    }

    /** One step's ops, up to the logits that tokens are drawn from, if any. */
    private @Nullable Tensor enqueueForward() {
        ForwardBatch forward = batch.forward();
        model.forward(forward, kvCache);
        return forward.numSampled > 0 ? model.logits(0, forward.numSampled) : null;
    }

    private void enqueue(Step step) {
        ForwardBatch forward = batch.forward();
        long replayedBefore = backend.numReplayedSteps();
        Tensor sampled = backend.runStep(forward, stepOps);
        if (sampled != null) {
            batch.fillMasks(step.plan());
            backend.sample(sampled, batch.sampling(), step.sampled);
        }
        for (int row = forward.numSampled; row < forward.numLogits; row += model.maxLogitRows()) {
            int rows = Math.min(model.maxLogitRows(), forward.numLogits - row);
            backend.score(model.logits(row, rows), rows, step.scoredPrompt, row - forward.numSampled);
        }
        stats.numSteps++;
        if (step.plan().numDecode() == step.plan().numSequences()) {
            stats.numDecodeSteps++;
            stats.numReplayedSteps += backend.numReplayedSteps() - replayedBefore;
        }
    }

    private void book(Step step) {
        StepPlan plan = step.plan();
        bookPrompts(step);
        ScoredTokens sampled = step.sampled;
        stats.generatedTokens += scheduler.commit(plan, sampled.tokenId);
        int entry = 0;
        for (int place = 0; place < plan.numSequences(); place++) {
            if (plan.isSampled(place)) {
                bookToken((Answer) plan.sequence(place), sampled, entry);
                entry++;
            }
        }
    }

    private void bookToken(Answer answer, ScoredTokens sampled, int entry) {
        if (answer.phase() == Phase.ENDED) {
            return; // while the step was under way
        }
        if (sampled.tokenId[entry] == ScoredTokens.NO_TOKEN) {
            scheduler.end(answer);
            endEarly(answer, FinishReason.ERROR);
        } else if (jumps == null || !jump(jumps, answer, sampled, entry)) {
            onToken(answer, sampled.tokenId[entry], sampled, entry);
        }
    }

    /** Books what the grammar forces along with a drawn token; false if that is nothing. */
    private boolean jump(JumpForward found, Answer answer, ScoredTokens sampled, int entry) {
        int num = answer.findForced(found, sampled.tokenId[entry], contextLen);
        if (num == 0) {
            return false;
        }
        scheduler.replaceLast(answer, found.id(0));
        onToken(answer, found.id(0), sampled, entry);
        for (int i = 1; i < num && answer.phase() != Phase.ENDED; i++) {
            scheduler.append(answer, found.id(i));
            stats.generatedTokens++;
            onToken(answer, found.id(i), sampled, entry);
        }
        return true;
    }

    private void bookPrompts(Step step) {
        StepPlan plan = step.plan();
        int entry = 0;
        for (int place = plan.numDecode(); place < plan.numSequences(); place++) {
            Answer answer = (Answer) plan.sequence(place);
            int numScored = step.numScored[place];
            if (numScored > 0 && answer.phase() != Phase.ENDED) {
                answer.addScored(step.scoredPrompt, entry, numScored);
            }
            entry += numScored;
        }
    }

    /** @param entry of the draw that it is or comes with */
    private void onToken(Answer answer, int token, ScoredTokens sampled, int entry) {
        FinishReason reason = accept(answer, token);
        if (reason != null) {
            scheduler.end(answer);
            answer.decoder.finish();
        }
        if (output(answer, token, reason)) {
            answer.session.addLogprobs(answer, sampled, entry);
        }
    }

    /** An end token doesn't show in the text unless the request says so. */
    private @Nullable FinishReason accept(Answer answer, int token) {
        if (answer.isEndId(token)) {
            if (answer.request().sampling().noStopTrim()) {
                answer.decoder.accept(token);
            }
            return FinishReason.STOP;
        }
        if (answer.decoder.accept(token)) {
            return FinishReason.STOP;
        }
        if (answer.hasGrammar()) {
            FinishReason ofGrammar = advance(answer, token);
            if (ofGrammar != null) {
                return ofGrammar;
            }
        }
        boolean isFull =
                answer.knownOutputLen() >= answer.request().sampling().maxTokens() || answer.knownLen() >= contextLen;
        return isFull ? FinishReason.LENGTH : null;
    }

    private static @Nullable FinishReason advance(Answer answer, int token) {
        try {
            return answer.advance(token) ? FinishReason.STOP : null;
        } catch (GrammarException e) { // a device that draws what it must not
            return FinishReason.ERROR;
        }
    }

    /** The scheduler has ended the answer already, without a token of this step. */
    private void endEarly(Answer answer, FinishReason reason) {
        stats.numAborted++;
        answer.decoder.finish();
        output(answer, StepOutput.NO_TOKEN, reason);
    }

    /** False if nobody listens any more. */
    private boolean output(Answer answer, int token, @Nullable FinishReason reason) {
        Session session = answer.session;
        if (reason != null) {
            session.answers.remove(answer.request().requestId());
        }
        if (session.isClosed()) {
            return false;
        }
        if (session.add(answer, token, reason)) {
            touched.add(session);
        }
        return true;
    }

    private void deliver() {
        for (int i = 0; i < touched.size(); i++) {
            touched.get(i).deliver();
        }
        touched.clear();
    }

    /**
     * Aborts everything, frees the cache, and looks for leaks.
     *
     * @throws IllegalStateException if something was left behind
     */
    void shutDown() {
        Step last = underWay;
        underWay = null;
        if (last != null) {
            finish(last);
        }
        for (Command command = commands.poll(); command != null; command = commands.poll()) {
            handle(command);
        }
        for (Answer answer = (Answer) scheduler.anySequence();
                answer != null;
                answer = (Answer) scheduler.anySequence()) {
            scheduler.end(answer);
            endEarly(answer, FinishReason.ABORT);
        }
        for (Answer answer = grammarQueue.pollAny(); answer != null; answer = grammarQueue.pollAny()) {
            endEarly(answer, FinishReason.ABORT);
        }
        scheduler.flushCache();
        stats.publish(scheduler, grammarQueue);
        deliver();
        scheduler.checkIntegrity();
        scheduler.checkNothingLeft();
    }
}
