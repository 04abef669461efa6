package io.radixflow.loop;

import io.radixflow.backend.Backend;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineDevice;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.GenerationListener;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine thread around an {@link EngineLoop}, and what other threads may do with it. */
final class RunningEngine implements Engine {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    /** Longest sleep when idle: interval lines and rates go on. */
    private static final long IDLE_MILLIS = 1000;
    /** How often a caller that waits for the engine thread looks whether it still runs. */
    private static final long RECHECK_MILLIS = 100;
    /** How long closing waits for the engine thread: a step of a slow device, or hardly at all if it is known to hang. */
    private static final long CLOSE_MILLIS = 30_000;

    private static final long CLOSE_HUNG_MILLIS = 1_000;
    private static final double NANOS_PER_SECOND = 1e9;

    private final EngineParts parts;
    private final LongSupplier nanoClock;
    private final EngineLimits limits;
    private final CommandQueue commands = new CommandQueue();
    private final ThreadPoolExecutor compilers;
    private final Grammars grammars;
    private final EngineLoop loop;
    private final Thread thread;
    private final Watchdog watchdog;
    private final List<Session> sessions = new CopyOnWriteArrayList<>();
    private final AtomicReference<@Nullable EngineException> failure = new AtomicReference<>();
    private volatile boolean isClosing;
    private volatile boolean isHung;
    private boolean isClosed;

    /** Guards who frees the memory: the closing thread, or an engine thread that ends after it was left behind. */
    private final Object freeing = new Object();

    private boolean hasEnded;
    private boolean isLeftBehind;

    RunningEngine(EngineParts parts, LongSupplier nanoClock, String name, double watchdogSeconds) {
        this.parts = parts;
        this.nanoClock = nanoClock;
        limits = new EngineLimits(
                parts.scheduling().contextLen(),
                parts.scheduling().numSlots(),
                parts.scheduling().maxRunning(),
                parts.model().vocabSize());
        compilers = Grammars.compilers(name);
        grammars =
                new Grammars(parts.tokenBytes(), parts.eosIds(), compilers, () -> commands.offer(new Command.Wake()));
        loop = new EngineLoop(parts, grammars, commands, nanoClock);
        thread = new Thread(this::run, "radixflow-engine-" + name);
        thread.setDaemon(true); // a host that dies must not be kept alive by it
        commands.drainedBy(thread);
        watchdog = new Watchdog(name, (long) (watchdogSeconds * NANOS_PER_SECOND), () -> stopHung(watchdogSeconds));
    }

    void start() {
        loop.prepare();
        thread.start();
        watchdog.start();
    }

    private void run() {
        try {
            while (!isClosing && failure.get() == null) {
                watchdog.beginRound();
                int work = loop.doWork();
                watchdog.endRound();
                if (work == 0) {
                    Command command = commands.await(IDLE_MILLIS);
                    if (command != null) {
                        loop.handle(command);
                    }
                }
            }
            if (failure.get() == null) {
                commands.stop(new EngineException(EngineException.Category.OVERLOADED, "it was closed"));
                loop.shutDown();
            }
        } catch (Throwable t) { // the thread's top: report and stop
            stopAfter(t);
        } finally {
            end();
        }
    }

    /** Engine thread, its last act. */
    private void end() {
        synchronized (freeing) {
            hasEnded = true;
            if (isLeftBehind) {
                LOG.info("The engine thread that was left behind has ended; its memory is freed.");
                parts.close();
            }
        }
    }

    private void stopHung(double watchdogSeconds) {
        isHung = true;
        stopAfter(new EngineException(
                EngineException.Category.DEVICE,
                "the engine hangs: one step has taken more than " + watchdogSeconds + " s (--watchdog-timeout)"));
    }

    private void stopAfter(Throwable cause) {
        EngineException reported = cause instanceof EngineException known
                ? known
                : new EngineException(categoryOf(cause), "the engine has failed: " + cause, cause);
        if (!failure.compareAndSet(null, reported)) {
            LOG.warn("The engine had stopped already when this came.", reported);
            return;
        }
        LOG.error("The engine has stopped.", reported);
        commands.stop(reported);
        for (Session session : sessions) {
            try {
                session.fail(reported, loop.requestsInStep(session));
            } catch (RuntimeException e) { // one client's defect must not keep the others waiting
                LOG.error("A client could not be told.", e);
            }
        }
    }

    private static EngineException.Category categoryOf(Throwable cause) {
        return cause instanceof VirtualMachineError || cause instanceof InterruptedException
                ? EngineException.Category.DEVICE
                : EngineException.Category.INVARIANT;
    }

    @Override
    public EngineSession open(GenerationListener listener) {
        Session session =
                new Session(commands, limits, parts.tokenBytes(), parts.eosIds(), grammars, listener, sessions::remove);
        sessions.add(session);
        EngineException known = failure.get();
        if (known != null) {
            session.fail(known, new long[0]); // it may have come too late to be told with the others
        }
        return session;
    }

    @Override
    public EngineLimits limits() {
        return limits;
    }

    @Override
    public EngineDevice device() {
        Backend backend = parts.backend();
        return new EngineDevice(backend.description(), backend.isSimulated());
    }

    @Override
    public long nanoTime() {
        return nanoClock.getAsLong();
    }

    @Override
    public boolean flushCache() {
        CompletableFuture<Boolean> isFlushed = new CompletableFuture<>();
        commands.put(new Command.FlushCache(isFlushed));
        while (true) {
            try {
                return isFlushed.get(RECHECK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                EngineException stopped = commands.stopped();
                if (stopped != null && !isFlushed.isDone() && (isHung || !thread.isAlive())) {
                    throw new EngineException(stopped.category(), "the engine has stopped: " + stopped.getMessage(), e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EngineException(
                        EngineException.Category.OVERLOADED, "interrupted before the cache was flushed", e);
            } catch (ExecutionException e) {
                throw new IllegalStateException("the cache could not be flushed", e);
            }
        }
    }

    @Override
    public boolean isRunning() {
        return !isClosing && failure.get() == null;
    }

    @Override
    public EngineStats stats() {
        return loop.stats().read();
    }

    @Override
    public synchronized void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        isClosing = true;
        commands.offer(new Command.Wake());
        watchdog.close();
        compilers.shutdownNow();
        if (isHung) {
            thread.interrupt(); // of use if it waits for something that can be interrupted
        }
        joinThread(isHung ? CLOSE_HUNG_MILLIS : CLOSE_MILLIS);
        awaitCompilers();
        synchronized (freeing) {
            if (hasEnded || !thread.isAlive()) {
                parts.close();
            } else {
                isLeftBehind = true;
                LOG.error(
                        "The engine thread does not stop and is left behind; its memory stays taken until its step ends."
                                + " If that does not happen, only an end of this process frees the device.");
            }
        }
        EngineException cause = failure.get();
        if (cause != null && cause.category() == EngineException.Category.INVARIANT) {
            throw cause;
        }
    }

    /** What a grammar may take is bounded, so this is too. */
    private void awaitCompilers() {
        try {
            if (!compilers.awaitTermination(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.warn("A grammar is still being compiled; its thread ends when it is done.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void joinThread(long millis) {
        boolean wasInterrupted = false;
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        long left = millis;
        while (thread.isAlive() && left > 0) {
            try {
                thread.join(left);
            } catch (InterruptedException e) {
                wasInterrupted = true;
            }
            left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
