package io.radixflow.operators;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.simulated.SimulatedBackend;
import io.radixflow.backend.simulated.SimulatedClock;
import io.radixflow.backend.simulated.SimulatedModel;
import io.radixflow.backend.simulated.TimeModel;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.loop.EngineParts;
import io.radixflow.loop.Engines;
import io.radixflow.schedule.SchedulerConfig;
import io.radixflow.testkit.FakeTokenizer;
import io.radixflow.testkit.ObservedModel;
import io.radixflow.testkit.RecordingListener;
import io.radixflow.text.TextModel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Gives subtasks real engines on the simulated device: scheduler, cache and loop are those of every engine, a step lasts as long as the test
 * says. Prompts that start with {@link #POISON} kill an engine in their first step; the test may kill one at a step of its choice.
 */
final class SimulatedEngines implements EngineProvider {

    static final String POISON = "#";

    private static final long serialVersionUID = 1L;
    private static final int CONTEXT_LEN = 2_048;
    private static final int NUM_SLOTS = 1 << 20;
    private static final int CHUNK_LEN = 8_192;
    private static final int NEVER = -1;

    /** Engines and steps since the latest provider was made; static, since a provider reaches the subtasks as a copy. */
    private static final AtomicInteger NUM_STARTED = new AtomicInteger();

    private static final AtomicInteger STEPS_TO_KILL = new AtomicInteger(NEVER);
    private static final AtomicInteger STEPS_TO_HANG = new AtomicInteger(NEVER);
    private static final AtomicInteger LONGEST_EXTEND = new AtomicInteger();
    private static final double WATCHDOG_SECONDS = 2;

    /** Hung steps go on when it is open. */
    private static volatile CountDownLatch gate = new CountDownLatch(0);

    private final int maxRunning;
    private final int stepMicros;

    private SimulatedEngines(int maxRunning, int stepMicros) {
        this.maxRunning = maxRunning;
        this.stepMicros = stepMicros;
    }

    static SimulatedEngines of(int maxRunning, int stepMicros) {
        NUM_STARTED.set(0);
        STEPS_TO_KILL.set(NEVER);
        STEPS_TO_HANG.set(NEVER);
        LONGEST_EXTEND.set(0);
        return new SimulatedEngines(maxRunning, stepMicros);
    }

    /**
     * The step after so many more, of whichever engine, fails. Only steps of several requests count: nobody can tell a failure of the device
     * in the very step in which a suspect runs alone from the suspect's doing.
     */
    static void killAfter(int numSteps) {
        STEPS_TO_KILL.set(numSteps);
    }

    /** The step after so many more hangs until the gate that it returns is opened by a count down. */
    static CountDownLatch hangAfter(int numSteps) {
        CountDownLatch closed = new CountDownLatch(1);
        gate = closed;
        STEPS_TO_HANG.set(numSteps);
        return closed;
    }

    static int numStarted() {
        return NUM_STARTED.get();
    }

    /** Most tokens that a step computed of one request; more than a prompt's came from a request with tokens. */
    static int longestExtend() {
        return LONGEST_EXTEND.get();
    }

    private static boolean isDue(AtomicInteger steps) {
        return steps.getAndUpdate(left -> left == NEVER ? NEVER : left - 1) == 0;
    }

    private static void hang() {
        while (gate.getCount() > 0) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                // a kernel would not notice either
            }
        }
    }

    private static void beforeStep(ForwardBatch batch) {
        for (int i = 0; i < batch.numSequences; i++) {
            LONGEST_EXTEND.accumulateAndGet(batch.extendLen[i], Math::max);
        }
        if (batch.numSequences > 1 && isDue(STEPS_TO_KILL)) {
            throw new IllegalStateException("killed by the test");
        }
        if (isDue(STEPS_TO_HANG)) {
            hang();
        }
        for (int i = 0; i < batch.numTokens; i++) {
            if (batch.position[i] == 0 && batch.tokenId[i] == POISON.charAt(0)) {
                throw new IllegalStateException("poison in the step");
            }
        }
    }

    @Override
    public Engine startEngine(List<Integer> gpus) {
        NUM_STARTED.incrementAndGet();
        return start(SimulatedEngines::beforeStep);
    }

    private Engine start(Consumer<ForwardBatch> observer) {
        TimeModel.Product nothing = new TimeModel.Product(0, 0);
        TimeModel times = new TimeModel(
                "a test's",
                new TimeModel.Shape("test", FakeTokenizer.VOCAB_SIZE, CONTEXT_LEN, NUM_SLOTS),
                stepMicros,
                nothing,
                nothing,
                1,
                0,
                0,
                0,
                false);
        SimulatedClock clock = new SimulatedClock.Real();
        SimulatedBackend backend = new SimulatedBackend(times, clock);
        SimulatedModel model = new SimulatedModel(backend, FakeTokenizer.VOCAB_SIZE, maxRunning);
        SchedulerConfig scheduling = new SchedulerConfig(
                NUM_SLOTS, CONTEXT_LEN, maxRunning, CHUNK_LEN, CHUNK_LEN, SchedulerConfig.Policy.LPM, 1.0, true, 0);
        FakeTokenizer tokenizer = new FakeTokenizer();
        EngineParts parts = new EngineParts(
                backend,
                new ObservedModel(model, observer),
                backend.allocateKvCache(model.kvLayout(NUM_SLOTS, ElementType.FLOAT16)),
                tokenizer.tokenBytes(),
                new int[0],
                scheduling,
                1e6,
                tokenizer);
        return Engines.start(parts, clock, "simulated", WATCHDOG_SECONDS);
    }

    @Override
    public TextModel loadText() {
        return FakeTokenizer.textModel(null);
    }

    /** What an engine answers that nothing disturbs: the texts of the requests, in their order. */
    static List<String> undisturbed(List<GenerationRequest> requests) {
        RecordingListener listener = new RecordingListener();
        try (Engine engine = new SimulatedEngines(64, 1).start(batch -> {});
                EngineSession session = engine.open(listener)) {
            for (GenerationRequest request : requests) {
                while (!session.submit(request)) {
                    Thread.onSpinWait();
                }
            }
            listener.awaitEnded(requests.size());
        }
        List<String> texts = new ArrayList<>();
        for (GenerationRequest request : requests) {
            texts.add(listener.of(request.requestId()).text());
        }
        return texts;
    }
}
