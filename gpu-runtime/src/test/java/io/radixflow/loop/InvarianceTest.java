package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.SamplingParams;
import io.radixflow.model.ModelFiles;
import io.radixflow.testkit.NamedValues;
import io.radixflow.testkit.ObservedModel;
import io.radixflow.testkit.TinyModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Real arithmetic on the CPU backend, a tiny llama of random weights: the bits of an answer, greedy or drawn with a seed and penalties, depend on
 * nothing but its request. Each trial draws requests and a configuration; {@code -Dradixflow.trials} says how many (3) for each change.
 */
class InvarianceTest {

    private static final int NUM_REQUESTS = 12;
    private static final int OUTPUT_LEN = 16;
    /** Prefixes of each other, so that what sequences share is nested; so long that it pays to read it once. */
    private static final int[] SHARED_LENS = {0, 20, 130, 270, 400};

    private static final String ALONE = "max-running-requests=1 disable-radix-cache=true cpu-threads=1";
    private static final String[] POLICIES = {"lpm", "dfs-weight", "fcfs", "lof", "random", "priority"};
    private static final String[] EVICTIONS = {"lru", "lfu", "known-uses"};

    /** What differs from requests that run alone, one after another, without a cache. */
    private enum Change {
        BATCH,
        CHUNK,
        PAGE_SIZE,
        PREFIX_HIT,
        RETRACTION,
        THREADS,
        ALL
    }

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(Change.class)
    void oneOutputWhatever(Change change) {
        Path model = TinyModel.gguf(TinyModel.F32, folder);
        int trials = Integer.getInteger("radixflow.trials", 3);
        int numLevels = 0;
        for (int trial = 0; trial < trials; trial++) {
            Random random = new Random(31L * change.name().hashCode() + trial);
            List<GenerationRequest> requests = requests(random);
            List<String> alone = new Run(model, ALONE, 0).outputs(requests);
            String options = options(change, random);
            boolean isRetracting = change == Change.RETRACTION || change == Change.ALL;
            Run run = new Run(model, options, isRetracting ? 3 : 0);
            List<String> outputs = run.outputs(requests);
            if (change == Change.PREFIX_HIT || change == Change.ALL) {
                long cachedBefore = run.cachedTokens;
                assertThat(outputs).as("cold, trial %d with %s", trial, options).isEqualTo(alone);
                outputs = run.outputs(requests);
                if (change == Change.PREFIX_HIT) {
                    assertThat(run.cachedTokens).isGreaterThan(cachedBefore); // pages may be longer than what is shared
                }
            }
            assertThat(outputs).as("trial %d with %s", trial, options).isEqualTo(alone);
            assertThat(run.numRetractions > 0).isEqualTo(isRetracting);
            numLevels = Math.max(numLevels, run.numLevels);
            run.close();
        }
        // In whole prompts that come together, few rows decode at once that have a long prefix in common.
        assertThat(numLevels).as("levels of shared segments").isGreaterThanOrEqualTo(change == Change.BATCH ? 1 : 2);
        System.out.printf(
                "%s: %d trials of %d requests, %d levels of shared segments, all bits equal%n",
                change, trials, NUM_REQUESTS, numLevels);
    }

    private static String options(Change change, Random random) {
        String batch = "max-running-requests=" + (6 + random.nextInt(7));
        String chunk = "chunked-prefill-size=" + (1 + random.nextInt(24));
        String page = "page-size=" + (16 << random.nextInt(3));
        String threads = "cpu-threads=" + (2 + random.nextInt(3));
        return switch (change) {
            case BATCH, PREFIX_HIT, RETRACTION -> batch;
            case CHUNK -> chunk;
            case PAGE_SIZE -> batch + " " + page;
            case THREADS -> batch + " " + threads;
            case ALL ->
                String.join(
                        " ",
                        batch,
                        chunk,
                        page,
                        threads,
                        "schedule-policy=" + POLICIES[random.nextInt(POLICIES.length)],
                        "radix-eviction-policy=" + EVICTIONS[random.nextInt(EVICTIONS.length)]);
        };
    }

    private static List<GenerationRequest> requests(Random random) {
        int[] shared = random.ints(SHARED_LENS[SHARED_LENS.length - 1], 0, TinyModel.VOCAB_SIZE)
                .toArray();
        List<GenerationRequest> requests = new ArrayList<>();
        for (int id = 0; id < NUM_REQUESTS; id++) {
            int sharedLen = SHARED_LENS[random.nextInt(SHARED_LENS.length)];
            int[] prompt = random.ints(sharedLen + 1 + random.nextInt(20), 0, TinyModel.VOCAB_SIZE)
                    .toArray();
            System.arraycopy(shared, 0, prompt, 0, sharedLen);
            SamplingParams params = SamplingParams.builder()
                    .temperature(id % 2)
                    .topP(0.95f)
                    .repetitionPenalty(1 + random.nextInt(3) / 10f)
                    .presencePenalty(random.nextInt(3) / 2f)
                    .frequencyPenalty(random.nextInt(3) / 2f)
                    .seed(random.nextLong())
                    .maxTokens(OUTPUT_LEN)
                    .build();
            requests.add(GenerationRequest.builder(id, prompt, params)
                    .priority(random.nextInt(3))
                    .build());
        }
        return requests;
    }

    /** An engine that the test drives, and what its runs counted. */
    private static final class Run {
        private final LoopFixture engine;
        private long nextId;
        long cachedTokens;
        long numRetractions;
        /** Levels of shared segments that steps had. */
        int numLevels;

        Run(Path model, String options, int retractEverySteps) {
            Map<String, String> texts = new HashMap<>();
            texts.put("model-path", model.toString());
            texts.put("max-total-tokens", "6144");
            texts.putAll(NamedValues.of(options));
            EngineConfig config = EngineConfig.of(texts);
            try (ModelFiles files = Engines.open(config)) {
                EngineParts parts = new PartsLoader(config, files).load();
                engine = new LoopFixture(new EngineParts(
                        parts.backend(),
                        new ObservedModel(parts.model(), this::lookAtSegments),
                        parts.kvCache(),
                        parts.tokenBytes(),
                        parts.eosIds(),
                        parts.scheduling().withRetractionEvery(retractEverySteps),
                        parts.logIntervalSeconds()));
            }
        }

        private void lookAtSegments(ForwardBatch batch) {
            for (int g = 0; g < batch.numSegments; g++) {
                numLevels = Math.max(numLevels, batch.segmentLevel[g] + 1);
            }
        }

        List<String> outputs(List<GenerationRequest> requests) {
            long firstId = nextId;
            for (GenerationRequest request : requests) {
                boolean isTaken = engine.session.submit(
                        GenerationRequest.builder(nextId++, request.promptIds(), request.sampling())
                                .priority(request.priority())
                                .build());
                assertThat(isTaken).isTrue();
            }
            engine.drain();
            List<String> outputs = new ArrayList<>();
            for (long id = firstId; id < nextId; id++) {
                outputs.add(engine.listener.of(id).tokens() + " "
                        + engine.listener.of(id).finishReason());
            }
            cachedTokens = engine.loop.scheduler().counters().cachedTokens();
            numRetractions = engine.loop.scheduler().counters().numRetractions();
            return outputs;
        }

        void close() {
            engine.parts.backend().close();
        }
    }
}
