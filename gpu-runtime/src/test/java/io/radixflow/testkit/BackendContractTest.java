package io.radixflow.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assertions.within;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What every backend must do, checked against {@link ReferenceBackend} at the edges of shapes. A backend's test extends it (and
 * {@link AttentionContractTest}).
 *
 * <p>Outputs are full of NaN before an op, the row behind the live ones must stay so, inputs have outliers. A row must have the same
 * bits in every batch and on every number of threads.
 */
public abstract class BackendContractTest {

    /** Half the distance of neighbouring floats, relative. */
    private static final double ROUNDING = 0x1p-24;

    private static final int[] ROW_COUNTS = {1, 2, 3, 4, 5, 8, 9, 33};
    private static final float EPS = 1e-5f;

    private final ReferenceBackend reference = new ReferenceBackend();
    private final List<Backend> opened = new ArrayList<>();

    /** A backend with about this many threads; a device backend may ignore it. */
    protected abstract Backend open(int numThreads);

    /** Output feature counts around the sizes that the backend's kernels work in. */
    protected abstract int[] outputFeatures();

    private Backend backend(int numThreads) {
        Backend backend = open(numThreads);
        opened.add(backend);
        return backend;
    }

    @AfterEach
    void closeBackends() {
        for (Backend backend : opened) {
            backend.close();
            backend.close(); // idempotent
        }
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void multipliesEveryTypeAtEveryEdge(TensorType type) {
        Backend backend = backend(2);
        for (int cols : inputFeatures(type)) {
            for (int outputs : outputFeatures()) {
                checkLinear(backend, List.of(RandomTensors.weights(type, outputs, cols, cols + outputs)), cols);
            }
        }
    }

    private static int[] inputFeatures(TensorType type) {
        return switch (type.blockLen()) {
            case 1 -> new int[] {1, 33, 257};
            case 32 -> new int[] {32, 256, 288, 576};
            default -> new int[] {256, 512, 768};
        };
    }

    @Test
    void stacksMatricesOfDifferentTypes() {
        List<TensorData> parts = new ArrayList<>();
        for (TensorType type : TensorType.values()) {
            parts.add(RandomTensors.weights(type, 7 + 10 * parts.size(), 256, parts.size()));
        }
        checkLinear(backend(3), parts, 256);
    }

    private void checkLinear(Backend backend, List<TensorData> parts, int cols) {
        Weight weight = backend.upload(parts);
        Weight expectedWeight = reference.upload(parts);
        int outputs = expectedWeight.rows();
        assertThat(weight.rows()).isEqualTo(outputs);
        assertThat(weight.cols()).isEqualTo(cols);
        int maxRows = ROW_COUNTS[ROW_COUNTS.length - 1];
        float[] x = RandomTensors.activations(maxRows * cols, 5);
        Tensor expected = reference.allocate(maxRows, outputs);
        reference.linear(expectedWeight, reference.upload(x, maxRows, cols), maxRows, expected);
        double[] tolerance = linearTolerance(expectedWeight, x, maxRows);
        float[] all = null;
        for (int i = ROW_COUNTS.length - 1; i >= 0; i--) {
            int rows = ROW_COUNTS[i];
            Tensor out = poisoned(backend, rows + 1, outputs);
            backend.linear(weight, backend.upload(x, maxRows, cols), rows, out);
            float[] actual = readGuarded(backend, out, rows);
            String what = parts.get(0).type() + " [" + outputs + ", " + cols + "] times " + rows + " rows";
            checkClose(what, actual, ReferenceBackend.values(expected), tolerance);
            all = all == null ? actual : all;
            checkSameBits(what, actual, all);
        }
    }

    /**
     * A chain of cols fused multiply-adds rounds once each, and a weight d * q + m once more, so an error is at most
     * (cols + 1) * 2^-24 * sum |x| |w|; a half more for products of roundings.
     */
    private double[] linearTolerance(Weight weight, float[] x, int rows) {
        int cols = weight.cols();
        double[] tolerance = new double[rows * weight.rows()];
        double[] row = new double[cols];
        for (int n = 0; n < weight.rows(); n++) {
            ((ReferenceWeights) weight).row(n, row);
            for (int r = 0; r < rows; r++) {
                double magnitude = 0;
                for (int c = 0; c < cols; c++) {
                    magnitude += Math.abs(x[r * cols + c] * row[c]);
                }
                tolerance[r * weight.rows() + n] = 1.5 * (cols + 1) * ROUNDING * magnitude;
            }
        }
        return tolerance;
    }

    @Test
    void multipliesAlikeOnAnyNumberOfThreads() {
        TensorData tensor = RandomTensors.weights(TensorType.Q4_1, 333, 128, 3);
        float[] x = RandomTensors.activations(9 * 128, 4);
        float[] first = null;
        for (int numThreads : new int[] {1, 2, 3, 7}) {
            Backend backend = backend(numThreads);
            Tensor out = poisoned(backend, 10, 333);
            backend.linear(backend.upload(List.of(tensor)), backend.upload(x, 9, 128), 9, out);
            float[] actual = readGuarded(backend, out, 9);
            first = first == null ? actual : first;
            checkSameBits(numThreads + " threads", actual, first);
        }
    }

    @Test
    void refusesToStackDifferentWidths() {
        Backend backend = backend(1);
        List<TensorData> parts =
                List.of(RandomTensors.weights(TensorType.F32, 2, 8, 1), RandomTensors.weights(TensorType.F32, 2, 9, 1));
        assertThatThrownBy(() -> backend.upload(parts))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("9 columns");
    }

    @Test
    void embedsEveryType() {
        Backend backend = backend(2);
        for (TensorType type : TensorType.values()) {
            int cols = Math.max(64, type.blockLen());
            TensorData tensor = RandomTensors.weights(type, 67, cols, 9);
            ForwardBatch batch = new ForwardBatch(200, 1, new int[1], 1);
            batch.numTokens = 200;
            for (int i = 0; i < 200; i++) {
                batch.tokenId[i] = i * 31 % 67;
            }
            Tensor out = poisoned(backend, 201, cols);
            backend.embed(backend.upload(List.of(tensor)), batch, out);
            Tensor expected = reference.allocate(200, cols);
            reference.embed(reference.upload(List.of(tensor)), batch, expected);
            // At most one rounding.
            checkClose(
                    "embed " + type,
                    readGuarded(backend, out, 200),
                    ReferenceBackend.values(expected),
                    relative(ReferenceBackend.values(expected), ROUNDING));
        }
    }

    @Test
    void gathersRows() {
        Backend backend = backend(1);
        float[] x = RandomTensors.activations(5 * 3, 1);
        Tensor out = poisoned(backend, 5, 3);
        backend.gatherRows(backend.upload(x, 5, 3), new int[] {4, 0, 4, 2, 99}, 4, out);
        float[] actual = readGuarded(backend, out, 4);
        for (int i = 0; i < 12; i++) {
            assertThat(actual[i]).isEqualTo(x[new int[] {4, 0, 4, 2}[i / 3] * 3 + i % 3]);
        }
    }

    @Test
    void normalisesAtEveryEdge() {
        Backend backend = backend(2);
        for (int cols : new int[] {1, 7, 8, 15, 16, 17, 31, 33, 576}) {
            int rows = 33;
            float[] x = RandomTensors.activations(rows * cols, cols);
            float[] delta = RandomTensors.activations(rows * cols, cols + 1);
            float[] weight = RandomTensors.activations(cols, cols + 2);
            Tensor expected = reference.allocate(rows, cols);
            Tensor expectedSum = reference.upload(x, rows, cols);
            reference.addRmsNorm(
                    expectedSum,
                    reference.upload(delta, rows, cols),
                    reference.upload(weight, 1, cols),
                    EPS,
                    rows,
                    expected);
            Tensor out = poisoned(backend, rows + 1, cols);
            Tensor sum = backend.upload(x, rows, cols);
            backend.addRmsNorm(sum, backend.upload(delta, rows, cols), backend.upload(weight, 1, cols), EPS, rows, out);
            // The sum rounds once, each of up to cols squares and partial sums at most once more, then three products;
            // the root halves.
            double relativeError = (cols / 2 + 8) * 2 * ROUNDING;
            checkClose(
                    "sum",
                    read(backend, sum, rows),
                    ReferenceBackend.values(expectedSum),
                    magnitude(x, delta, ROUNDING));
            double[] tolerance = relative(ReferenceBackend.values(expected), relativeError);
            addCancellation(
                    tolerance, x, delta, ReferenceBackend.values(expectedSum), ReferenceBackend.values(expected));
            checkClose(
                    "norm of " + cols, readGuarded(backend, out, rows), ReferenceBackend.values(expected), tolerance);
            Tensor again = poisoned(backend, rows + 1, cols);
            backend.rmsNorm(sum, backend.upload(weight, 1, cols), EPS, 1, again);
            checkSameBits("one row of " + cols, readGuarded(backend, again, 1), read(backend, out, rows));
        }
    }

    /** Where x + delta cancels, the sum's own rounding error is larger relative to it, and every number of a row inherits it a little. */
    private static void addCancellation(double[] tolerance, float[] x, float[] delta, double[] sum, double[] normed) {
        for (int i = 0; i < tolerance.length; i++) {
            double lost = (Math.abs((double) x[i]) + Math.abs((double) delta[i])) * ROUNDING;
            tolerance[i] += sum[i] == 0 ? lost : Math.abs(normed[i] / sum[i]) * lost * 2;
        }
    }

    @Test
    void gatesAtEveryEdge() {
        Backend backend = backend(2);
        for (int ffn : new int[] {1, 7, 8, 16, 17, 100, 1536}) {
            int rows = 9;
            float[] gateUp = RandomTensors.activations(rows * 2 * ffn, ffn);
            gateUp[0] = -200; // exp(200) is beyond a float
            Tensor expected = reference.allocate(rows, ffn);
            reference.siluMul(reference.upload(gateUp, rows, 2 * ffn), rows, expected);
            Tensor out = poisoned(backend, rows + 1, ffn);
            backend.siluMul(backend.upload(gateUp, rows, 2 * ffn), rows, out);
            // exp within 2e-7, three operations behind it; a gate below -88 counts as -88: less than 200 e^-88 of up.
            double[] tolerance = relative(ReferenceBackend.values(expected), 2e-7 + 3 * ROUNDING);
            for (int i = 0; i < tolerance.length; i++) {
                tolerance[i] += 1e-34;
            }
            checkClose("silu of " + ffn, readGuarded(backend, out, rows), ReferenceBackend.values(expected), tolerance);
        }
    }

    @Test
    void drawsTheLargestLogitWhenGreedy() {
        Backend backend = backend(3);
        int vocabSize = 1000;
        int entries = 33;
        float[] logits = RandomTensors.activations(entries * vocabSize, 2);
        SamplingBatch batch = greedyBatch(entries);
        ScoredTokens expected = new ScoredTokens(entries);
        ScoredTokens actual = new ScoredTokens(entries);
        reference.sample(reference.upload(logits, entries, vocabSize), batch, expected);
        backend.sample(backend.upload(logits, entries, vocabSize), batch, actual);
        backend.synchronize();
        assertThat(actual.tokenId).isEqualTo(expected.tokenId);
    }

    /** fp32 logits up to 50 apart: log-probabilities within one rounding of their size, and the sum's relative error of 3e-7. */
    @Test
    void scoresTokensByTheWholeRowWhateverIsDrawn() {
        Backend backend = backend(2);
        int entries = 7;
        for (int vocabSize : new int[] {20, 21, 264, 5000}) {
            float[] logits = RandomTensors.activations(entries * vocabSize, vocabSize);
            logits[3] = logits[5]; // equal ones are ranked by id
            logits[vocabSize + 7] =
                    largest(logits, vocabSize, 2 * vocabSize) - 80; // its bias of 90 makes it the largest
            SamplingBatch batch = greedyBatch(entries);
            batch.biasIds[1] = new int[] {7};
            batch.biasValues[1] = new float[] {90};
            batch.allowedIds[2] = new int[] {0, 3};
            batch.allowedIds[4] = new int[] {3};
            batch.bannedIds[4] = new int[] {3};
            batch.numBanned[4] = 1;
            ScoredTokens drawn = scored(entries);
            backend.sample(backend.upload(logits, entries, vocabSize), batch, drawn);
            backend.synchronize();
            assertThat(drawn.tokenId[1]).isEqualTo(7);
            assertThat(drawn.tokenId[4]).isEqualTo(ScoredTokens.NO_TOKEN);
            Tensor exact = reference.upload(logits, entries, vocabSize);
            ScoredTokens expected = scored(entries);
            System.arraycopy(drawn.tokenId, 0, expected.tokenId, 0, entries);
            reference.score(exact, entries, expected, 0);
            checkScores(drawn, expected, 0, entries);

            int shift = 2;
            ScoredTokens given = scored(entries + shift);
            System.arraycopy(drawn.tokenId, 0, given.tokenId, shift, entries);
            given.tokenId[shift + 4] = 1;
            backend.score(backend.upload(logits, entries, vocabSize), entries, given, shift);
            backend.synchronize();
            expected.tokenId[4] = 1;
            reference.score(exact, entries, expected, 0);
            checkScores(given, expected, shift, entries);
        }
    }

    private static float largest(float[] values, int from, int to) {
        float largest = values[from];
        for (int i = from; i < to; i++) {
            largest = Math.max(largest, values[i]);
        }
        return largest;
    }

    private static ScoredTokens scored(int entries) {
        ScoredTokens tokens = new ScoredTokens(entries);
        Arrays.fill(tokens.logprob, Float.NaN);
        Arrays.fill(tokens.numAlternatives, ScoredTokens.MAX_ALTERNATIVES);
        return tokens;
    }

    private static void checkScores(ScoredTokens actual, ScoredTokens expected, int shift, int entries) {
        for (int entry = 0; entry < entries; entry++) {
            if (actual.tokenId[shift + entry] == ScoredTokens.NO_TOKEN) {
                continue;
            }
            float value = expected.logprob[entry];
            assertThat(actual.logprob[shift + entry]).isCloseTo(value, within(4e-7f + 2e-7f * Math.abs(value)));
            for (int rank = 0; rank < ScoredTokens.MAX_ALTERNATIVES; rank++) {
                int at = entry * ScoredTokens.MAX_ALTERNATIVES + rank;
                int actualAt = (shift + entry) * ScoredTokens.MAX_ALTERNATIVES + rank;
                assertThat(actual.alternativeId[actualAt]).isEqualTo(expected.alternativeId[at]);
                float alternative = expected.alternativeLogprob[at];
                assertThat(actual.alternativeLogprob[actualAt])
                        .isCloseTo(alternative, within(4e-7f + 2e-7f * Math.abs(alternative)));
            }
        }
    }

    private static SamplingBatch greedyBatch(int entries) {
        SamplingBatch batch = new SamplingBatch(entries);
        batch.numEntries = entries;
        Arrays.fill(batch.topP, 1);
        Arrays.fill(batch.topK, -1);
        Arrays.fill(batch.repetitionPenalty, 1);
        Arrays.fill(batch.tokens, new int[0]);
        return batch;
    }

    private static Tensor poisoned(Backend backend, int rows, int cols) {
        return backend.upload(RandomTensors.poison(rows * cols), rows, cols);
    }

    private static float[] read(Backend backend, Tensor tensor, int rows) {
        float[] values = new float[rows * tensor.cols()];
        backend.read(tensor, 0, rows, values);
        return values;
    }

    /** The first {@code rows} rows, after a check that the one behind them is untouched. */
    static float[] readGuarded(Backend backend, Tensor tensor, int rows) {
        float[] guard = new float[tensor.cols()];
        backend.read(tensor, rows, 1, guard);
        for (float value : guard) {
            assertThat(value).as("row behind the live ones").isNaN();
        }
        return read(backend, tensor, rows);
    }

    private static double[] relative(double[] expected, double factor) {
        return Arrays.stream(expected).map(v -> Math.abs(v) * factor).toArray();
    }

    private static double[] magnitude(float[] a, float[] b, double factor) {
        double[] result = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            result[i] = (Math.abs((double) a[i]) + Math.abs((double) b[i])) * factor;
        }
        return result;
    }

    /** Compares as many leading numbers as there are actual ones. */
    static void checkClose(String what, float[] actual, double[] expected, double[] tolerance) {
        StringBuilder mismatches = new StringBuilder();
        int count = 0;
        for (int i = 0; i < actual.length; i++) {
            boolean isClose = Math.abs(actual[i] - expected[i]) <= tolerance[i] + Float.MIN_NORMAL;
            if (!isClose && count++ < 5) {
                mismatches.append("\n  [" + i + "] " + actual[i] + ", expected " + expected[i] + " +- " + tolerance[i]);
            }
        }
        if (count > 0) {
            fail(what + ": " + count + " of " + actual.length + " numbers are wrong:" + mismatches);
        }
    }

    /** Compares as many leading numbers as there are actual ones. */
    static void checkSameBits(String what, float[] actual, float[] expected) {
        for (int i = 0; i < actual.length; i++) {
            if (Float.floatToRawIntBits(actual[i]) != Float.floatToRawIntBits(expected[i])) {
                fail(what + ": number " + i + " is " + actual[i] + " here and " + expected[i] + " there");
            }
        }
    }
}
