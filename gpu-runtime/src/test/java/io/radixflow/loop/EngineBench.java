package io.radixflow.loop;

import com.sun.management.OperatingSystemMXBean;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.StepOutput;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;

/**
 * Prints tokens a second of the whole engine, scheduler and sampling included, on the workloads that the peers are measured with:
 * prefill of 512 tokens, greedy decode at batch 1, 8 and 32 behind 128 tokens each, and 64 requests that share 1,024 tokens, or a tree of them.
 *
 * <p>A plain main: {@code MODEL THREADS ROUNDS MODE...} with modes {@code pp tgN sp tree}, run with {@code --add-modules jdk.incubator.vector}. Each
 * figure is given by wall clock and by processor time; the first rounds warm the compiler up and are printed as such.
 */
final class EngineBench {

    private static final OperatingSystemMXBean MACHINE =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final int PROMPT_LEN = 128;

    private final Engine engine;
    private final int numThreads;
    /** Measured rounds of a mode, and warm-up rounds before them. */
    private final int numRounds;

    private final Random random = new Random(1);

    private EngineBench(Engine engine, int numThreads, int numRounds) {
        this.engine = engine;
        this.numThreads = numThreads;
        this.numRounds = numRounds;
    }

    public static void main(String[] args) throws InterruptedException {
        Map<String, String> options =
                Map.of("model-path", args[0], "cpu-threads", args[1], "max-total-tokens", "32768");
        try (Engine engine = Engines.start(EngineConfig.of(options))) {
            EngineBench bench = new EngineBench(engine, Integer.parseInt(args[1]), Integer.parseInt(args[2]));
            for (int mode = 3; mode < args.length; mode++) {
                bench.run(args[mode]);
            }
        }
    }

    private void run(String mode) throws InterruptedException {
        for (int round = 0; round < 2 * numRounds; round++) {
            String suffix = round < numRounds ? " (warm-up)" : "";
            switch (mode) {
                case "pp" -> prefill("prefill 512" + suffix);
                case "sp" -> sharedPrefix("64 x (1024 shared + 32 + 32)" + suffix, 1024, 0);
                case "tree" -> sharedPrefix("64 x (512 shared + 512 of each eight + 32 + 32)" + suffix, 512, 512);
                default -> decode(Integer.parseInt(mode.substring(2)), suffix);
            }
        }
    }

    private void prefill(String name) throws InterruptedException {
        Clock clock = new Clock();
        generate(new int[][] {ids(512)}, 1, 0);
        clock.print(name, 512);
    }

    private void decode(int batch, String suffix) throws InterruptedException {
        int[][] prompts = new int[batch][];
        for (int i = 0; i < batch; i++) {
            prompts[i] = ids(PROMPT_LEN);
        }
        int outputLen = 72;
        int skipped = 24;
        Clock clock = generate(prompts, outputLen, skipped);
        clock.print("decode batch " + batch + " context 152..200" + suffix, batch * (outputLen - skipped));
    }

    private void sharedPrefix(String name, int rootLen, int documentLen) throws InterruptedException {
        int[] shared = ids(rootLen + documentLen);
        int[][] prompts = new int[64][];
        for (int i = 0; i < prompts.length; i++) {
            if (i % 8 == 0) {
                System.arraycopy(ids(documentLen), 0, shared, rootLen, documentLen);
            }
            prompts[i] = Arrays.copyOf(shared, shared.length + 32);
            System.arraycopy(ids(32), 0, prompts[i], shared.length, 32);
        }
        Clock clock = new Clock();
        generate(prompts, 32, 0);
        clock.print(name, 64 * 32);
    }

    private int[] ids(int len) {
        return random.ints(len, 500, engine.limits().vocabSize() - 500).toArray();
    }

    /** Runs the prompts together; the clock returned starts when each has {@code skipped} tokens. */
    private Clock generate(int[][] prompts, int outputLen, int skipped) throws InterruptedException {
        Counter counter = new Counter(prompts.length, skipped);
        try (EngineSession session = engine.open(counter)) {
            for (int i = 0; i < prompts.length; i++) {
                SamplingParams sampling = SamplingParams.builder()
                        .temperature(0)
                        .maxTokens(outputLen)
                        .ignoreEos(true)
                        .build();
                if (!session.submit(new GenerationRequest(i, prompts[i], sampling))) {
                    throw new IllegalStateException("the command queue is full");
                }
            }
            counter.finished.await();
            return counter.clock;
        }
    }

    /** Counts tokens on the engine thread. */
    private final class Counter implements GenerationListener {
        private final int[] outputLen;
        private final int skipped;
        private final CountDownLatch finished;
        private int numWarm;
        private volatile Clock clock = new Clock();

        Counter(int numRequests, int skipped) {
            outputLen = new int[numRequests];
            this.skipped = skipped;
            finished = new CountDownLatch(numRequests);
        }

        @Override
        public void onStep(StepOutput output) {
            for (int entry = 0; entry < output.numEntries(); entry++) {
                if (++outputLen[(int) output.requestId(entry)] == skipped && ++numWarm == outputLen.length) {
                    clock = new Clock();
                }
                if (output.finishReason(entry) != null) {
                    finished.countDown();
                }
            }
            output.release();
        }

        @Override
        public void onFailure(EngineException cause, long[] inStep) {
            throw cause;
        }
    }

    /** Wall and processor time since its making. */
    private final class Clock {
        private final long wall = System.nanoTime();
        private final long processor = MACHINE.getProcessCpuTime();

        void print(String name, int numTokens) {
            double wallSeconds = (System.nanoTime() - wall) / 1e9;
            double cpuSeconds = (MACHINE.getProcessCpuTime() - processor) / 1e9;
            System.out.printf(
                    Locale.ROOT,
                    "%-46s T=%d %8.1f tok/s wall %8.1f tok/s of processor time x T%n",
                    name,
                    numThreads,
                    numTokens / wallSeconds,
                    numTokens / cpuSeconds * numThreads);
        }
    }
}
