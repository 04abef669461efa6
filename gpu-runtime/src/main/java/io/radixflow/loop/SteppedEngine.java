package io.radixflow.loop;

import io.radixflow.backend.simulated.SimulatedClock;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineLimits;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.GenerationListener;

/**
 * A simulated engine without a thread: its owner decides when it steps, and each step takes its time on a virtual clock of the engine's own.
 * So many engines can be run side by side in one thread, with the same outcome on every machine. All methods belong to the thread that
 * started it.
 */
public final class SteppedEngine implements AutoCloseable {

    private final EngineParts parts;
    private final SimulatedClock clock;
    private final CommandQueue commands = new CommandQueue();
    private final Grammars grammars;
    private final EngineLoop loop;
    private final EngineLimits limits;

    SteppedEngine(EngineParts parts, SimulatedClock clock) {
        this.parts = parts;
        this.clock = clock;
        limits = new EngineLimits(
                parts.scheduling().contextLen(),
                parts.scheduling().numSlots(),
                parts.scheduling().maxRunning(),
                parts.model().vocabSize());
        commands.drainedBy(Thread.currentThread());
        grammars = Grammars.immediate(parts.tokenBytes(), parts.eosIds());
        loop = new EngineLoop(parts, grammars, commands, clock);
        loop.prepare();
    }

    /**
     * Starts one with the configuration's time model and scheduling.
     *
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION with one line that says what to do
     */
    public static SteppedEngine start(EngineConfig config) {
        return SimulatedLoader.stepped(config);
    }

    /** Opens a session; its listener is called within {@link #step}. */
    public EngineSession open(GenerationListener listener) {
        return new Session(commands, limits, parts.tokenBytes(), parts.eosIds(), grammars, listener, closed -> {});
    }

    /** One round of the engine's loop; false if there was nothing to do. */
    public boolean step() {
        return loop.doWork() > 0;
    }

    public long nanoTime() {
        return clock.getAsLong();
    }

    /** An idle engine's time goes on to {@code nanos}, unless it is there already. */
    public void passUntil(long nanos) {
        clock.passUntil(nanos);
    }

    public EngineLimits limits() {
        return limits;
    }

    public EngineStats stats() {
        return loop.stats().read();
    }

    /**
     * Ends what runs and looks for leaks.
     *
     * @throws IllegalStateException if something was left behind
     */
    @Override
    public void close() {
        try {
            loop.shutDown();
        } finally {
            parts.close();
        }
    }
}
