package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.SegmentCosts;
import java.util.Locale;
import jcuda.driver.CUevent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds at start when decoding rows should read a common prefix together: times a layer's decode attention on this device, each row for itself and
 * by segments, and fits {@code gain = read * (rows - tiles) * len - handOver * rows - segment * segments - step} by least squares of what each
 * gain differs by, relative to the time.
 *
 * <p>Uses the engine's own KV cache, which is empty yet. Launches are captured, as they are in steps that only decode.
 */
final class SharedCostFit {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");

    /** Rows, segments, tokens of each. */
    private static final int[][] SCENES = {
        {2, 1, 1024},
        {2, 1, 4096},
        {4, 1, 2048},
        {8, 1, 256},
        {8, 1, 1024},
        {8, 2, 4096},
        {32, 1, 256},
        {32, 1, 1024},
        {32, 4, 1024},
        {64, 1, 256},
        {64, 1, 2048},
        {64, 16, 256},
        {64, 16, 1024},
        {64, 4, 2048}
    };

    private static final int LEAST_SCENES = 6;
    private static final int UNKNOWNS = 4;
    private static final int TAIL_LEN = 32;
    private static final int MOST_ROWS = 64;
    private static final int LAYERS_PER_RUN = 8;
    private static final int RUNS = 5;
    private static final double NANOS_PER_MILLI = 1e6;

    private final CudaDevice device;
    private final Attention attention;
    private final SharedAttention shared;
    private final CudaKvCache cache;
    private final CudaBackend.Settings settings;
    private final KvLayout layout;

    SharedCostFit(
            CudaDevice device,
            Attention attention,
            SharedAttention shared,
            CudaKvCache cache,
            CudaBackend.Settings settings) {
        this.device = device;
        this.attention = attention;
        this.shared = shared;
        this.cache = cache;
        this.settings = settings;
        layout = cache.layout();
    }

    /** The costs that from now on planner and attention go by. */
    SegmentCosts decide() {
        if (settings.sharing() == PrefixSharing.ALWAYS) {
            SegmentCosts always = new SegmentCosts(1, 1, shared.tileSequences(), 1, 0, 0);
            shared.decideBy(always, 0);
            return always;
        }
        long started = System.nanoTime();
        double[] costs = measure();
        if (costs.length == 0) {
            LOG.info(
                    "Shared prefixes: not read together, since too few requests or KV slots ({}, {}) are there to measure what it brings",
                    settings.maxSequences(),
                    layout.numSlots());
            return SegmentCosts.NEVER;
        }
        LOG.info(
                "Shared prefixes: reading a token takes {} ns, handing a row over {} ns, a segment {} ns, a step that shares {} ns a layer;"
                        + " measured in {} s",
                rounded("%.2f", costs[0]),
                rounded("%.0f", costs[1]),
                rounded("%.0f", costs[2]),
                rounded("%.0f", costs[3]),
                rounded("%.2f", (System.nanoTime() - started) / 1e9));
        SegmentCosts decided = new SegmentCosts(1, 1, shared.tileSequences(), costs[0], costs[1], costs[2]);
        shared.decideBy(decided, costs[3]);
        return decided;
    }

    private static String rounded(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** Read, hand over, segment, step in nanoseconds; empty if there is no room for enough scenes. */
    private double[] measure() {
        int maxRows = Math.min(MOST_ROWS, settings.maxSequences());
        int maxLen = 0;
        int numScenes = 0;
        for (int[] scene : SCENES) {
            if (fits(scene, maxRows)) {
                maxLen = Math.max(maxLen, scene[2]);
                numScenes++;
            }
        }
        if (numScenes < LEAST_SCENES) {
            return new double[0];
        }
        Bench bench = new Bench(maxRows, maxLen + TAIL_LEN);
        CostFit fit = new CostFit(UNKNOWNS);
        for (int[] scene : SCENES) {
            if (fits(scene, maxRows)) {
                double[] nanos = bench.nanos(scene[0], scene[1], scene[2]);
                int tiles = scene[1] * ((scene[0] / scene[1] - 1) / shared.tileSequences() + 1);
                double[] factors = {(double) (scene[0] - tiles) * scene[2], -scene[0], -scene[1], -1};
                LOG.debug(
                        "{} rows, {} segments of {} tokens: {} ns each, {} ns shared",
                        scene[0],
                        scene[1],
                        scene[2],
                        nanos[0],
                        nanos[1]);
                fit.add(factors, nanos[0] - nanos[1], 1 / nanos[0]);
            }
        }
        bench.close();
        return fit.solve();
    }

    private boolean fits(int[] scene, int maxRows) {
        return scene[0] <= maxRows && (long) scene[1] * scene[2] + (long) scene[0] * TAIL_LEN <= layout.numSlots();
    }

    /** Rows behind segments, and what attention needs to know of them. */
    private final class Bench implements AutoCloseable {

        private final int stride;
        private final ForwardBatch batch;
        private final StepColumns step;
        private final SlotTable slots;
        private final CudaTensor qkv;
        private final CudaTensor out;
        private final CUevent began = device.event();
        private final CUevent ended = device.event();
        private final float[] scratch = new float[1];

        Bench(int maxRows, int stride) {
            this.stride = stride;
            batch = new ForwardBatch(maxRows, maxRows, new int[maxRows * stride], stride);
            TileOrder order = new TileOrder(attention.groupSize(), PrefillAttention.TILE_ROWS);
            step = new StepColumns(device, maxRows, maxRows, maxRows, order);
            slots = new SlotTable(device, maxRows, stride);
            int headDim = layout.headDim();
            int qkvCols = (layout.numHeads() + 2 * layout.numKvHeads()) * headDim;
            int outCols = layout.numHeads() * headDim;
            qkv = new CudaTensor(device.allocate(2L * maxRows * qkvCols, "queries"), maxRows, qkvCols, false);
            out = new CudaTensor(device.allocate(2L * maxRows * outCols, "attention"), maxRows, outCols, false);
        }

        /** Of one layer: each row for itself, and by segments. */
        double[] nanos(int numRows, int numSegments, int len) {
            device.synchronize();
            fill(numRows, numSegments, len);
            step.set(0, batch, numRows);
            step.upload();
            slots.update(0, batch);
            shared.set(0, batch);
            try (DecodeGraphs graphs = new DecodeGraphs(2, device.stream())) {
                graphs.capture(1, () -> enqueue(numRows, false));
                graphs.capture(2, () -> enqueue(numRows, true));
                double[] least = {Double.MAX_VALUE, Double.MAX_VALUE};
                for (int run = 0; run < RUNS; run++) {
                    for (int kind = 0; kind < 2; kind++) {
                        device.record(began);
                        graphs.launch(1 + kind);
                        device.record(ended);
                        device.await(ended);
                        double nanos = device.millis(began, ended, scratch) * NANOS_PER_MILLI / LAYERS_PER_RUN;
                        least[kind] = Math.min(least[kind], nanos);
                    }
                }
                return least;
            }
        }

        private void fill(int numRows, int numSegments, int len) {
            batch.numSequences = numRows;
            batch.numTokens = numRows;
            batch.numSegments = numSegments;
            int rowsPerSegment = numRows / numSegments;
            for (int s = 0; s < numRows; s++) {
                batch.row[s] = s;
                batch.firstToken[s] = s;
                batch.cachedLen[s] = len + TAIL_LEN - 1;
                batch.extendLen[s] = 1;
                batch.rowVersion[s]++;
                for (int p = 0; p < len + TAIL_LEN; p++) {
                    int own = numSegments * len + s * TAIL_LEN + p - len;
                    batch.slotTable[s * stride + p] = p < len ? s / rowsPerSegment * len + p : own;
                }
                batch.kvSlot[s] = batch.slotTable[s * stride + len + TAIL_LEN - 1];
            }
            for (int g = 0; g < numSegments; g++) {
                batch.segmentTo[g] = len;
                batch.segmentFirst[g] = g * rowsPerSegment;
                batch.segmentEnd[g] = (g + 1) * rowsPerSegment;
            }
        }

        private void enqueue(int numRows, boolean isShared) {
            for (int i = 0; i < LAYERS_PER_RUN; i++) {
                int layer = i % layout.numLayers();
                if (isShared) {
                    shared.attend(qkv, cache, layer, step, numRows, slots, out);
                } else {
                    attention.decode(qkv, cache, layer, step, numRows, slots, out);
                }
            }
        }

        @Override
        public void close() {
            device.free(qkv.memory());
            device.free(out.memory());
        }
    }
}
