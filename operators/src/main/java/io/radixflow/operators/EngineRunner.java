package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.PromptLogprobs;
import io.radixflow.engine.StepOutput;
import io.radixflow.schemas.ErrorCode;
import io.radixflow.schemas.StopMatch;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;
import org.jspecify.annotations.Nullable;

/**
 * Runs requests on one engine and brings what they produce to the task thread.
 *
 * <p>The engine thread only queues a step's output and, if nobody is on the way to drain it, sends one mail. The mail applies
 * all queued steps: tokens enter the requests' state and leave through the sink in the same mail, so at every barrier what
 * downstream has seen is what a snapshot holds. Everything but {@link #onStep} and {@link #onFailure} belongs to the task
 * thread.
 */
final class EngineRunner implements GenerationListener, AutoCloseable {

    /** Settings and surroundings that the runner does not own. */
    record Context(
            MailboxExecutor mailbox,
            AnswerSink sink,
            EngineMetrics metrics,
            long timeoutNanos,
            LongSupplier nanoClock) {}

    private final Context context;
    private final Engine engine;
    private final EngineSession session;
    private final WaitingLoad waiting;

    private final Set<InFlightRequest> inFlight = new LinkedHashSet<>();
    /** Answers that the engine works on, by the id that it knows them by. */
    private final Map<Long, InFlightChoice> choices = new HashMap<>();
    /** Admitted answers that the engine's full command queue did not take; sent again after each step. */
    private final Queue<InFlightChoice> unsent = new ArrayDeque<>();

    private long nextEngineId;

    private final Queue<StepOutput> finishedSteps = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean isMailQueued = new AtomicBoolean();
    private final ThrowingRunnable<EngineException> drainMail = this::drain;

    /** Owns the engine from now on. */
    EngineRunner(Engine engine, WaitingLoad waiting, Context context) {
        this.engine = engine;
        this.waiting = waiting;
        this.context = context;
        session = engine.open(this);
    }

    /**
     * Hands a new or restored request to the engine, once for each answer that is not there yet; their prompt is computed once,
     * since the engine lets equal prefixes wait for each other. Ends in {@link AnswerSink#onFinish} or {@link AnswerSink#onRefusal}.
     */
    void submit(InFlightRequest request) {
        inFlight.add(request);
        for (InFlightChoice choice : request.choices()) {
            if (!choice.isFinished()) {
                choice.engineId(nextEngineId++);
                choices.put(choice.engineId(), choice);
                waiting.add(choice);
            }
        }
        for (InFlightChoice choice : request.choices()) {
            if (choices.containsKey(choice.engineId())
                    && !choice.isFinished()
                    && (!unsent.isEmpty() || !send(choice))) {
                unsent.add(choice);
            }
        }
    }

    /** False if the engine's queue is full. */
    private boolean send(InFlightChoice choice) {
        try {
            return session.submit(choice.toEngine(choice.request().deadlineNanos(context.timeoutNanos)));
        } catch (EngineException e) {
            if (e.category() == Category.OVERLOADED) {
                return false;
            }
            if (e.category() != Category.INVALID_REQUEST) {
                throw e;
            }
            refuse(choice.request(), ErrorCode.ENGINE_ERROR, "the engine refused the request: " + e.getMessage());
            return true;
        }
    }

    private void sendUnsent() {
        for (InFlightChoice choice = unsent.peek(); choice != null; choice = unsent.peek()) {
            if (choices.containsKey(choice.engineId()) && !send(choice)) {
                return;
            }
            unsent.remove();
        }
    }

    /** Gives the request up, with all its answers. */
    private void refuse(InFlightRequest request, ErrorCode code, String message) {
        for (InFlightChoice choice : request.choices()) {
            if (choices.remove(choice.engineId(), choice)) {
                endWaiting(choice);
                session.abort(choice.engineId()); // ignored where the engine doesn't know it
            }
        }
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
    public void onStep(StepOutput output) {
        finishedSteps.add(output);
        if (isMailQueued.compareAndSet(false, true)) {
            sendMail(drainMail);
        }
    }

    @Override
    public void onFailure(EngineException cause, long[] inStep) {
        sendMail(() -> {
            throw cause;
        });
    }

    private void sendMail(ThrowingRunnable<EngineException> mail) {
        try {
            context.mailbox.execute(mail, "take engine step");
        } catch (RejectedExecutionException e) {
            // The task is ending and reads no mail any more; what was not drained is not in the state either.
        }
    }

    private void drain() {
        isMailQueued.set(false);
        for (StepOutput output = finishedSteps.poll(); output != null; output = finishedSteps.poll()) {
            apply(output);
            output.release();
        }
        sendUnsent();
    }

    private void apply(StepOutput output) {
        long now = context.nanoClock.getAsLong();
        for (int entry = 0; entry < output.numEntries(); entry++) {
            InFlightChoice choice = choices.get(output.requestId(entry));
            if (choice != null) {
                applyEntry(output, entry, choice, now);
            }
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
        try (engine) {
            session.close();
        }
    }
}
