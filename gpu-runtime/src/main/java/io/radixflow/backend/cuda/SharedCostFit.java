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
 * gain = sum over segments (read * rows * len - together * reads * len - handOver * rows - segment) - row * rows of the step - step
 * </pre>
 *
 * <p>Uses the engine's own KV cache, which is empty yet.
 */
final class SharedCostFit {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");

    /** Rows, prefixes, tokens of each, documents behind them, tokens of each. */
    private static final int[][] SCENES = {
        {2, 1, 1024, 0, 0},
        {2, 1, 4096, 0, 0},
        {4, 1, 2048, 0, 0},
        {8, 1, 256, 0, 0},
        {8, 1, 1024, 0, 0},
        {8, 2, 4096, 0, 0},
        {32, 1, 256, 0, 0},
        {32, 1, 1024, 0, 0},
        {32, 4, 1024, 0, 0},
        {32, 1, 1024, 4, 512},
        {64, 1, 256, 0, 0},
        {64, 1, 2048, 0, 0},
        {64, 16, 256, 0, 0},
        {64, 16, 1024, 0, 0},
        {64, 4, 2048, 0, 0},
        {64, 1, 1024, 16, 512},
        {64, 1, 256, 4, 1024},
        {256, 1, 256, 0, 0},
        {256, 4, 1024, 0, 0},
        {256, 64, 256, 0, 0},
        {256, 1, 1024, 16, 512},
        {256, 4, 512, 64, 256}
    };

    private static final int LEAST_SCENES = 8;
    private static final int UNKNOWNS = 6;
    private static final int TAIL_LEN = 32;
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
            shared.decideBy(always, 0, 0);
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
                "Shared prefixes: reading a token takes {} ns, together {} ns, handing a row over {} ns, a segment {} ns, a step that shares {} ns"
                        + " and {} ns a row, a layer; measured in {} s",
                rounded("%.2f", costs[0]),
                rounded("%.2f", costs[1]),
                rounded("%.0f", costs[2]),
                rounded("%.0f", costs[3]),
                rounded("%.0f", costs[4]),
                rounded("%.0f", costs[5]),
                rounded("%.2f", (System.nanoTime() - started) / 1e9));
        SegmentCosts decided = new SegmentCosts(1, 1, shared.tokensPerRead(), costs[0], costs[1], costs[2], costs[3]);
        shared.decideBy(decided, costs[4], costs[5]);
        return decided;
    }

    private static String rounded(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** Read, together, hand over, segment, step, row in nanoseconds; empty if there is no room for enough scenes. */
    private double[] measure() {
        int maxRows = Math.min(MOST_ROWS, settings.maxSequences());
        List<AttentionTimes.Scene> scenes = new ArrayList<>();
        int maxLen = 0;
        for (int[] numbers : SCENES) {
            AttentionTimes.Scene scene =
                    new AttentionTimes.Scene(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], TAIL_LEN);
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
                fit.add(factors(batch), each - together, 1 / each);
            }
        }
        return fit.solve();
    }

    /** For scenes of so many rows and tokens of one. */
    AttentionTimes times(int maxRows, int maxLen) {
        return new AttentionTimes(device, attention, shared, cache, maxRows, maxLen);
    }

    /** How often each cost comes in what a batch saves by its segments. */
    private double[] factors(ForwardBatch batch) {
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
        factors[5] = -batch.numSequences;
        return factors;
    }
}
