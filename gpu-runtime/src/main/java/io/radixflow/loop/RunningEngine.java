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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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

    private final EngineParts parts;
    private final LongSupplier nanoClock;
    private final EngineLimits limits;
    private final CommandQueue commands = new CommandQueue();
    private final EngineLoop loop;
    private final Thread thread;
    private final List<Session> sessions = new CopyOnWriteArrayList<>();
    private volatile boolean isClosing;
    private volatile @Nullable EngineException failure;
    private boolean isClosed;

    RunningEngine(EngineParts parts, LongSupplier nanoClock, String name) {
        this.parts = parts;
        this.nanoClock = nanoClock;
        limits = new EngineLimits(
                parts.scheduling().contextLen(),
                parts.scheduling().numSlots(),
                parts.scheduling().maxRunning(),
                parts.model().vocabSize());
        loop = new EngineLoop(parts, commands, nanoClock);
        thread = new Thread(this::run, "radixflow-engine-" + name);
        thread.setDaemon(true); // a host that dies must not be kept alive by it
        commands.drainedBy(thread);
    }

    void start() {
        loop.prepare();
        thread.start();
    }

    private void run() {
        try {
            while (!isClosing) {
                if (loop.doWork() == 0) {
                    Command command = commands.await(IDLE_MILLIS);
                    if (command != null) {
                        loop.handle(command);
                    }
                }
            }
            commands.stop(new EngineException(EngineException.Category.OVERLOADED, "it was closed"));
            loop.shutDown();
        } catch (Throwable t) { // the thread's top: report and stop
            stopAfter(t);
        }
    }

    private void stopAfter(Throwable cause) {
        EngineException reported = cause instanceof EngineException known
                ? known
                : new EngineException(categoryOf(cause), "the engine has failed: " + cause, cause);
        failure = reported;
        LOG.error("The engine has stopped.", reported);
        commands.stop(reported);
        for (Session session : sessions) {
            try {
                session.fail(reported);
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
        Session session = new Session(commands, limits, parts.tokenBytes(), parts.eosIds(), listener, sessions::remove);
        sessions.add(session);
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
                if (stopped != null && !isFlushed.isDone() && !thread.isAlive()) {
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
        joinThread();
        parts.backend().close();
        EngineException cause = failure;
        if (cause != null && cause.category() == EngineException.Category.INVARIANT) {
            throw cause;
        }
    }

    private void joinThread() {
        boolean wasInterrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                wasInterrupted = true;
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
