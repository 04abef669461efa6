package io.radixflow.model;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.Rope;
import io.radixflow.backend.cuda.CudaBackend;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import jcuda.driver.JCudaDriver;

/**
 * Times whole steps of the Qwen3-8B or Qwen3-0.6B shape on a GPU, the next one enqueued ahead, on random weights that all layers have alike but in memory
 * of their own; slots in runs of 64 at random places. Decode steps are replayed from graphs.
 *
 * <p>{@code StepBench FOLDER_OF_CUBLASLT [8b|0.6b] [STEP...]}, a step being {@code 64} (so many sequences decode a token behind 1,087 others),
 * {@code 4x2048} (so many prompts of so many tokens). With {@code -Dradixflow.profile=true} a profiler that starts with its calls sees one step of
 * each.
 */
public final class StepBench {

    private static final int RUN = 64;
    private static final int MAX_TOKENS = 8192;
    private static final int MAX_BATCH = 256;

    /** The largest batch's. */
    private static final int NUM_SLOTS = MAX_BATCH * Step.DECODED_LEN;

    private static final Map<String, ModelConfig> SHAPES =
            Map.of("8b", shape(36, 4096, 12288, 32, false), "0.6b", shape(28, 1024, 3072, 16, true));

    /** So many sequences of so many tokens, all of them or the last one computed. */
    private record Step(String name, int size, int len, int extendLen) {

        private static final int DECODED_LEN = 1088;

        static Step of(String name) {
            String[] parts = name.split("x", 2);
            int size = Integer.parseInt(parts[0]);
            return parts.length == 1
                    ? new Step(name, size, DECODED_LEN, 1)
                    : new Step(name, size, Integer.parseInt(parts[1]), Integer.parseInt(parts[1]));
        }
    }

    private final CudaBackend backend;
    private final Decoder decoder;
    private final KvCache cache;
    private int numBatches;

    private StepBench(CudaBackend backend, ModelConfig config) {
        this.backend = backend;
        DecoderWeights weights = DecoderWeights.upload(config, new ModelTensors(config, new AlikeTensors()), backend);
        Rope rope = RopeTables.upload(config.rope(), config.headDim(), MAX_TOKENS, backend);
        decoder = new Decoder(config, weights, rope, backend, MAX_TOKENS, MAX_BATCH);
        cache = backend.allocateKvCache(decoder.kvLayout(NUM_SLOTS, ElementType.BFLOAT16));
    }

    private static ModelConfig shape(int layers, int hidden, int ffn, int heads, boolean isTied) {
        return new ModelConfig(
                "qwen3",
                layers,
                hidden,
                ffn,
                heads,
                8,
                128,
                new RopeConfig(1e6f, Rope.Pairing.HALVES, new RopeScaling.Default()),
                1e-6f,
                40960,
                151936,
                isTied,
                false,
                true);
    }

    public static void main(String[] args) {
        List<String> steps = new ArrayList<>(Arrays.asList(args).subList(1, args.length));
        String shape = !steps.isEmpty() && SHAPES.containsKey(steps.get(0)) ? steps.remove(0) : "8b";
        if (steps.isEmpty()) {
            steps = List.of("1", "8", "64", "256", "1x8192", "4x2048");
        }
        try (CudaBackend backend = new CudaBackend(
                new CudaBackend.Settings(0, 0.9, args[0], MAX_TOKENS, MAX_BATCH, MAX_BATCH, true, false))) {
            System.out.println(backend.description() + ", shape " + shape);
            StepBench bench = new StepBench(backend, Objects.requireNonNull(SHAPES.get(shape)));
            for (String step : steps) {
                bench.time(Step.of(step));
            }
        }
    }

    private void time(Step step) {
        ForwardBatch batch = batch(step);
        run(batch, 3);
        if (Boolean.getBoolean("radixflow.profile")) {
            JCudaDriver.cuProfilerStart();
            run(batch, 1);
            JCudaDriver.cuProfilerStop();
            return;
        }
        int steps = step.extendLen == 1 ? 40 : 8;
        double[] millis = new double[5];
        for (int round = 0; round < millis.length; round++) {
            long started = System.nanoTime();
            run(batch, steps);
            millis[round] = (System.nanoTime() - started) / 1e6 / steps;
        }
        Arrays.sort(millis);
        System.out.printf(
                Locale.ROOT, "step %8s: %.3f ms (%.3f to %.3f)%n", step.name, millis[2], millis[0], millis[4]);
    }

    private void run(ForwardBatch batch, int steps) {
        for (int step = 0; step < steps; step++) {
            backend.runStep(batch, () -> {
                decoder.forward(batch, cache);
                return decoder.logits(0, batch.numLogits);
            });
            if (step > 0) {
                backend.finishStep();
            }
        }
        backend.finishStep();
        backend.synchronize();
    }

    private ForwardBatch batch(Step step) {
        int[] table = new int[MAX_BATCH * MAX_TOKENS];
        int numRuns = NUM_SLOTS / RUN;
        for (int i = 0; i < step.size * step.len; i++) {
            int place = i / step.len * MAX_TOKENS + i % step.len;
            table[place] = (int) ((i / RUN * 7_919L + 13) % numRuns) * RUN + i % RUN; // 7,919 is prime
        }
        int[] rowVersion = new int[MAX_BATCH];
        Arrays.fill(rowVersion, ++numBatches);
        ForwardBatch batch = new ForwardBatch(MAX_TOKENS, MAX_BATCH, table, MAX_TOKENS, rowVersion);
        for (int s = 0; s < step.size; s++) {
            int first = s * step.extendLen;
            batch.row[s] = s;
            batch.firstToken[s] = first;
            batch.cachedLen[s] = step.len - step.extendLen;
            batch.extendLen[s] = step.extendLen;
            batch.logitToken[s] = first + step.extendLen - 1;
            for (int t = 0; t < step.extendLen; t++) {
                batch.tokenId[first + t] = 1000 + first + t;
                batch.position[first + t] = batch.cachedLen[s] + t;
                batch.kvSlot[first + t] = table[s * MAX_TOKENS + batch.cachedLen[s] + t];
            }
        }
        batch.numTokens = step.size * step.extendLen;
        batch.numSequences = step.size;
        batch.numSampled = step.size;
        batch.numLogits = step.size;
        return batch;
    }

    /** Tensors of one shape are one tensor. */
    private static final class AlikeTensors implements TensorSource {

        private final RandomWeights random = new RandomWeights(1, TensorType.BF16);
        private final Map<List<Integer>, ByteBuffer> byShape = new HashMap<>();

        @Override
        public Path path() {
            return Path.of("a benchmark");
        }

        @Override
        public TensorRole.Naming naming() {
            return TensorRole.Naming.HUGGING_FACE;
        }

        @Override
        public Collection<String> names() {
            return List.of();
        }

        @Override
        public TensorData tensor(String name, int rows, int cols) {
            ByteBuffer data = byShape.computeIfAbsent(List.of(rows, cols), shape -> {
                ByteBuffer bytes = ByteBuffer.allocateDirect(rows * cols * 2).order(ByteOrder.LITTLE_ENDIAN);
                int part = Math.min(rows * cols, 1 << 22);
                ByteBuffer one = ByteBuffer.allocate(part * 2).order(ByteOrder.LITTLE_ENDIAN);
                random.fill(name, rows, cols, 0, one);
                while (bytes.hasRemaining()) {
                    one.rewind().limit(Math.min(one.capacity(), bytes.remaining()));
                    bytes.put(one);
                }
                return bytes.flip();
            });
            return new TensorData(
                    name, TensorType.BF16, rows, cols, data.duplicate().order(ByteOrder.LITTLE_ENDIAN));
        }

        @Override
        public void close() {
            byShape.clear();
        }
    }
}
