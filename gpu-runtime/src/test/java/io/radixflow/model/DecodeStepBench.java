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
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Times whole decode steps of the Qwen3-8B shape on a GPU, replayed from graphs with the next one enqueued ahead, on random weights that all layers have
 * alike but in memory of their own. Sequences have 1,088 tokens, slots in runs of 64 at random places.
 *
 * <p>{@code DecodeStepBench FOLDER_OF_CUBLASLT [BATCH...]}
 */
public final class DecodeStepBench {

    private static final int LEN = 1088;
    private static final int RUN = 64;
    private static final int STEPS = 40;
    private static final ModelConfig CONFIG = new ModelConfig(
            "qwen3",
            36,
            4096,
            12288,
            32,
            8,
            128,
            new RopeConfig(1e6f, Rope.Pairing.HALVES, new RopeScaling.Default()),
            1e-6f,
            4096,
            151936,
            false,
            false,
            true);

    private final CudaBackend backend;
    private final Decoder decoder;
    private final KvCache cache;
    private final int maxBatch;

    private DecodeStepBench(CudaBackend backend, int maxBatch) {
        this.backend = backend;
        this.maxBatch = maxBatch;
        DecoderWeights weights = DecoderWeights.upload(CONFIG, new ModelTensors(CONFIG, new AlikeTensors()), backend);
        Rope rope = RopeTables.upload(CONFIG.rope(), CONFIG.headDim(), 2 * LEN, backend);
        decoder = new Decoder(CONFIG, weights, rope, backend, Math.max(512, maxBatch), maxBatch);
        cache = backend.allocateKvCache(decoder.kvLayout(maxBatch * LEN, ElementType.BFLOAT16));
    }

    public static void main(String[] args) {
        int[] sizes = args.length > 1
                ? Arrays.stream(args).skip(1).mapToInt(Integer::parseInt).toArray()
                : new int[] {1, 8, 64, 256};
        int maxBatch = Arrays.stream(sizes).max().orElseThrow();
        try (CudaBackend backend = new CudaBackend(
                new CudaBackend.Settings(0, 0.9, args[0], Math.max(512, maxBatch), maxBatch, maxBatch, true, false))) {
            System.out.println(backend.description());
            DecodeStepBench bench = new DecodeStepBench(backend, maxBatch);
            for (int size : sizes) {
                bench.time(size);
            }
        }
    }

    private void time(int size) {
        ForwardBatch batch = batch(size);
        run(batch, 3);
        double[] millis = new double[5];
        for (int round = 0; round < millis.length; round++) {
            long started = System.nanoTime();
            run(batch, STEPS);
            millis[round] = (System.nanoTime() - started) / 1e6 / STEPS;
        }
        Arrays.sort(millis);
        System.out.printf(
                Locale.ROOT,
                "decode step, batch %3d x %d tokens: %.3f ms (%.3f to %.3f)%n",
                size,
                LEN,
                millis[2],
                millis[0],
                millis[4]);
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

    private ForwardBatch batch(int size) {
        int[] table = new int[maxBatch * LEN];
        int numRuns = table.length / RUN;
        for (int i = 0; i < table.length; i++) {
            table[i] = (int) ((i / RUN * 7_919L + 13) % numRuns) * RUN + i % RUN; // 7,919 is prime
        }
        ForwardBatch batch = new ForwardBatch(512, maxBatch, table, LEN);
        for (int s = 0; s < size; s++) {
            batch.tokenId[s] = 1000 + s;
            batch.position[s] = LEN - 1;
            batch.kvSlot[s] = table[s * LEN + LEN - 1];
            batch.row[s] = s;
            batch.firstToken[s] = s;
            batch.cachedLen[s] = LEN - 1;
            batch.extendLen[s] = 1;
            batch.logitToken[s] = s;
        }
        batch.numTokens = size;
        batch.numSequences = size;
        batch.numSampled = size;
        batch.numLogits = size;
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
