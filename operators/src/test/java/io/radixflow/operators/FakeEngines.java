package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.testkit.FakeEngine;
import io.radixflow.testkit.FakeTokenizer;
import io.radixflow.text.TextModel;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** Gives subtasks fake engines and remembers them; one test at a time. */
final class FakeEngines implements EngineProvider {

    private static final long serialVersionUID = 1L;
    private static final int NO_THREAD = 0;

    /** Engines started since the latest provider was made; static, since a provider reaches the subtasks as a copy. */
    private static final List<FakeEngine> STARTED = new CopyOnWriteArrayList<>();

    /** Threaded engines pause while it says no. */
    private static volatile BooleanSupplier mayStep = () -> true;

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
