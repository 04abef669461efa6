package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.SegmentPlanner;
import io.radixflow.backend.cuda.AttentionTimes.Scene;
import java.util.Locale;

/**
 * Times decode attention of sequences behind common prefixes, each for itself and by segments; 32 heads, 8 KV heads of 128, each launch on
 * another layer and by itself, so below some 30 us the host is what is timed.    {@code SharedPrefixGpuBench FOLDER_OF_CUBLASLT [all | sweep]}
 */
final class SharedPrefixGpuBench {

    private static final int NUM_LAYERS = 2;
    private static final int NUM_HEADS = 32;
    private static final int NUM_KV_HEADS = 8;
    private static final int HEAD_DIM = 128;
    private static final int ROUNDS = 8;
    private static final int REPEATS = 4;
    /** Slots lie in runs of so many tokens. */
    private static final int RUN_LEN = 64;

    private SharedPrefixGpuBench() {}

    public static void main(String[] args) {
        if (args.length > 1 && args[1].equals("sweep")) {
            SharedPrefixGpuSweep.run(args[0]);
            return;
        }
        boolean isAll = args.length > 1;
        time(args[0], new Scene(256, 1, 8192, 0, 0, 128));
        time(args[0], new Scene(256, 4, 4096, 0, 0, 144));
        time(args[0], new Scene(256, 4, 2048, 64, 512, 96));
        time(args[0], new Scene(256, 1, 4096, 16, 4096, 128));
        time(args[0], new Scene(64, 1, 1024, 0, 0, 128));
        time(args[0], new Scene(32, 1, 8192, 0, 0, 128));
        time(args[0], new Scene(256, 128, 64, 0, 0, 1024));
        int[] prefixLens = {2048, 8192, 32768};
        int[] groups = {1, 4, 16};
        for (int prefixLen : prefixLens) {
            for (int numPrefixes : groups) {
                if (isAll) {
                    time(args[0], new Scene(256, numPrefixes, prefixLen, 0, 0, 128));
                }
            }
        }
    }

    private static void time(String library, Scene scene) {
        double each = micros(library, scene, PrefixSharing.OFF);
        double shared = micros(library, scene, PrefixSharing.ALWAYS);
        double chosen = micros(library, scene, PrefixSharing.AUTO);
        System.out.printf(
                Locale.ROOT,
                "%3d sequences, %2d prefixes of %5d, %2d documents of %4d, %3d tokens of their own: each %8.1f us, shared %7.1f us, %5.2f times"
                        + " as fast; as chosen %8.1f us%n",
                scene.numRows(),
                scene.numPrefixes(),
                scene.prefixLen(),
                scene.numDocuments(),
                scene.documentLen(),
                scene.tailLen(),
                each,
                shared,
                each / shared,
                chosen);
    }

    private static double micros(String library, Scene scene, PrefixSharing sharing) {
        KvLayout layout = new KvLayout(
                NUM_LAYERS,
                (scene.numSlots() / RUN_LEN + 1) * RUN_LEN,
                NUM_HEADS,
                NUM_KV_HEADS,
                HEAD_DIM,
                ElementType.BFLOAT16);
        int num = scene.numRows();
        try (CudaBackend backend =
                new CudaBackend(new CudaBackend.Settings(0, 0.9, library, num, num, 0, true, false, sharing))) {
            backend.allocateLogits(num, 16);
            CudaKvCache cache = CudaKvCache.of(backend.allocateKvCache(layout));
            SegmentCosts costs = backend.segmentCosts(cache);
            CudaTensor qkv = CudaTensor.of(backend.allocate(num, (NUM_HEADS + 2 * NUM_KV_HEADS) * HEAD_DIM));
            CudaTensor out = CudaTensor.of(backend.allocate(num, NUM_HEADS * HEAD_DIM));
            ForwardBatch batch = batch(scene);
            if (sharing == PrefixSharing.AUTO) {
                System.out.println(costs);
                new SegmentPlanner(num, num, costs).plan(batch);
            }
            return micros(backend, cache, batch, qkv, out);
        }
    }

    /** Of one layer, best of some rounds. */
    private static double micros(
            CudaBackend backend, CudaKvCache cache, ForwardBatch batch, CudaTensor qkv, CudaTensor out) {
        backend.runStep(batch, () -> {
            backend.synchronize();
            return out;
        });
        double best = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long started = System.nanoTime();
            for (int repeat = 0; repeat < REPEATS; repeat++) {
                for (int layer = 0; layer < NUM_LAYERS; layer++) {
                    backend.attention(qkv, cache, layer, batch, out);
                }
            }
            backend.synchronize();
            best = Math.min(best, (System.nanoTime() - started) / 1e3 / (REPEATS * NUM_LAYERS));
        }
        return best;
    }

    private static ForwardBatch batch(Scene scene) {
        int num = scene.numRows();
        int len = scene.len();
        ForwardBatch batch = new ForwardBatch(num, num, new int[num * len], len);
        batch.numSequences = num;
        batch.numTokens = num;
        for (int s = 0; s < num; s++) {
            batch.row[s] = s;
            batch.firstToken[s] = s;
            batch.cachedLen[s] = len - 1;
            batch.extendLen[s] = 1;
            for (int p = 0; p < len; p++) {
                batch.slotTable[s * len + p] = slot(scene.slot(s, p), scene.numSlots());
            }
            batch.position[s] = len - 1;
            batch.kvSlot[s] = batch.slotTable[s * len + len - 1];
        }
        scene.addSegments(batch);
        return batch;
    }

    /** Runs of slots at places that have nothing to do with their order. */
    private static int slot(int index, int numSlots) {
        int numRuns = numSlots / RUN_LEN + 1;
        int step = numRuns * 5 / 8 | 1;
        while (gcd(step, numRuns) != 1) {
            step += 2;
        }
        return (int) ((long) (index / RUN_LEN) * step % numRuns) * RUN_LEN + index % RUN_LEN;
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }
}
