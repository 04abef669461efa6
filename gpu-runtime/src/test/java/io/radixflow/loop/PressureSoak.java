package io.radixflow.loop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineSession;
import io.radixflow.engine.EngineStats;
import io.radixflow.engine.FinishReason;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.GenerationRequest;
import io.radixflow.engine.StepOutput;
import io.radixflow.testkit.NamedValues;
import io.radixflow.testkit.RecordingListener;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * An engine that promised more than it has: {@code PressureSoak REQUESTS KEY=VALUE...} with engine options. The KV pool is small and admission
 * optimistic, so that sequences are retracted all the time, and prefixes evicted; requests are aborted wherever they are. They come in waves; after each
 * nothing may be held, and every request and token must be counted once. Twenty times on the way it prints what the engine and the device hold. At
 * the end a sample of the requests is asked again, one at a time and from an empty cache: as inference is deterministic, each must give the same tokens,
 * drawn ones too.
 *
 * <p>Without {@code model-path} it makes a Qwen3 of four layers with random weights and a small vocabulary.
 */
final class PressureSoak implements GenerationListener {

    /** After each the engine forgets how long answers were, and is as optimistic as at first. */
    static final int WAVE_LEN = 250;

    private static final int NUM_READINGS = 20;
    /** Every so many-th request is asked again. */
    private static final int SAMPLE_EVERY = 199; // prime to the kinds of requests

    private static final int ABORT_ONE_IN = 40;
    private static final int MAX_WRONG = 10;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double MAX_DRAIN_SECONDS = 5;
    private static final Map<String, String> OPTIONS = Map.of(
            "max-total-tokens",
            "4000",
            "max-running-requests",
            "200",
            "context-length",
            "256",
            "schedule-conservativeness",
            "0.01",
            "decode-log-interval-seconds",
            "0.5",
            "enable-deterministic-inference",
            "true");
    private static final String CONFIG =
            "{\"architectures\":[\"Qwen3ForCausalLM\"],\"model_type\":\"qwen3\",\"hidden_size\":256,"
                    + "\"intermediate_size\":512,\"num_hidden_layers\":4,\"num_attention_heads\":4,\"num_key_value_heads\":2,"
                    + "\"head_dim\":64,\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,\"max_position_embeddings\":512,"
                    + "\"tie_word_embeddings\":true,\"torch_dtype\":\"bfloat16\",\"vocab_size\":640,\"eos_token_id\":2}";

    /** What a request got so far. */
    private static final class Open {
        final List<Integer> tokens = new ArrayList<>();
        final ByteArrayOutputStream text = new ByteArrayOutputStream();
        /** Of its id in {@link #openIds}. */
        int place;
    }

    private final Engine engine;
    private final boolean isDeterministic;
    private final EngineSession session;
    private final PressureRequests requests;
    private final SplittableRandom random = new SplittableRandom(11);
    private final ObjectMapper json = new ObjectMapper();
    private final List<String> wrong = new ArrayList<>();
    private volatile CountDownLatch drained = new CountDownLatch(1);
    private volatile @Nullable Throwable failure;

    // Of the engine thread, but between drains.
    private final Map<Long, Open> open = new HashMap<>();
    private final List<Long> openIds = new ArrayList<>();
    private final Map<Long, List<Integer>> sample = new HashMap<>();
    private final Map<FinishReason, Long> ends = new EnumMap<>(FinishReason.class);
    private long numSubmitted;
    private long numEnded;
    private long numTokens;
    private long numPromptTokens; // of those that got a token
    private long numPromptTokensWithoutAnswer;
    private long numChecked;
    private long target;

    /** @param isDeterministic whether answers must be the same alone */
    private PressureSoak(Engine engine, boolean isDeterministic) {
        this.engine = engine;
        this.isDeterministic = isDeterministic;
        requests = new PressureRequests(engine.limits().vocabSize());
        session = engine.open(this);
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Map<String, String> options = NamedValues.of(Arrays.asList(args).subList(1, args.length));
        run(Integer.parseInt(args[0]), options);
    }

    /**
     * The whole of it.
     *
     * @param count requests, a multiple of {@link #WAVE_LEN}
     * @param asked options over those of the soak
     * @return what the engine counted
     * @throws IllegalStateException if something is not as it must be
     */
    static EngineStats run(int count, Map<String, String> asked) throws IOException, InterruptedException {
        Map<String, String> options = new HashMap<>(OPTIONS);
        options.putAll(asked);
        if (!options.containsKey("model-path")) {
            options.put("model-path", randomModel().toString());
            options.put("load-format", "dummy");
        }
        EngineStats served;
        List<String> wrong;
        try (Engine engine = Engines.start(EngineConfig.of(options))) {
            System.out.println(engine.device().description());
            PressureSoak soak = new PressureSoak(engine, "true".equals(options.get("enable-deterministic-inference")));
            wrong = soak.wrong;
            long start = System.nanoTime();
            int numWaves = count / WAVE_LEN;
            for (int wave = 1; wave <= numWaves; wave++) {
                soak.serve();
                if (wave % Math.max(1, numWaves / NUM_READINGS) == 0) {
                    soak.read();
                }
            }
            served = engine.stats();
            long end = System.nanoTime();
            soak.session.close();
            soak.askAgain();
            System.out.printf(
                    "served in %.1f s, asked again in %.1f s%n",
                    (end - start) / NANOS_PER_SECOND, (System.nanoTime() - end) / NANOS_PER_SECOND);
        } // which checks that every slot is back in its place
        System.out.println("closed, nothing left: " + served);
        if (!wrong.isEmpty()) {
            throw new IllegalStateException(wrong.toString());
        }
        return served;
    }

    private static Path randomModel() throws IOException {
        Path folder = Files.createTempDirectory("pressure-soak");
        folder.toFile().deleteOnExit(); // last of the three
        Path tokenizer = folder.resolve("tokenizer.json");
        tokenizer.toFile().deleteOnExit();
        Files.writeString(folder.resolve("config.json"), CONFIG).toFile().deleteOnExit();
        String name = "/golden/text/tiny-qwen2.json";
        try (InputStream in = Objects.requireNonNull(PressureSoak.class.getResourceAsStream(name), name)) {
            Files.write(tokenizer, in.readAllBytes());
        }
        return folder;
    }

    /** Hands a wave over at once and waits for its end. */
    private void serve() throws InterruptedException {
        drained = new CountDownLatch(1);
        target = numSubmitted + WAVE_LEN;
        List<GenerationRequest> wave = new ArrayList<>();
        while (numSubmitted < target) {
            wave.add(next());
        }
        if (!session.submitAll(wave)) { // from now on the engine's thread counts
            throw new IllegalStateException("the engine's queue has no room for a wave");
        }
        drained.await();
        Throwable cause = failure;
        if (cause != null) {
            throw new IllegalStateException(cause);
        }
        checkIdle();
    }

    /** Nothing runs: nothing may be held, and all that was asked and answered is counted once. */
    private void checkIdle() {
        long deadline = System.nanoTime() + (long) (MAX_DRAIN_SECONDS * NANOS_PER_SECOND);
        EngineStats stats = engine.stats();
        while (isBusy(stats)
                && System.nanoTime() < deadline) { // a step planned ahead may still hold slots of who has ended
            Thread.onSpinWait();
            stats = engine.stats();
        }
        check(!isBusy(stats), "nothing runs, waits or holds a slot");
        check(numEnded == numSubmitted && open.isEmpty(), "all have ended");
        check(stats.numRequestsTotal() == numSubmitted, numSubmitted + " requests");
        check(stats.generationTokensTotal() == numTokens, numTokens + " tokens of answers");
        // Those aborted between the step that computed their prompt and its end are counted by the engine alone.
        long uncertain = stats.promptTokensTotal() - numPromptTokens;
        check(uncertain >= 0 && uncertain <= numPromptTokensWithoutAnswer, numPromptTokens + " tokens of prompts");
        check(stats.numAbortedRequestsTotal() == ends.getOrDefault(FinishReason.ABORT, 0L), "aborts of " + ends);
        check(!ends.containsKey(FinishReason.ERROR) && !ends.containsKey(FinishReason.INVALID_GRAMMAR), "no errors");
    }

    private static boolean isBusy(EngineStats stats) {
        return stats.numRunningReqs() + stats.numQueueReqs() + stats.numGrammarQueueReqs() + stats.numUsedTokens() > 0;
    }

    private void read() {
        EngineStats stats = engine.stats();
        System.out.printf(
                "%d requests: %d retractions, ends %s, %d constrained texts right, %d tokens, %d steps, hit rate %.3f, device %d MiB%n",
                numEnded,
                stats.numRetractedReqs(),
                ends,
                numChecked,
                numTokens,
                stats.numSteps(),
                stats.cacheHitRate(),
                stats.deviceUsedBytes() >> 20);
    }

    /** Goes on if it isn't so: what comes after may say why. */
    private void check(boolean isRight, String what) {
        if (!isRight && wrong.size() < MAX_WRONG) {
            wrong.add("not so: " + what + "; " + engine.stats());
            System.out.println(wrong.get(wrong.size() - 1));
        }
    }

    private GenerationRequest next() {
        long id = numSubmitted++;
        Open request = new Open();
        request.place = openIds.size();
        openIds.add(id);
        open.put(id, request);
        return requests.request(id, id);
    }

    @Override
    public void onStep(StepOutput output) {
        int numFinished = 0;
        for (int entry = 0; entry < output.numEntries(); entry++) {
            numFinished += take(output, entry) ? 1 : 0;
        }
        output.release();
        numEnded += numFinished;
        for (; numFinished > 0; numFinished--) {
            if (random.nextInt(ABORT_ONE_IN) == 0 && !openIds.isEmpty()) {
                // It may wait, run or have been retracted.
                session.abort(openIds.get(random.nextInt(openIds.size())));
            }
        }
        if (numEnded == target || failure != null) {
            drained.countDown();
        }
    }

    /** Returns whether the request has ended. */
    private boolean take(StepOutput output, int entry) {
        long id = output.requestId(entry);
        Open request = Objects.requireNonNull(open.get(id), "an ended request got an output");
        if (output.tokenId(entry) != StepOutput.NO_TOKEN) {
            if (request.tokens.isEmpty()) {
                numPromptTokens += requests.request(id, id).promptIds().length;
            }
            request.tokens.add(output.tokenId(entry));
            numTokens++;
        }
        request.text.write(
                output.textBytes(), output.textStart(entry), output.textEnd(entry) - output.textStart(entry));
        FinishReason reason = output.finishReason(entry);
        if (reason == null) {
            return false;
        }
        ends.merge(reason, 1L, Long::sum);
        numPromptTokensWithoutAnswer +=
                request.tokens.isEmpty() ? requests.request(id, id).promptIds().length : 0;
        if (PressureRequests.isConstrained(id) && reason == FinishReason.STOP) {
            checkConstrained(id, request.text.toString(StandardCharsets.UTF_8));
        }
        if (id % SAMPLE_EVERY == 0 && reason != FinishReason.ABORT) {
            sample.put(id, request.tokens);
        }
        open.remove(id);
        Long last = openIds.remove(openIds.size() - 1);
        if (last != id) {
            openIds.set(request.place, last);
            Objects.requireNonNull(open.get(last)).place = request.place;
        }
        return true;
    }

    private void checkConstrained(long id, String text) {
        numChecked++;
        try {
            boolean isRight = PressureRequests.isJson(id)
                    ? json.readTree(text).size() == 3
                    : text.matches(PressureRequests.REGEX);
            if (!isRight) {
                failure = new IllegalStateException("request " + id + " answered " + text);
            }
        } catch (JsonProcessingException e) {
            failure = e;
        }
    }

    /** One at a time and from an empty cache. */
    private void askAgain() {
        RecordingListener listener = new RecordingListener();
        int numDifferent = 0;
        try (EngineSession alone = engine.open(listener)) {
            int numAsked = 0;
            for (Map.Entry<Long, List<Integer>> asked : sample.entrySet()) {
                check(engine.flushCache(), "flushed");
                long id = asked.getKey();
                alone.submit(requests.request(id, id));
                listener.awaitEnded(++numAsked);
                if (!listener.of(id).tokens().equals(asked.getValue()) && numDifferent++ < MAX_WRONG) {
                    System.out.println("request " + id + " gave " + asked.getValue() + ", alone "
                            + listener.of(id).tokens());
                }
            }
        }
        System.out.printf("asked again alone: %d of %d the same%n", sample.size() - numDifferent, sample.size());
        check(numDifferent == 0 || !isDeterministic, "answers depend on nothing but their requests");
    }

    @Override
    public void onFailure(EngineException cause, long[] inStep) {
        failure = cause;
        drained.countDown();
    }
}
