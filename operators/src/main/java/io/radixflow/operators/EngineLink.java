package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.StepOutput;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;
import org.jspecify.annotations.Nullable;

/**
 * One engine and the way from it to the task thread. The engine thread only queues a step's output and, if nobody is on the way to drain the
 * queue, sends one mail; everything but the listener's methods belongs to the task thread.
 */
final class EngineLink implements GenerationListener, AutoCloseable {

    /** What the mails do, on the task thread. */
    interface Receiver {

        /** The link has steps to {@link #poll}. */
        void onSteps(EngineLink link);

        /** The engine is gone; the link may still have steps, which it finished before. */
        void onFailure(EngineLink link, EngineException cause, long[] inStep);

        /** A grammar has been compiled, or has not come to that. */
        void onGrammarCompiled(EngineLink link, long nanos);
    }

    private final Engine engine;
    private final EngineSession session;
    private final MailboxExecutor mailbox;
    private final Receiver receiver;
    private final Queue<StepOutput> finishedSteps = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean isMailQueued = new AtomicBoolean();
    private final ThrowingRunnable<EngineException> stepsMail = this::sayThatThereAreSteps;

    /** Owns the engine from now on. */
    EngineLink(Engine engine, MailboxExecutor mailbox, Receiver receiver) {
        this.engine = engine;
        this.mailbox = mailbox;
        this.receiver = receiver;
        session = engine.open(this);
    }

    Engine engine() {
        return engine;
    }

    EngineSession session() {
        return session;
    }

    @Override
    public void onStep(StepOutput output) {
        finishedSteps.add(output);
        if (isMailQueued.compareAndSet(false, true)) {
            sendMail(stepsMail, "take engine step");
        }
    }

    @Override
    public void onGrammarCompiled(long nanos) {
        sendMail(() -> receiver.onGrammarCompiled(this, nanos), "take a grammar's compile time");
    }

    @Override
    public void onFailure(EngineException cause, long[] inStep) {
        sendMail(() -> receiver.onFailure(this, cause, inStep), "take engine failure");
    }

    private void sayThatThereAreSteps() {
        isMailQueued.set(false);
        receiver.onSteps(this);
    }

    private void sendMail(ThrowingRunnable<EngineException> mail, String what) {
        try {
            mailbox.execute(mail, what);
        } catch (RejectedExecutionException e) {
            // The task is ending and reads no mail any more; what was not drained is not in the state either.
        }
    }

    /** The next step's output, or null; its taker releases it. */
    @Nullable
    StepOutput poll() {
        return finishedSteps.poll();
    }

    /** Drops what is in flight and frees the engine. */
    @Override
    public void close() {
        try (engine) {
            session.close();
        }
    }
}
