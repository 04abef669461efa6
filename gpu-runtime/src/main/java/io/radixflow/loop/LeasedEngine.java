package io.radixflow.loop;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineDevice;
import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.GenerationListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** An engine for as long as a lease lasts: its totals count from the start of the lease, and closing it ends the lease's sessions only. */
final class LeasedEngine implements Engine {

    private final Engine engine;
    private final Runnable giveBack;
    private final EngineStats atStart;
    private final List<EngineSession> sessions = new CopyOnWriteArrayList<>();
    private boolean isClosed;

    LeasedEngine(Engine engine, Runnable giveBack) {
        this.engine = engine;
        this.giveBack = giveBack;
        atStart = engine.stats();
    }

    @Override
    public synchronized EngineSession open(GenerationListener listener) {
        if (isClosed) {
            throw new IllegalStateException("the lease of the engine has ended");
        }
        EngineSession session = engine.open(listener);
        sessions.add(session);
        return session;
    }

    @Override
    public EngineLimits limits() {
        return engine.limits();
    }

    @Override
    public EngineDevice device() {
        return engine.device();
    }

    @Override
    public long nanoTime() {
        return engine.nanoTime();
    }

    @Override
    public boolean flushCache() {
        return engine.flushCache();
    }

    @Override
    public boolean isRunning() {
        return engine.isRunning();
    }

    @Override
    public EngineStats stats() {
        return engine.stats().since(atStart);
    }

    @Override
    public synchronized void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        sessions.forEach(EngineSession::close);
        giveBack.run();
    }
}
