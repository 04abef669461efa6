package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import io.radixflow.testkit.FakeEngine;
import io.radixflow.testkit.FakeTokenizer;
import io.radixflow.text.TextModel;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Gives subtasks fake engines and remembers them; one test at a time. */
final class FakeEngines implements EngineProvider {

    private static final long serialVersionUID = 1L;
    private static final int NO_THREAD = 0;

    /** Engines started since the latest provider was made; static, since a provider reaches the subtasks as a copy. */
    private static final List<FakeEngine> STARTED = new CopyOnWriteArrayList<>();

    /** Threaded engines pause while it says no. */
    private static volatile BooleanSupplier mayStep = () -> true;

    /** Engines start when it is open. */
    private static volatile CountDownLatch startGate = new CountDownLatch(0);

    /** A permit for each start that has come to the gate. */
    private static final Semaphore AT_GATE = new Semaphore(0);

    /** So many of the next engines don't start. */
    private static final AtomicInteger NUM_FAILING_STARTS = new AtomicInteger();

    private final int maxRunningRequests;
    private final int queueCapacity;
    private final long stepMicros;

    private FakeEngines(int maxRunningRequests, int queueCapacity, long stepMicros) {
        this.maxRunningRequests = maxRunningRequests;
        this.queueCapacity = queueCapacity;
        this.stepMicros = stepMicros;
        STARTED.clear();
    }

    static FakeEngines stepped(int maxRunningRequests) {
        startGate = new CountDownLatch(0);
        NUM_FAILING_STARTS.set(0);
        return new FakeEngines(maxRunningRequests, Integer.MAX_VALUE, NO_THREAD);
    }

    static FakeEngines stepped(int maxRunningRequests, int queueCapacity) {
        return new FakeEngines(maxRunningRequests, queueCapacity, NO_THREAD);
    }

    static FakeEngines threaded(int maxRunningRequests, long stepMicros) {
        mayStep = () -> true;
        return new FakeEngines(maxRunningRequests, Integer.MAX_VALUE, stepMicros);
    }

    /** Holds until the next provider is made. */
    static void pauseUnless(BooleanSupplier condition) {
        mayStep = condition;
    }

    /** Holds the next engines back until the gate that it returns is opened by a count down. */
    static CountDownLatch holdStarts() {
        startGate = new CountDownLatch(1);
        AT_GATE.drainPermits();
        return startGate;
    }

    /** Returns when a start is held back. */
    static void awaitHeldStart() throws InterruptedException {
        AT_GATE.acquire();
    }

    static void failStarts(int numEngines) {
        NUM_FAILING_STARTS.set(numEngines);
    }

    static List<FakeEngine> started() {
        return STARTED;
    }

    static FakeEngine latest() {
        return STARTED.get(STARTED.size() - 1);
    }

    static long keptTokens() {
        long keptTokens = 0;
        for (FakeEngine engine : STARTED) {
            keptTokens += engine.keptTokens();
        }
        return keptTokens;
    }

    @Override
    public Engine startEngine(List<Integer> gpus) {
        AT_GATE.release();
        try {
            startGate.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while it started", e);
        }
        if (NUM_FAILING_STARTS.getAndUpdate(num -> Math.max(0, num - 1)) > 0) {
            throw new EngineException(EngineException.Category.CONFIGURATION, "no room on the device");
        }
        FakeEngine engine = stepMicros == NO_THREAD
                ? FakeEngine.stepped(maxRunningRequests, queueCapacity)
                : FakeEngine.threaded(maxRunningRequests, stepMicros, () -> mayStep.getAsBoolean());
        STARTED.add(engine);
        return engine;
    }

    @Override
    public TextModel loadText() {
        return FakeTokenizer.textModel(null);
    }
}
