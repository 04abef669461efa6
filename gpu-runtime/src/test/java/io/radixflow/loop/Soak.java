package io.radixflow.loop;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.engine.StepOutput;
import io.radixflow.testkit.NamedValues;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A process of its own that answers many short requests and prints what memory it holds on the way: {@code Soak COUNT,COUNT,... KEY=VALUE...}
 * with engine options. For each count, in ascending order, it drains the engine, collects garbage, and prints
 * {@code count heapBytes anonymousBytes}. {@link SoakTest} reads that.
 *
 * <p>Requests differ in length, sampling, stops and namespace; a quarter begins with one of a few shared prefixes, some are aborted at once.
 */
final class Soak implements GenerationListener {

    private static final int NUM_IN_FLIGHT = 64;
    private static final int NUM_PREFIXES = 8;
    private static final int PREFIX_LEN = 24;
    private static final int KIB = 1024;
    private static final int NUM_COLLECTIONS = 3;

    private final Engine engine;
    private final EngineSession session;
    private final SplittableRandom random = new SplittableRandom(7);
    private final int[][] prefixes = new int[NUM_PREFIXES][];
    private volatile CountDownLatch drained = new CountDownLatch(1);
    private volatile @Nullable EngineException failure;

    // Of the engine thread, but between drains.
    private long numSubmitted;
    private long numEnded;
    private long target;

    private Soak(Engine engine) {
        this.engine = engine;
        for (int i = 0; i < prefixes.length; i++) {
            prefixes[i] = ids(PREFIX_LEN);
        }
        session = engine.open(this);
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Map<String, String> options = NamedValues.of(Arrays.asList(args).subList(1, args.length));
        try (Engine engine = Engines.start(EngineConfig.of(options))) {
            Soak soak = new Soak(engine);
            for (String count : args[0].split(",", -1)) {
                soak.runTo(Long.parseLong(count));
                System.out.println(count + " " + heapBytes() + " " + anonymousBytes());
            }
            System.err.println(engine.stats());
            soak.session.close();
        }
    }

    private void runTo(long count) throws InterruptedException {
        target = count;
        drained = new CountDownLatch(1);
        List<GenerationRequest> first = new ArrayList<>();
        while (first.size() < NUM_IN_FLIGHT && numSubmitted < target) {
            first.add(request(numSubmitted++));
        }
        session.submitAll(first); // from now on the engine's thread counts
        drained.await();
        if (failure != null) {
            throw failure;
        }
    }

    private GenerationRequest request(long id) {
        int[] own = ids(2 + random.nextInt(14));
        int[] prompt = own;
        if (random.nextInt(4) == 0) {
            int[] prefix = prefixes[random.nextInt(NUM_PREFIXES)];
            prompt = new int[prefix.length + own.length];
            System.arraycopy(prefix, 0, prompt, 0, prefix.length);
            System.arraycopy(own, 0, prompt, prefix.length, own.length);
        }
        SamplingParams sampling = SamplingParams.builder()
                .temperature(random.nextInt(2))
                .seed(id)
                .maxTokens(1 + random.nextInt(12))
                .stop(random.nextInt(3) == 0 ? List.of("abc", "\n\n") : List.of())
                .build();
        String salt = random.nextInt(16) == 0 ? "tenant " + random.nextInt(1000) : null;
        return GenerationRequest.builder(id, prompt, sampling).cacheSalt(salt).build();
    }

    private int[] ids(int len) {
        int[] ids = new int[len];
        for (int i = 0; i < len; i++) {
            ids[i] = random.nextInt(engine.limits().vocabSize());
        }
        return ids;
    }

    @Override
    public void onStep(StepOutput output) {
        int numFinished = 0;
        for (int entry = 0; entry < output.numEntries(); entry++) {
            numFinished += output.finishReason(entry) == null ? 0 : 1;
        }
        output.release();
        numEnded += numFinished;
        for (; numFinished > 0 && numSubmitted < target; numFinished--) {
            long id = numSubmitted++;
            session.submit(request(id));
            if (random.nextInt(32) == 0) {
                session.abort(id);
            }
        }
        if (numEnded == target) {
            drained.countDown();
        }
    }

    @Override
    public void onFailure(EngineException cause, long[] inStep) {
        failure = cause;
        drained.countDown();
    }

    private static long heapBytes() throws InterruptedException {
        for (int i = 0; i < NUM_COLLECTIONS; i++) {
            System.gc();
            Thread.sleep(100); // references are cleared by another thread
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long anonymousBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("RssAnon:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * KIB;
            }
        }
        throw new IOException("/proc/self/status has no RssAnon");
    }
}
