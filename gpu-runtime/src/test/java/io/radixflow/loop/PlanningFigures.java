package io.radixflow.loop;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.StepOutput;
import io.radixflow.testkit.NamedValues;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;

/**
 * What a step costs on the host, all of it: the engine thread's processor time for planning, filling the columns, booking and telling the client, with 256
 * rows running and up to 100,000 requests waiting, on the simulated device, which computes nothing.
 *
 * <p>A plain main: {@code TIME_MODEL MODEL [name=value...]}, run with {@code --add-modules jdk.incubator.vector}. Prints the first round too, which warms
 * the compiler up.
 */
final class PlanningFigures {

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int NUM_PREFIXES = 1_000;
    private static final int PREFIX_LEN = 96;
    private static final int OWN_LEN = 16;
    private static final int OUTPUT_LEN = 32;

    private PlanningFigures() {}

    public static void main(String[] args) throws InterruptedException {
        Map<String, String> options = new HashMap<>(Map.of(
                "device",
                "simulated",
                "simulated-clock",
                "virtual",
                "time-model",
                args[0],
                "model-path",
                args[1],
                "max-running-requests",
                "256",
                "chunked-prefill-size",
                "8192"));
        options.putAll(NamedValues.of(Arrays.asList(args).subList(2, args.length)));
        for (int numRequests : new int[] {20_000, 256, 1_000, 10_000, 100_000}) {
            try (Engine engine = Engines.start(EngineConfig.of(options))) {
                measure(engine, numRequests);
            }
        }
    }

    private static void measure(Engine engine, int numRequests) throws InterruptedException {
        List<GenerationRequest> requests = requests(numRequests);
        CountDownLatch ended = new CountDownLatch(numRequests);
        GenerationListener listener = new GenerationListener() {
            @Override
            public void onStep(StepOutput output) {
                for (int i = 0; i < output.numEntries(); i++) {
                    if (output.finishReason(i) != null) {
                        ended.countDown();
                    }
                }
                output.release();
            }

            @Override
            public void onFailure(EngineException cause, long[] inStep) {
                throw new IllegalStateException(cause);
            }
        };
        EngineStats before = engine.stats();
        long processor = engineNanos();
        try (EngineSession session = engine.open(listener)) {
            session.submitAll(requests);
            ended.await();
        }
        double micros = (engineNanos() - processor) / 1e3;
        EngineStats spent = engine.stats().since(before);
        System.out.printf(
                "%,d requests at once: %,d steps of %.0f rows on average, %.0f us of the engine thread a step, %.2f us a generated token%n",
                numRequests,
                spent.numSteps(),
                (double) spent.generationTokensTotal() / spent.numSteps(),
                micros / spent.numSteps(),
                micros / spent.generationTokensTotal());
    }

    private static List<GenerationRequest> requests(int num) {
        Random random = new Random(1);
        int[][] prefixes = new int[NUM_PREFIXES][];
        for (int i = 0; i < NUM_PREFIXES; i++) {
            prefixes[i] = random.ints(PREFIX_LEN, 1_000, 50_000).toArray();
        }
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(OUTPUT_LEN)
                .ignoreEos(true)
                .build();
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < num; i++) {
            int[] prompt = random.ints(PREFIX_LEN + OWN_LEN, 1_000, 50_000).toArray();
            System.arraycopy(prefixes[random.nextInt(NUM_PREFIXES)], 0, prompt, 0, PREFIX_LEN);
            requests.add(new GenerationRequest(i, prompt, params));
        }
        return requests;
    }

    private static long engineNanos() {
        long nanos = 0;
        for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith("radixflow-engine-")) {
                nanos += THREADS.getThreadCpuTime(thread.getThreadId());
            }
        }
        return nanos;
    }
}
