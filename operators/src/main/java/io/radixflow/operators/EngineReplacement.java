package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts a new engine in the place of a failed one, on a thread of its own: closes the old one, waits, starts the new one, and sends a mail. So
 * the task goes on taking records and checkpoints meanwhile.
 */
final class EngineReplacement implements AutoCloseable {

    private static final Logger LOGGER = LoggerFactory.getLogger(EngineReplacement.class);
    /** How long a task that ends waits for an engine that is being started. */
    private static final long CLOSE_MILLIS = 30_000;

    /** What the mail does, on the task thread. */
    interface Receiver {

        /** Asks for the engine with {@link #take}. */
        void onStarted(EngineReplacement replacement);

        void onNotStarted(EngineReplacement replacement, EngineException cause);
    }

    private final @Nullable EngineLink failed;
    private final Supplier<Engine> starter;
    private final long delayMillis;
    private final MailboxExecutor mailbox;
    private final Receiver receiver;
    private final Thread thread = new Thread(this::run, "radixflow-engine-replacement");
    private @Nullable Engine started;
    private boolean isClosed;

    /**
     * @param failed the engine before, or null if it is closed already
     * @param delayMillis between the end of the old and the start of the new engine
     */
    EngineReplacement(
            @Nullable EngineLink failed,
            Supplier<Engine> starter,
            long delayMillis,
            MailboxExecutor mailbox,
            Receiver receiver) {
        this.failed = failed;
        this.starter = starter;
        this.delayMillis = delayMillis;
        this.mailbox = mailbox;
        this.receiver = receiver;
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        if (failed != null) {
            try {
                failed.close();
            } catch (RuntimeException e) {
                LOGGER.debug("The failed engine says once more why", e);
            }
        }
        if (!awaitDelay()) {
            return;
        }
        try {
            hand(starter.get());
        } catch (Throwable t) { // the thread's top
            EngineException cause = t instanceof EngineException known
                    ? known
                    : new EngineException(EngineException.Category.DEVICE, "the engine did not start: " + t, t);
            send(() -> receiver.onNotStarted(this, cause));
        }
    }

    /** False if it was closed meanwhile. */
    private synchronized boolean awaitDelay() {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMillis);
        for (long left = delayMillis;
                left > 0 && !isClosed;
                left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())) {
            try {
                wait(left);
            } catch (InterruptedException e) {
                return false; // nobody interrupts it but a host that ends
            }
        }
        return !isClosed;
    }

    private void hand(Engine engine) {
        boolean isWanted;
        synchronized (this) {
            isWanted = !isClosed;
            if (isWanted) {
                started = engine;
            }
        }
        if (isWanted) {
            send(() -> receiver.onStarted(this));
        } else {
            engine.close();
        }
    }

    private void send(Runnable mail) {
        try {
            mailbox.execute(mail::run, "take new engine");
        } catch (RejectedExecutionException e) {
            // The task is ending; closing this closes the engine.
        }
    }

    /** The engine, owned by the taker from now on. */
    synchronized Engine take() {
        Engine taken = started;
        if (taken == null) {
            throw new IllegalStateException("no engine to take");
        }
        started = null;
        return taken;
    }

    /** The task needs no engine any more: one that is there is closed, one to come closes itself. */
    @Override
    public void close() {
        Engine unused;
        synchronized (this) {
            isClosed = true;
            unused = started;
            started = null;
            notifyAll();
        }
        if (unused != null) {
            unused.close();
        }
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOGGER.warn("An engine that nobody needs any more is still being started; it will be closed when it runs");
        }
    }
}
