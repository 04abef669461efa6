package io.radixflow.backend.cpu;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.Tensor;
import io.radixflow.testkit.AttentionScene;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Locale;

/**
 * Fits the costs that {@link Attention} gives the segment planner: times decode attention of rows with a common prefix, each for itself and as
 * one segment, and finds read, handOver and segment in {@code gain = read * (rows - 1) * len - handOver * rows - segment} by least squares of
 * what each gain differs by, relative to the time. A plain main on one thread: {@code HEADS KV_HEADS HEAD_DIM}.
 */
final class SegmentCostFit {

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int[] ROWS = {2, 4, 8, 16, 32};
    private static final int[] LENS = {32, 64, 128, 256, 1024};
    private static final int TAIL_LEN = 20;
    private static final long WINDOW_NANOS = 20_000_000;
    private static final int WINDOWS = 15;

    private final KvLayout shape;
    private final double[][] normal = new double[3][4];

    private SegmentCostFit(KvLayout shape) {
        this.shape = shape;
    }

    public static void main(String[] args) {
        int heads = Integer.parseInt(args[0]);
        int kvHeads = Integer.parseInt(args[1]);
        int headDim = Integer.parseInt(args[2]);
        SegmentCostFit fit = new SegmentCostFit(new KvLayout(1, 1, heads, kvHeads, headDim, ElementType.FLOAT16));
        System.out.println(
                "| rows | common tokens | each, us | one segment, us | gain, us |\n| --- | --- | --- | --- | --- |");
        for (int rows : ROWS) {
            for (int len : LENS) {
                fit.add(rows, len);
            }
        }
        double[] costs = fit.solve();
        System.out.printf(
                Locale.ROOT,
                "read %.3f ns a token = %.4f a number, hand over %.1f ns a token = %.4f a number, segment %.0f ns%n",
                costs[0],
                costs[0] / (kvHeads * headDim),
                costs[1],
                costs[1] / (heads * AttentionTile.stateLen(headDim)),
                costs[2]);
    }

    private void add(int rows, int len) {
        double[] nanos = gain(rows, len);
        System.out.printf(
                Locale.ROOT,
                "| %d | %d | %.1f | %.1f | %.1f |%n",
                rows,
                len,
                nanos[0] / 1e3,
                nanos[1] / 1e3,
                (nanos[0] - nanos[1]) / 1e3);
        add(new double[] {(rows - 1.0) * len, -rows, -1}, nanos[0] - nanos[1], 1 / nanos[0]);
    }

    /** Nanoseconds of one layer: each row for itself, and in one segment. */
    private double[] gain(int rows, int len) {
        int[] end = new int[rows];
        int[] from = new int[rows];
        Arrays.fill(end, len + TAIL_LEN);
        Arrays.fill(from, len + TAIL_LEN - 1);
        int numSlots = rows * (len + TAIL_LEN);
        KvLayout layout =
                new KvLayout(1, numSlots, shape.numHeads(), shape.numKvHeads(), shape.headDim(), ElementType.FLOAT16);
        AttentionScene scene = new AttentionScene(layout, end, len, false, 1);
        try (CpuBackend backend = new CpuBackend(1, 1L << 31)) {
            KvCache cache = backend.allocateKvCache(layout);
            QkvTransform transform = QkvTransform.rotation(scene.rope(backend, Rope.Pairing.HALVES));
            ForwardBatch earlier = scene.step(new int[rows], end);
            Tensor all = backend.upload(scene.qkv(earlier), earlier.numTokens, scene.qkvCols());
            backend.transformAndWriteKv(all, transform, cache, 0, earlier);
            ForwardBatch each = scene.step(from, end);
            ForwardBatch shared = scene.step(from, end);
            scene.share(shared, len);
            Tensor qkv = backend.upload(scene.qkv(each), rows, scene.qkvCols());
            Tensor out = backend.allocate(rows, scene.outCols());
            double[] least = {Double.MAX_VALUE, Double.MAX_VALUE};
            for (int window = 0; window < WINDOWS; window++) { // in turns: a neighbour disturbs both
                least[0] = Math.min(least[0], nanos(() -> backend.attention(qkv, cache, 0, each, out)));
                least[1] = Math.min(least[1], nanos(() -> backend.attention(qkv, cache, 0, shared, out)));
            }
            return least;
        }
    }

    /** Processor time of a call. */
    private static double nanos(Runnable call) {
        long start = THREADS.getCurrentThreadCpuTime();
        long end;
        int calls = 0;
        do {
            call.run();
            calls++;
            end = THREADS.getCurrentThreadCpuTime();
        } while (end - start < WINDOW_NANOS);
        return (double) (end - start) / calls;
    }

    private void add(double[] factors, double gain, double weight) {
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                normal[i][j] += weight * weight * factors[i] * factors[j];
            }
            normal[i][3] += weight * weight * factors[i] * gain;
        }
    }

    /** Gauss and Jordan on the normal equations. */
    private double[] solve() {
        for (int pivot = 0; pivot < 3; pivot++) {
            for (int row = 0; row < 3; row++) {
                double factor = normal[row][pivot] / normal[pivot][pivot];
                for (int col = pivot; row != pivot && col < 4; col++) {
                    normal[row][col] -= factor * normal[pivot][col];
                }
            }
        }
        return new double[] {normal[0][3] / normal[0][0], normal[1][3] / normal[1][1], normal[2][3] / normal[2][2]};
    }
}
