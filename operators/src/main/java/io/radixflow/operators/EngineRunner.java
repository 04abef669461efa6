package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.StepOutput;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.StopMatch;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs requests on an engine, and on another one when that fails. Owned by the task thread.
 *
 * <p>A mail applies all steps that the engine has finished: tokens enter the requests' state and leave through the sink in the same mail, so at
 * every barrier what downstream has seen is what a snapshot holds. When the engine fails, what it had finished is applied first; then all
 * requests are handed to its successor with the tokens that they have, so each token is either in the state or computed again. Who was in the
 * failed step runs alone first ({@link Suspects}).
 */
final class EngineRunner implements EngineLink.Receiver, EngineReplacement.Receiver, AutoCloseable {

    private static final Logger LOGGER = LoggerFactory.getLogger(EngineRunner.class);
    /** Wait before an engine is started again that did not start; doubles each time. */
    private static final long FIRST_DELAY_MILLIS = 1_000;

    private static final int MAX_DELAY_DOUBLINGS = 5;

    /** Settings and surroundings that the runner does not own. */
    record Context(
            MailboxExecutor mailbox,
            AnswerSink sink,
            EngineMetrics metrics,
            EngineFigures figures,
            long timeoutNanos,
            RebuildLimit rebuilds,
            LongSupplier nanoClock) {}

    private final Context context;
    private final Supplier<Engine> starter;
    private final WaitingLoad waiting;

    private final Set<InFlightRequest> inFlight = new LinkedHashSet<>();
    /** Answers that an engine works on or will, by the id that it knows them by. */
    private final Map<Long, InFlightChoice> choices = new HashMap<>();
    /** Admitted answers that no engine has taken yet; sent again after each step. */
    private final Queue<InFlightChoice> unsent = new ArrayDeque<>();
    /** What the engine runs of the first suspect, by id. */
    private final Set<Long> probes = new HashSet<>();

    private final Suspects suspects = new Suspects();
    private final FailureWindow failures;
    /** Failures to forgive at the next token: they were those of requests that have been given up. */
    private int numExplained;

    private long nextEngineId;
    private int numStartFailures;

    private EngineLimits limits;
    /** The engine; null while a replacement is under way. */
    private @Nullable EngineLink link;

    private @Nullable EngineReplacement replacement;

    /**
     * @param engine owned from now on
     * @param starter of engines after that; called by other threads
     */
    EngineRunner(Engine engine, Supplier<Engine> starter, WaitingLoad waiting, Context context) {
        this.starter = starter;
        this.waiting = waiting;
        this.context = context;
        limits = engine.limits();
        failures = new FailureWindow(context.rebuilds);
        attach(engine);
    }

    private void attach(Engine engine) {
        limits = engine.limits();
        context.figures.attach(engine);
        link = new EngineLink(engine, context.mailbox, this);
    }

    /** Of the newest engine. */
    EngineLimits limits() {
        return limits;
    }

    /**
     * Hands a new request to the engine, once for each answer that is not there yet; their prompt is computed once, since the engine lets equal
     * prefixes wait for each other. Ends in {@link AnswerSink#onFinish} or {@link AnswerSink#onRefusal}.
     */
    void submit(InFlightRequest request) {
        add(request);
        send();
    }

    /** Likewise for requests as read from state, before any new one. */
    void resume(Collection<InFlightRequest> requests) {
        for (InFlightRequest request : requests) {
            suspects.restore(request);
            add(request);
        }
        send();
    }

    private void add(InFlightRequest request) {
        inFlight.add(request);
        for (InFlightChoice choice : request.choices()) {
            if (!choice.isFinished()) {
                choice.engineId(nextEngineId++);
                choices.put(choice.engineId(), choice);
                waiting.add(choice);
                unsent.add(choice);
            }
        }
    }

    /** Sends what there is to send: a suspect alone, or all that is unsent. */
    private void send() {
        EngineLink to = link;
        while (to != null && suspects.next() != null && probes.isEmpty()) {
            sendProbe(to, suspects.next());
        }
        if (to == null || suspects.next() != null) {
            return;
        }
        for (InFlightChoice choice = unsent.peek(); choice != null; choice = unsent.peek()) {
            if (choices.containsKey(choice.engineId()) && !send(to, choice)) {
                return;
            }
            unsent.remove();
        }
    }

    /** False if the engine's queue is full, or the engine is gone, of which a mail will tell. */
    private boolean send(EngineLink to, InFlightChoice choice) {
        try {
            return to.session().submit(choice.toEngine(choice.request().deadlineNanos(context.timeoutNanos)));
        } catch (EngineException e) {
            if (e.category() != Category.INVALID_REQUEST) {
                return false;
            }
            refuse(choice.request(), ErrorCode.ENGINE_ERROR, "the engine refused the request: " + e.getMessage());
            return true;
        }
    }

    /** A suspect that can't even be taken in has passed. */
    private void sendProbe(EngineLink to, InFlightRequest suspect) {
        for (InFlightChoice choice : suspect.choices()) {
            if (!choice.isFinished()) {
                long id = nextEngineId++;
                int numTokens = Suspects.probeLen(suspect);
                probes.add(id);
                try {
                    GenerationRequest probe =
                            choice.toProbe(id, numTokens, suspect.deadlineNanos(context.timeoutNanos));
                    if (to.session().submit(probe)) {
                        continue;
                    }
                } catch (EngineException e) {
                    if (e.category() != Category.INVALID_REQUEST) {
                        return; // the engine is gone, of which a mail will tell
                    }
                }
                probes.remove(id);
            }
        }
        if (probes.isEmpty()) {
            suspects.passFirst();
        }
    }

    /** Gives the request up, with all its answers. */
    private void refuse(InFlightRequest request, ErrorCode code, String message) {
        for (InFlightChoice choice : request.choices()) {
            if (choices.remove(choice.engineId(), choice)) {
                endWaiting(choice);
                if (link != null) {
                    link.session().abort(choice.engineId()); // ignored where the engine doesn't know it
                }
            }
        }
        suspects.forget(request);
        inFlight.remove(request);
        context.sink.onRefusal(request, code, message);
    }

    private void endWaiting(InFlightChoice choice) {
        if (choice.isWaiting()) {
            choice.start();
            waiting.remove(choice);
        }
    }

    /** Requests without an answer, in the order in which they came. */
    Collection<InFlightRequest> inFlight() {
        return inFlight;
    }

    @Override
    public void onSteps(EngineLink from) {
        if (from == link) { // else what is left of an engine that was given up: computed again
            takeSteps(from);
            send();
        }
    }

    private void takeSteps(EngineLink from) {
        for (StepOutput output = from.poll(); output != null; output = from.poll()) {
            apply(output);
            output.release();
        }
    }

    @Override
    public void onFailure(EngineLink from, EngineException cause, long[] inStep) {
        if (from != link) {
            return;
        }
        takeSteps(from);
        Set<InFlightRequest> computed = new LinkedHashSet<>();
        for (long id : inStep) {
            InFlightChoice choice = choices.get(id);
            InFlightRequest request = choice != null ? choice.request() : probes.contains(id) ? suspects.next() : null;
            if (request != null) {
                computed.add(request);
            }
        }
        countFailure(cause);
        suspects.onFailure(computed);
        probes.clear();
        context.figures.detach();
        link = null;
        if (suspects.numAccused() == inFlight.size()) {
            giveAccusedUp(); // nobody is left to clear the device
        }
        requeue();
        LOGGER.warn(
                "The engine has failed and is rebuilt ({} of at most {} failures within {} s): {} requests were in the step, {} go on"
                        + " with their tokens, {} of them after a run alone",
                failures.numFailures(),
                context.rebuilds.maxRebuilds(),
                context.rebuilds.window().toSeconds(),
                computed.size(),
                inFlight.size() - suspects.numAccused(),
                suspects.numUntested(),
                cause);
        replacement = new EngineReplacement(from, starter, 0, context.mailbox, this);
    }

    /** @throws EngineException if it was one too many; then the engine is still there to be closed */
    private void countFailure(EngineException cause) {
        failures.add(context.nanoClock.getAsLong());
        if (failures.isOverLimit()) {
            throw new EngineException(
                    cause.category(),
                    "the engine has failed " + failures.numFailures() + " times within "
                            + context.rebuilds.window().toSeconds() + " s, more than --max-engine-rebuilds "
                            + context.rebuilds.maxRebuilds() + " heals; the last time: " + cause.getMessage(),
                    cause);
        }
        context.metrics.onEngineRebuild();
    }

    /** The next engine gets all that is unfinished, in the order in which it came. */
    private void requeue() {
        unsent.clear();
        for (InFlightRequest request : inFlight) {
            for (InFlightChoice choice : request.choices()) {
                if (!choice.isFinished() && !suspects.isAccused(request)) {
                    unsent.add(choice);
                }
            }
        }
    }

    private void giveAccusedUp() {
        for (InFlightRequest request : suspects.takeAccused()) {
            numExplained += request.numEngineFailures();
            LOGGER.warn(
                    "Record {} is given up: it was in {} failed steps of engines, in the last one alone",
                    request.request().source().identity(),
                    request.numEngineFailures());
            refuse(
                    request,
                    ErrorCode.ENGINE_ERROR,
                    "the engine failed " + request.numEngineFailures()
                            + " times while it computed this request, the last time with no other request in the step");
        }
    }

    /** An engine has given a token: the device is well, so failures of requests given up were their own. */
    private void onSignOfLife() {
        if (suspects.numAccused() > 0) {
            giveAccusedUp();
        }
        if (numExplained > 0) {
            failures.forgive(numExplained);
            numExplained = 0;
        }
    }

    @Override
    public void onStarted(EngineReplacement from) {
        if (from == replacement) {
            replacement = null;
            numStartFailures = 0;
            attach(from.take());
            LOGGER.info("The engine is rebuilt; {} requests are in flight", inFlight.size());
            send();
        }
    }

    @Override
    public void onNotStarted(EngineReplacement from, EngineException cause) {
        if (from == replacement) {
            countFailure(cause);
            long delayMillis = FIRST_DELAY_MILLIS << Math.min(MAX_DELAY_DOUBLINGS, numStartFailures++);
            LOGGER.warn("The engine could not be rebuilt; next attempt in {} ms", delayMillis, cause);
            replacement = new EngineReplacement(null, starter, delayMillis, context.mailbox, this);
        }
    }

    private void apply(StepOutput output) {
        long now = context.nanoClock.getAsLong();
        for (int entry = 0; entry < output.numEntries(); entry++) {
            InFlightChoice choice = choices.get(output.requestId(entry));
            if (output.tokenId(entry) != StepOutput.NO_TOKEN) {
                onSignOfLife();
            }
            if (choice != null) {
                applyEntry(output, entry, choice, now);
            } else if (output.finishReason(entry) != null) {
                endProbe(output.requestId(entry));
            }
        }
    }

    @Override
    public void onGrammarCompiled(EngineLink from, long nanos) {
        context.metrics.onGrammarCompiled(nanos);
    }

    /** What a probe gave is thrown away: its request computes it again. */
    private void endProbe(long engineId) {
        if (probes.remove(engineId) && probes.isEmpty()) {
            suspects.passFirst();
        }
    }

    private void applyEntry(StepOutput output, int entry, InFlightChoice choice, long now) {
        endWaiting(choice);
        InFlightRequest request = choice.request();
        if (output.tokenId(entry) != StepOutput.NO_TOKEN) {
            countToken(output, entry, choice, now);
        }
        choice.apply(output, entry);
        PromptLogprobs promptScores = output.promptLogprobs(entry);
        if (promptScores != null) {
            request.promptScores(promptScores);
        }
        FinishReason reason = output.finishReason(entry);
        if (reason == null) {
            context.sink.onProgress(choice);
        } else {
            end(output, entry, choice, reason);
        }
        if (reason != null && request.isFinished() && inFlight.remove(request)) {
            context.metrics.onFinish(now - request.admittedNanos());
            context.sink.onFinish(request);
        }
    }

    /** An answer that can't be given takes its whole request along. */
    private void end(StepOutput output, int entry, InFlightChoice choice, FinishReason reason) {
        choices.remove(choice.engineId());
        choice.finish(reason, stopMatch(output, entry, reason));
        InFlightRequest request = choice.request();
        switch (reason) {
            case STOP, LENGTH, ABORT -> context.sink.onEnd(choice);
            case ERROR -> refuse(request, ErrorCode.INVALID_REQUEST, String.valueOf(output.error(entry)));
            case INVALID_GRAMMAR -> refuse(request, ErrorCode.INVALID_SCHEMA, String.valueOf(output.error(entry)));
            case TIMEOUT ->
                refuse(
                        request,
                        ErrorCode.REQUEST_TIMEOUT,
                        "no answer within the request timeout; " + request.outputLen()
                                + " tokens were generated; raise --request-timeout or lower max_tokens");
        }
    }

    private static @Nullable StopMatch stopMatch(StepOutput output, int entry, FinishReason reason) {
        if (reason != FinishReason.STOP) {
            return null;
        }
        String text = output.matchedStop(entry);
        return text == null ? new StopMatch(output.tokenId(entry), null) : new StopMatch(StepOutput.NO_TOKEN, text);
    }

    private void countToken(StepOutput output, int entry, InFlightChoice choice, long now) {
        InFlightRequest request = choice.request();
        long lapNanos = choice.lapNanos(now);
        if (choice.outputLen() > 0) {
            context.metrics.onToken(lapNanos);
            return;
        }
        request.onCached(output.cachedLen(entry));
        if (request.takeFirstToken()) {
            context.metrics.onFirstToken(now - request.admittedNanos(), output.queueNanos(entry));
        }
    }

    /** Drops what is in flight and frees the engine. */
    @Override
    public void close() {
        EngineReplacement underWay = replacement;
        replacement = null;
        if (underWay != null) {
            underWay.close();
        }
        EngineLink open = link;
        link = null;
        if (open != null) {
            open.close();
        }
    }
}
