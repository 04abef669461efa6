package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.Tensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/**
 * Times the attention kernels alone, cold: each launch reads another layer; decode replayed from a graph, as in steps. Prints GB/s and the share of
 * the memory's read limit for decode, TFLOP/s for prefill.    {@code AttentionGpuBench FOLDER_OF_CUBLASLT [READ_LIMIT_GB_PER_SECOND]}
 */
final class AttentionGpuBench {

    private static final double H100_READ_LIMIT_GB = 3060;
    private static final int DECODE_LAYERS = 36;
    private static final int PREFILL_LAYERS = 8;
    private static final int REPEATS = 4;
    private static final int NUM_HEADS = 32;
    private static final int NUM_KV_HEADS = 8;
    private static final int HEAD_DIM = 128;
    private static final int ROUNDS = 20;

    private AttentionGpuBench() {}

    public static void main(String[] args) {
        double readLimit = args.length > 1 ? Double.parseDouble(args[1]) : H100_READ_LIMIT_GB;
        int[][] decodes = {
            {1, 1088}, {1, 8192}, {4, 1088}, {8, 1088}, {16, 1088}, {32, 2048}, {64, 1088}, {64, 4096}, {256, 1088}
        };
        for (int[] shape : decodes) {
            double micros = time(args[0], shape[0], shape[1] - 1, 1);
            double gigabytes = 4.0 * shape[0] * shape[1] * NUM_KV_HEADS * HEAD_DIM / 1e9;
            System.out.printf(
                    Locale.ROOT,
                    "decode  batch %3d x %5d tokens: %8.1f us, %6.0f GB/s, %4.0f %% of the read limit%n",
                    shape[0],
                    shape[1],
                    micros,
                    gigabytes / micros * 1e6,
                    100 * gigabytes / micros * 1e6 / readLimit);
        }
        int[][] prefills = {{1, 0, 8192}, {16, 0, 512}, {4, 0, 2048}, {1, 8192, 2048}};
        for (int[] shape : prefills) {
            double micros = time(args[0], shape[0], shape[1], shape[2]);
            double pairs = shape[0] * (double) shape[2] * (shape[1] + (shape[2] + 1) / 2.0);
            System.out.printf(
                    Locale.ROOT,
                    "prefill %2d x %5d after %5d tokens: %8.1f us, %5.0f TFLOP/s%n",
                    shape[0],
                    shape[2],
                    shape[1],
                    micros,
                    4 * pairs * NUM_HEADS * HEAD_DIM / micros / 1e6);
        }
    }

    /** Microseconds of one layer's attention. */
    private static double time(String library, int numSequences, int cachedLen, int extendLen) {
        int len = cachedLen + extendLen;
        int numTokens = numSequences * extendLen;
        int numLayers = extendLen == 1 ? DECODE_LAYERS : PREFILL_LAYERS;
        KvLayout layout =
                new KvLayout(numLayers, numSequences * len, NUM_HEADS, NUM_KV_HEADS, HEAD_DIM, ElementType.BFLOAT16);
        try (CudaBackend backend = new CudaBackend(new CudaBackend.Settings(
                0, 0.9, library, Math.max(numTokens, numSequences), numSequences, numSequences, true, false))) {
            Tensor logits = backend.allocateLogits(numSequences, 16);
            CudaKvCache cache = CudaKvCache.of(backend.allocateKvCache(layout));
            CudaTensor qkv = CudaTensor.of(backend.allocate(numTokens, (NUM_HEADS + 2 * NUM_KV_HEADS) * HEAD_DIM));
            CudaTensor out = CudaTensor.of(backend.allocate(numTokens, NUM_HEADS * HEAD_DIM));
            ForwardBatch batch = batch(numSequences, cachedLen, extendLen);
            double best = Double.MAX_VALUE;
            for (int round = 0; round < ROUNDS; round++) {
                long started = System.nanoTime();
                backend.runStep(batch, () -> {
                    for (int repeat = 0; repeat < REPEATS; repeat++) {
                        for (int layer = 0; layer < numLayers; layer++) {
                            backend.attention(qkv, cache, layer, batch, out);
                        }
                    }
                    return logits;
                });
                backend.synchronize();
                best = Math.min(best, (System.nanoTime() - started) / 1e3 / (REPEATS * numLayers));
            }
            return best;
        }
    }

    /** Slots in runs of 64 at random places. */
    private static ForwardBatch batch(int numSequences, int cachedLen, int extendLen) {
        int len = cachedLen + extendLen;
        int[] runs = new Random(1)
                .ints(0, 1 << 20)
                .limit((numSequences * (long) len + 63) / 64)
                .toArray();
        Integer[] order = new Integer[runs.length];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        Arrays.sort(order, (a, b) -> Integer.compare(runs[a], runs[b]));
        int[] table = new int[numSequences * len];
        for (int i = 0; i < table.length; i++) {
            int slot = order[i / 64] * 64 + i % 64;
            table[i] = slot < table.length ? slot : i % table.length;
        }
        ForwardBatch batch = new ForwardBatch(numSequences * extendLen, numSequences, table, len);
        for (int s = 0; s < numSequences; s++) {
            batch.row[s] = s;
            batch.firstToken[s] = batch.numTokens;
            batch.cachedLen[s] = cachedLen;
            batch.extendLen[s] = extendLen;
            for (int i = 0; i < extendLen; i++) {
                batch.position[batch.numTokens] = cachedLen + i;
                batch.kvSlot[batch.numTokens++] = table[s * len + cachedLen + i];
            }
        }
        batch.numSequences = numSequences;
        if (extendLen == 1) { // a step that is replayed
            batch.numSampled = numSequences;
            batch.numLogits = numSequences;
        }
        return batch;
    }
}
