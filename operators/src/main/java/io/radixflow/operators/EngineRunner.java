package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.StepOutput;
import io.radixflow.schemas.ErrorCode;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;

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

    private final Map<Long, InFlightRequest> inFlight = new LinkedHashMap<>();
    /** Ids of admitted requests that the engine's full command queue did not take; sent again after each step. */
    private final Queue<Long> unsent = new ArrayDeque<>();

    private long nextRequestId;

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

    /** Hands a new or restored request to the engine. It ends in {@link AnswerSink#onFinish} or {@link AnswerSink#onRefusal}. */
    void submit(InFlightRequest request) {
        long requestId = nextRequestId++;
        inFlight.put(requestId, request);
        waiting.add(request);
        if (!unsent.isEmpty() || !send(requestId, request)) {
            unsent.add(requestId);
        }
    }

    /** False if the engine's queue is full. */
    private boolean send(long requestId, InFlightRequest request) {
        try {
            return session.submit(request.toEngine(requestId, context.timeoutNanos));
        } catch (EngineException e) {
            if (e.category() == Category.OVERLOADED) {
                return false;
            }
            if (e.category() != Category.INVALID_REQUEST) {
                throw e;
            }
            inFlight.remove(requestId);
            waiting.remove(request);
            context.sink.onRefusal(
                    request, ErrorCode.ENGINE_ERROR, "the engine refused the request: " + e.getMessage());
            return true;
        }
    }

    private void sendUnsent() {
        for (Long requestId = unsent.peek(); requestId != null; requestId = unsent.peek()) {
            InFlightRequest request = inFlight.get(requestId);
            if (request != null && !send(requestId, request)) {
                return;
            }
            unsent.remove();
        }
    }

    /** Requests without an answer, in the order in which they came. */
    Collection<InFlightRequest> inFlight() {
        return inFlight.values();
    }

    @Override
    public void onStep(StepOutput output) {
        finishedSteps.add(output);
        if (isMailQueued.compareAndSet(false, true)) {
            sendMail(drainMail);
        }
    }

    @Override
    public void onFailure(EngineException cause) {
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
            InFlightRequest request = inFlight.get(output.requestId(entry));
            if (request != null) {
                applyEntry(output, entry, request, now);
            }
        }
    }

    private void applyEntry(StepOutput output, int entry, InFlightRequest request, long now) {
        FinishReason reason = output.finishReason(entry);
        if (request.isWaiting()) {
            request.start();
            waiting.remove(request);
        }
        if (output.tokenId(entry) != StepOutput.NO_TOKEN) {
            countToken(output, entry, request, now);
            request.appendToken(output.tokenId(entry));
        }
        request.appendText(output.textBytes(), output.textStart(entry), output.textEnd(entry));
        if (reason == null) {
            context.sink.onProgress(request);
            return;
        }
        inFlight.remove(output.requestId(entry));
        context.metrics.onFinish(now - request.admittedNanos());
        String error = output.error(entry);
        if (error == null) {
            context.sink.onFinish(request, reason);
        } else {
            context.sink.onRefusal(request, ErrorCode.INVALID_REQUEST, error);
        }
    }

    private void countToken(StepOutput output, int entry, InFlightRequest request, long now) {
        long lapNanos = request.lapNanos(now);
        if (request.outputLen() == 0) {
            request.cachedLen(output.cachedLen(entry));
            context.metrics.onFirstToken(now - request.admittedNanos(), output.queueNanos(entry));
        } else {
            context.metrics.onToken(lapNanos);
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
