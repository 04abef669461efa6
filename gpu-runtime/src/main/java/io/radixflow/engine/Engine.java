package io.radixflow.engine;

/**
 * A running language-model engine: continuous batching over a radix KV cache on one device.
 *
 * <p>All methods may be called from any thread. The engine's own structures are touched by its one thread only; callers hand it
 * commands through a bounded queue and get results through the {@link GenerationListener} of their session.
 */
public interface Engine extends AutoCloseable {

    /** Opens a session: the requests of one client, whose outputs go to {@code listener}. */
    EngineSession open(GenerationListener listener);

    /** What a request must fit into; constant for the engine's life. */
    EngineLimits limits();

    /** What it computes on; constant for the engine's life. */
    EngineDevice device();

    /** The engine's clock: {@link System#nanoTime()}, or a simulated device's own time. */
    long nanoTime();

    /**
     * Empties the prefix cache, if no request runs or waits; takes effect between two steps. Not to be called by a listener, whose own
     * thread would have to answer.
     *
     * @return false if there are unfinished requests: nothing was flushed
     * @throws EngineException if the engine has stopped
     */
    boolean flushCache();

    /** False once it has failed or was closed: it computes nothing any more. */
    boolean isRunning();

    /** A snapshot of counters and gauges. Allocates one object; meant for metric reporters, not for loops. */
    EngineStats stats();

    /**
     * Aborts what runs, stops the engine thread and frees all memory. Idempotent. Waits a bounded time: a thread that hangs in the device is
     * left behind, and frees the memory if it ever comes back.
     *
     * @throws EngineException with {@link EngineException.Category#INVARIANT} if something was left behind
     */
    @Override
    void close();
}
