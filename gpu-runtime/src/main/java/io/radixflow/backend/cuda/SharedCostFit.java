package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.SegmentCosts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds at start when decoding rows should read a common prefix together: times a layer's decode attention on this device, each row for itself and
 * by segments, and fits by least squares, of what each gain differs by, relative to the time:
 *
 * <pre>
 * gain = sum over segments (read * rows * len - together * reads * len - handOver * rows - segment)
 *     - step - row * rows of the step - own * tokens that they read for themselves
 * </pre>
 *
 * <p>Uses the engine's own KV cache, which is empty yet.
 */
final class SharedCostFit {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");

    /** Rows, prefixes, tokens of each, documents behind them, tokens of each, tokens of their own. */
    private static final int[][] SCENES = {
        {2, 1, 8192, 0, 0, 128},
        {4, 2, 2048, 0, 0, 1024},
        {8, 1, 512, 0, 0, 1024},
        {8, 2, 64, 0, 0, 1024},
        {8, 4, 2048, 0, 0, 1024},
        {16, 1, 64, 0, 0, 16},
        {16, 1, 256, 0, 0, 128},
        {16, 2, 256, 0, 0, 16},
        {16, 2, 512, 0, 0, 128},
        {16, 2, 4096, 0, 0, 128},
        {32, 1, 1024, 16, 256, 128},
        {32, 1, 4096, 4, 256, 128},
        {32, 2, 1024, 0, 0, 1024},
        {32, 4, 256, 0, 0, 1024},
        {32, 4, 256, 16, 512, 32},
        {32, 4, 1024, 16, 256, 32},
        {32, 4, 4096, 16, 512, 32},
        {64, 1, 1024, 4, 512, 128},
        {64, 2, 64, 0, 0, 16},
        {64, 4, 256, 4, 512, 32},
        {128, 2, 512, 0, 0, 16},
        {128, 4, 256, 0, 0, 128},
        {128, 4, 1024, 0, 0, 16},
        {256, 4, 64, 0, 0, 128}
    };

    private static final int LEAST_SCENES = 10;
    private static final int UNKNOWNS = 7;
    private static final int MOST_ROWS = 256;

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
            SegmentCosts always = new SegmentCosts(1, 1, shared.tokensPerRead(), 1, 0, 0);
            shared.decideBy(always, SharedItems.Overhead.NONE);
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
                "Shared prefixes: reading a token takes {} ns, together {} ns, handing a row over {} ns, a segment {} ns, a step that shares {} ns,"
                        + " {} ns a row and {} ns a token of its own, a layer; measured in {} s",
                rounded("%.2f", costs[0]),
                rounded("%.2f", costs[1]),
                rounded("%.0f", costs[2]),
                rounded("%.0f", costs[3]),
                rounded("%.0f", costs[4]),
                rounded("%.0f", costs[5]),
                rounded("%.2f", costs[6]),
                rounded("%.2f", (System.nanoTime() - started) / 1e9));
        SegmentCosts decided = new SegmentCosts(1, 1, shared.tokensPerRead(), costs[0], costs[1], costs[2], costs[3]);
        shared.decideBy(decided, new SharedItems.Overhead(costs[4], costs[5], costs[6]));
        return decided;
    }

    private static String rounded(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** Read, together, hand over, segment, step, row, own token in nanoseconds; empty if there is no room for enough scenes. */
    private double[] measure() {
        int maxRows = Math.min(MOST_ROWS, settings.maxSequences());
        List<AttentionTimes.Scene> scenes = new ArrayList<>();
        int maxLen = 0;
        for (int[] numbers : SCENES) {
            AttentionTimes.Scene scene =
                    new AttentionTimes.Scene(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
            if (scene.numRows() <= maxRows && scene.numSlots() <= layout.numSlots()) {
                scenes.add(scene);
                maxLen = Math.max(maxLen, scene.len());
            }
        }
        if (scenes.size() < LEAST_SCENES) {
            return new double[0];
        }
        CostFit fit = new CostFit(UNKNOWNS);
        try (AttentionTimes times = times(maxRows, maxLen)) {
            for (AttentionTimes.Scene scene : scenes) {
                ForwardBatch batch = times.fill(scene);
                double each = times.nanosEach();
                double together = times.nanosShared();
                LOG.debug("{}: {} ns each, {} ns shared", scene, each, together);
                fit.add(factors(scene, batch), each - together, 1 / each);
            }
        }
        return fit.solve();
    }

    /** For scenes of so many rows and tokens of one. */
    AttentionTimes times(int maxRows, int maxLen) {
        return new AttentionTimes(device, attention, shared, cache, maxRows, maxLen);
    }

    /** How often each cost comes in what a batch saves by its segments. */
    private double[] factors(AttentionTimes.Scene scene, ForwardBatch batch) {
        double[] factors = new double[UNKNOWNS];
        for (int g = 0; g < batch.numSegments; g++) {
            int len = batch.segmentTo[g] - batch.segmentFrom[g];
            int numRows = batch.segmentEnd[g] - batch.segmentFirst[g];
            factors[0] += (double) numRows * len;
            factors[1] -= (double) ((numRows - 1) / shared.tokensPerRead() + 1) * len;
            factors[2] -= numRows;
            factors[3] -= 1;
        }
        factors[4] = -1;
        factors[5] = -scene.numRows();
        factors[6] = -(double) scene.numRows() * scene.tailLen();
        return factors;
    }
}
