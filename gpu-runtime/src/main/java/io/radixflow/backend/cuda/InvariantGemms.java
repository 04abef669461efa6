package io.radixflow.backend.cuda;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Products whose rows have the same bits whatever rows are computed with them. Rows are cut into pieces of a few sizes, the last one padded;
 * for each size an algorithm is taken that adds a row's products in the order in which all others do.
 *
 * <p>cuBLASLt doesn't promise such an order, so it is checked at start, on the engine's own weights and this device: algorithms that don't split
 * sums are tried in the library's order, and the first whose rows all equal those of {@link #REFERENCE} rows is kept. Decode steps are bound by
 * reading weights, so padding up to {@link #REFERENCE} rows costs them next to nothing.
 */
final class InvariantGemms {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");

    private static final int[] PIECES = {24, 64, 128, 256, 512, 1024, 2048};
    private static final int REFERENCE = 256;
    private static final int MOST = PIECES[PIECES.length - 1];
    private static final int CANDIDATES = 16;
    private static final int THREADS = 256;
    private static final int BLOCKS = 1024;

    private final CudaDevice device;
    private final Gemms gemms;
    private final Kernel fill;
    private final Kernel countDifferences;
    private final Map<Gemms.Shape, Gemms.Plan> plans = new HashMap<>();

    InvariantGemms(CudaDevice device, Kernels kernels, Gemms gemms) {
        this.device = device;
        this.gemms = gemms;
        fill = kernels.kernel("check", "fill_bf16", 2);
        countDifferences = kernels.kernel("check", "count_differences", 5);
    }

    /** Rows that buffers of {@code rows} live ones must have. */
    static int capacity(int rows) {
        return rows <= REFERENCE ? pieceFor(rows) : rows + REFERENCE;
    }

    /** The next piece: the largest that is full, or the smallest that holds the rest. */
    private static int pieceFor(int rows) {
        int piece = PIECES[0];
        for (int each : PIECES) {
            if (each <= rows && each >= REFERENCE) {
                piece = each;
            }
        }
        for (int i = 0; piece < rows && rows <= REFERENCE; i++) {
            piece = PIECES[i];
        }
        return piece;
    }

    void multiply(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        int done = 0;
        while (done < rows) {
            int piece = pieceFor(rows - done);
            Gemms.Plan plan = plans.get(shape(piece, w, y.isFloat()));
            if (plan == null) {
                throw new IllegalStateException(
                        "no checked product of " + piece + " rows with a weight of " + w.rows() + " x " + w.cols());
            }
            gemms.run(
                    plan,
                    w.memory().address(),
                    x.row(done).address(),
                    y.row(done).address());
            done += piece;
        }
    }

    /**
     * Chooses and checks the algorithms.
     *
     * @param weights all that will be multiplied with
     * @param outputRows rows of the weight whose products are fp32, of at most {@link #REFERENCE} rows at once
     * @throws EngineException of category CONFIGURATION if no algorithm of a shape keeps the order
     */
    void choose(Collection<CudaWeight> weights, int outputRows) {
        if (weights.isEmpty()) {
            return;
        }
        long started = System.nanoTime();
        Map<List<Integer>, CudaWeight> byShape = new LinkedHashMap<>();
        long inputBytes = 0;
        long outputBytes = 0;
        for (CudaWeight weight : weights) {
            byShape.putIfAbsent(List.of(weight.rows(), weight.cols()), weight);
            boolean isOutput = weight.rows() == outputRows;
            inputBytes = Math.max(inputBytes, 2L * MOST * weight.cols());
            outputBytes = Math.max(outputBytes, weight.rows() * (isOutput ? 4L * REFERENCE : 2L * MOST));
        }
        try (Trial trial = new Trial(inputBytes, outputBytes)) {
            for (CudaWeight weight : byShape.values()) {
                trial.choose(weight, weight.rows() == outputRows);
            }
            LOG.info(
                    "Products whose rows don't depend on the batch: {} shapes checked, {} algorithms refused, {} s.",
                    plans.size(),
                    trial.numRefused,
                    String.format(Locale.ROOT, "%.2f", (System.nanoTime() - started) / 1e9));
        }
    }

    void close() {
        plans.values().forEach(Gemms.Plan::free);
        plans.clear();
    }

    /** Memory for comparing products, given back before the KV cache is planned. */
    private final class Trial implements AutoCloseable {
        private final DevicePointer x;
        private final DevicePointer expected;
        private final DevicePointer actual;
        private final DevicePointer count;
        private int numRefused;

        private Trial(long inputBytes, long outputBytes) {
            x = device.allocate(inputBytes, "rows to check products with");
            expected = device.allocate(outputBytes, "products to check");
            actual = device.allocate(outputBytes, "products to check");
            count = device.allocate(Integer.BYTES, "a count of differences");
        }

        private void choose(CudaWeight w, boolean isOutput) {
            fill.with(x).and(REFERENCE * w.cols()).launch(device.stream(), BLOCKS, 1, 1, THREADS, 0);
            long referenceBytes = 2L * REFERENCE * w.cols();
            for (int block = 1; block * REFERENCE < MOST; block++) { // the same rows over and over
                device.copy(x.plus(block * referenceBytes), x, referenceBytes);
            }
            Gemms.Plan reference = first(gemms.candidates(shape(REFERENCE, w, isOutput), 1, false), w);
            gemms.run(reference, w.memory().address(), x.address(), expected.address());
            for (int piece : PIECES) {
                if (!isOutput || piece <= REFERENCE) {
                    Gemms.Shape shape = shape(piece, w, isOutput);
                    plans.put(
                            shape, first(equalOnes(gemms.candidates(shape, CANDIDATES, false), w, piece, isOutput), w));
                }
            }
            reference.free();
        }

        /** Stops at the first that is equal; the others are freed. */
        private List<Gemms.Plan> equalOnes(List<Gemms.Plan> candidates, CudaWeight w, int piece, boolean isOutput) {
            List<Gemms.Plan> equal = new ArrayList<>();
            for (Gemms.Plan plan : candidates) {
                if (!equal.isEmpty()) {
                    plan.free();
                } else if (isEqual(plan, w, piece, isOutput)) {
                    equal.add(plan);
                } else {
                    numRefused++;
                    plan.free();
                }
            }
            return equal;
        }

        private boolean isEqual(Gemms.Plan plan, CudaWeight w, int piece, boolean isOutput) {
            long rowWords = (isOutput ? 2L : 1L) * w.rows();
            device.clear(count, Integer.BYTES);
            gemms.run(plan, w.memory().address(), x.address(), actual.address());
            countDifferences
                    .with(actual)
                    .and(expected)
                    .and(piece * rowWords)
                    .and(REFERENCE * rowWords)
                    .and(count)
                    .launch(device.stream(), BLOCKS, 1, 1, THREADS, 0);
            return device.readInt(count) == 0;
        }

        private Gemms.Plan first(List<Gemms.Plan> found, CudaWeight w) {
            if (found.isEmpty()) {
                throw new EngineException(
                        Category.CONFIGURATION,
                        "--enable-deterministic-inference: cuBLASLt has no algorithm for weights of " + w.rows() + " x "
                                + w.cols() + " that adds in the same order for all batches; leave it out on this GPU");
            }
            return found.get(0);
        }

        @Override
        public void close() {
            device.free(count);
            device.free(actual);
            device.free(expected);
            device.free(x);
        }
    }

    private static Gemms.Shape shape(int rows, CudaWeight w, boolean isOutput) {
        return new Gemms.Shape(rows, w.rows(), w.cols(), isOutput);
    }
}
