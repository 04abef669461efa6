package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.SegmentPlanner;
import java.util.Locale;

/**
 * Over many scenes: what attention takes as planner and measured costs choose it, against the better one of each row for itself and all segments
 * shared. 32 heads, 8 KV heads of 128, captured launches.
 */
final class SharedPrefixGpuSweep {

    private static final int NUM_LAYERS = 8;
    private static final int NUM_HEADS = 32;
    private static final int NUM_KV_HEADS = 8;
    private static final int HEAD_DIM = 128;
    private static final int MAX_ROWS = 256;
    private static final int MAX_LEN = 33_792;
    /** Tokens that segments have in all: a GiB a layer. */
    private static final int MAX_SHARED_TOKENS = 1 << 18;

    private static final int MAX_SLOTS = MAX_SHARED_TOKENS + MAX_ROWS * 1024;

    private static final int[] ROWS = {2, 4, 8, 16, 32, 64, 128, 256};
    private static final int[] GROUPS = {1, 2, 4, 16, 64};
    private static final int[] PREFIX_LENS = {64, 256, 512, 1024, 2048, 4096, 8192, 32_768};
    private static final int[] TAIL_LENS = {16, 128, 1024};

    private final SegmentCosts costs;
    private final AttentionTimes times;
    private final SharedAttention shared;
    private double worst = 1;
    private double sumOfLogs;
    private int numScenes;

    private SharedPrefixGpuSweep(SegmentCosts costs, AttentionTimes times, SharedAttention shared) {
        this.costs = costs;
        this.times = times;
        this.shared = shared;
    }

    static void run(String library) {
        CudaBackend.Settings settings =
                new CudaBackend.Settings(0, 0.9, library, MAX_ROWS, MAX_ROWS, 0, true, false, PrefixSharing.AUTO);
        KvLayout layout = new KvLayout(NUM_LAYERS, MAX_SLOTS, NUM_HEADS, NUM_KV_HEADS, HEAD_DIM, ElementType.BFLOAT16);
        CudaDevice device = new CudaDevice(0);
        device.enter();
        Kernels kernels = new Kernels(device.capability());
        Attention attention = new Attention(device, kernels, layout, MAX_ROWS);
        SharedAttention shared = new SharedAttention(device, kernels, layout, MAX_ROWS);
        CudaKvCache cache = new CudaKvCache(layout, device.allocate(CudaKvCache.bytes(layout), "KV pool"));
        SharedCostFit fit = new SharedCostFit(device, attention, shared, cache, settings);
        SegmentCosts costs = fit.decide();
        System.out.println("sweep: " + costs);
        SharedPrefixGpuSweep sweep = new SharedPrefixGpuSweep(costs, fit.times(MAX_ROWS, MAX_LEN), shared);
        sweep.all();
        sweep.times.close();
        kernels.close();
        device.close();
    }

    private void all() {
        for (int rows : ROWS) {
            for (int groups : GROUPS) {
                for (int len : PREFIX_LENS) {
                    if (groups <= rows / 2) {
                        // Other tails for every other scene
                        one(new AttentionTimes.Scene(rows, groups, len, 0, 0, TAIL_LENS[numScenes % TAIL_LENS.length]));
                    }
                }
            }
        }
        for (int rows : new int[] {32, 64, 256}) {
            for (int prefixLen : new int[] {256, 1024, 4096}) {
                for (int documents : new int[] {4, 16}) {
                    for (int documentLen : new int[] {256, 512, 2048, 4096}) {
                        one(new AttentionTimes.Scene(rows, 1, prefixLen, documents, documentLen, 128));
                        one(new AttentionTimes.Scene(rows, 4, prefixLen, documents, documentLen, 32));
                    }
                }
            }
        }
        System.out.printf(
                Locale.ROOT,
                "sweep: %d scenes; chosen takes %.3f times the better one on average, %.3f at worst%n",
                numScenes,
                Math.exp(sumOfLogs / numScenes),
                worst);
    }

    private void one(AttentionTimes.Scene scene) {
        if (scene.numSlots() > MAX_SLOTS || scene.len() > MAX_LEN) {
            return;
        }
        ForwardBatch batch = times.fill(scene);
        double each = times.nanosEach();
        double all = times.nanosShared();
        new SegmentPlanner(MAX_ROWS, MAX_ROWS, costs).plan(batch);
        boolean pays = shared.set(0, batch);
        double chosen = pays ? times.nanosShared() : each;
        double ratio = chosen / Math.min(each, all);
        worst = Math.max(worst, ratio);
        sumOfLogs += Math.log(ratio);
        numScenes++;
        System.out.printf(
                Locale.ROOT,
                "sweep: %d,%d,%d,%d,%d,%d each %.1f all %.1f chosen %.1f segments %d pays %b ratio %.3f%n",
                scene.numRows(),
                scene.numPrefixes(),
                scene.prefixLen(),
                scene.numDocuments(),
                scene.documentLen(),
                scene.tailLen(),
                each / 1e3,
                all / 1e3,
                chosen / 1e3,
                batch.numSegments,
                pays,
                ratio);
    }
}
