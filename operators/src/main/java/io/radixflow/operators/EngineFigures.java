package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineStats;
import org.jspecify.annotations.Nullable;

/** Figures of a subtask's engines, one after another: the gauges of the present one, totals of all. Methods may be called from any thread. */
final class EngineFigures {

    /** Totals of those that are gone; their gauges are zero. */
    private EngineStats past = EngineStats.NONE;

    private @Nullable Engine engine;

    synchronized void attach(Engine started) {
        engine = started;
    }

    synchronized void detach() {
        past = EngineStats.NONE.after(stats());
        engine = null;
    }

    synchronized EngineStats stats() {
        return engine == null ? past : engine.stats().after(past);
    }
}
