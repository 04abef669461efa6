package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.NormedPair;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.testkit.AttentionScene;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.testkit.ReferenceBackend;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kernel against plain loops in fp64 on the same bf16 numbers. Outputs are NaN before, and the row behind the live ones must be so
 * afterwards. A bf16 result rounds once, by at most 2^-8 of itself.
 */
@Tag("gpu")
final class KernelGpuTest {

    private static final double ROUNDING = 0x1p-8;
    private static final double FP32 = 0x1p-20; // sums of up to some thousand numbers
    private static final float EPS = 1e-5f;
    private static final int MAX_TOKENS = 4096;
    private static final int MAX_SEQUENCES = 64;

    private final ReferenceBackend reference = new ReferenceBackend();
    private CudaBackend backend = open(false);

    private static CudaBackend open(boolean isDeterministic) {
        return new CudaBackend(new CudaBackend.Settings(
                0, 0.9, GpuModel.LIBRARY, MAX_TOKENS, MAX_SEQUENCES, 0, true, isDeterministic));
    }

    @AfterEach
    void close() {
        backend.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 72, 576, 1024, 1032, 2048, 2056, 4096, 4104, 8192, 8200, 16384})
    void normalises(int cols) {
        for (int rows : new int[] {1, 3, 33}) {
            float[] x = GpuTensors.rounded(RandomTensors.activations(rows * cols, cols));
            float[] delta = GpuTensors.rounded(RandomTensors.activations(rows * cols, cols + 1));
            float[] weight = RandomTensors.activations(cols, cols + 2);
            Tensor plain = poisoned(rows, cols);
            backend.rmsNorm(activations(x, rows, cols), backend.upload(weight, 1, cols), EPS, rows, plain);
            Tensor expected = reference.allocate(rows, cols);
            reference.rmsNorm(reference.upload(x, rows, cols), reference.upload(weight, 1, cols), EPS, rows, expected);
            check("norm of " + cols, plain, rows, ReferenceBackend.values(expected), ROUNDING + FP32, 0);

            CudaTensor sum = activations(x, rows, cols);
            Tensor added = poisoned(rows, cols);
            backend.addRmsNorm(sum, activations(delta, rows, cols), backend.upload(weight, 1, cols), EPS, rows, added);
            float[] roundedSum = read(sum, rows);
            double[] exactSum = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                exactSum[i] = x[i] + delta[i];
            }
            check("sum of " + cols, sum, rows, exactSum, ROUNDING, 0, false);
            reference.rmsNorm(
                    reference.upload(roundedSum, rows, cols), reference.upload(weight, 1, cols), EPS, rows, expected);
            check("norm of a sum of " + cols, added, rows, ReferenceBackend.values(expected), ROUNDING + FP32, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 1536, 2048, 2056, 4864, 12288})
    void gates(int ffn) {
        int rows = 5;
        float[] gateUp = GpuTensors.rounded(RandomTensors.activations(rows * 2 * ffn, ffn));
        gateUp[0] = -200; // exp(200) is beyond a float
        Tensor out = poisoned(rows, ffn);
        backend.siluMul(activations(gateUp, rows, 2 * ffn), rows, out);
        Tensor expected = reference.allocate(rows, ffn);
        reference.siluMul(reference.upload(gateUp, rows, 2 * ffn), rows, expected);
        check("gate of " + ffn, out, rows, ReferenceBackend.values(expected), ROUNDING + 1e-5, 1e-30);
    }

    @Test
    void embedsAndGathers() {
        KvLayout layout = new KvLayout(1, 64, 1, 1, 64, ElementType.BFLOAT16);
        backend.allocateKvCache(layout);
        backend.allocateLogits(16, 16);
        for (int cols : new int[] {8, 576, 1024, 1032}) {
            TensorData table = RandomTensors.weights(TensorType.BF16, 67, cols, 9);
            int rows = 33;
            ForwardBatch batch = new ForwardBatch(rows, 1, new int[64], 64);
            batch.numTokens = rows;
            batch.numSequences = 1;
            batch.extendLen[0] = rows;
            for (int i = 0; i < rows; i++) {
                batch.tokenId[i] = i * 31 % 67;
                batch.position[i] = i;
                batch.kvSlot[i] = i;
                batch.logitToken[i] = (i * 7 + 3) % rows;
            }
            batch.numLogits = rows;
            Tensor out = poisoned(rows, cols);
            Tensor gathered = poisoned(rows, cols);
            Weight weight = backend.upload(List.of(table));
            backend.runStep(batch, () -> {
                backend.embed(weight, batch, out);
                backend.gatherRows(out, batch.logitToken, rows, gathered);
                return null;
            });
            backend.finishStep();
            Tensor expected = reference.allocate(rows, cols);
            reference.embed(reference.upload(List.of(table)), batch, expected);
            check("embedding of " + cols, out, rows, ReferenceBackend.values(expected), 0, 0);
            Tensor expectedRows = reference.allocate(rows, cols);
            reference.gatherRows(expected, batch.logitToken, rows, expectedRows);
            check("rows of " + cols, gathered, rows, ReferenceBackend.values(expectedRows), 0, 0);
            int[] others = {5, 0, 5};
            Tensor again = poisoned(3, cols);
            backend.gatherRows(out, others, 3, again);
            reference.gatherRows(expected, others, 3, expectedRows);
            check("other rows of " + cols, again, 3, ReferenceBackend.values(expectedRows), 0, 0);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "64, 64, false",
        "1000, 576, false",
        "1536, 896, false",
        "1008, 512, false",
        "6144, 1536, false",
        "1000, 576, true",
        "1536, 896, true"
    })
    void multiplies(int outputs, int cols, boolean isDeterministic) {
        backend.close();
        backend = open(isDeterministic);
        TensorData data = RandomTensors.weights(TensorType.BF16, outputs, cols, cols);
        Weight weight = backend.upload(List.of(data));
        int maxRows = 300;
        backend.allocateLogits(16, outputs + 8);
        float[] x = GpuTensors.rounded(RandomTensors.activations(maxRows * cols, 4));
        Tensor expected = reference.allocate(maxRows, outputs);
        reference.linear(reference.upload(List.of(data)), reference.upload(x, maxRows, cols), maxRows, expected);
        // Pieces are padded: there must be rows to read, whatever they hold.
        float[] padded = Arrays.copyOf(x, (maxRows + 256) * cols);
        CudaTensor input = activations(padded, maxRows + 256, cols);
        float[] all = null;
        for (int rows : new int[] {300, 1, 7, 24, 25, 33, 64, 128, 256, 257}) {
            Tensor out = isDeterministic ? backend.allocate(maxRows, outputs) : poisoned(rows, outputs);
            backend.linear(weight, input, rows, out);
            // Products of unit variance: sums are about sqrt(cols) large, each term's error is relative to it.
            double tolerance = FP32 * cols * 50;
            check(
                    outputs + " x " + cols + " of " + rows,
                    out,
                    rows,
                    ReferenceBackend.values(expected),
                    ROUNDING,
                    tolerance,
                    !isDeterministic);
            float[] actual = read(out, rows);
            all = all == null ? actual : all;
            for (int i = 0; isDeterministic && i < actual.length; i++) {
                assertThat(actual[i]).as("number %d of %d rows", i, rows).isEqualTo(all[i]);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "64, 6, 2, HALVES",
        "64, 14, 2, ADJACENT",
        "128, 4, 4, HALVES",
        "128, 16, 2, ADJACENT",
        "128, 32, 8, HALVES"
    })
    void rotatesNormalisesAndWrites(int headDim, int numHeads, int numKvHeads, Rope.Pairing pairing) {
        KvLayout layout = new KvLayout(1, 80, numHeads, numKvHeads, headDim, ElementType.BFLOAT16);
        AttentionScene scene = new AttentionScene(layout, new int[] {33, 20}, 0, true, headDim);
        ForwardBatch batch = scene.step(new int[2], new int[] {33, 20});
        float[] rows = GpuTensors.rounded(scene.qkv(batch));
        backend.allocateLogits(16, 16);
        KvCache kv = backend.allocateKvCache(layout);
        for (boolean hasAll : new boolean[] {false, true}) {
            Function<Backend, QkvTransform> parts = on -> new QkvTransform(
                    hasAll ? on.upload(RandomTensors.activations(scene.qkvCols(), 7), 1, scene.qkvCols()) : null,
                    hasAll ? on.upload(RandomTensors.activations(headDim, 8), 1, headDim) : null,
                    hasAll ? on.upload(RandomTensors.activations(headDim, 9), 1, headDim) : null,
                    EPS,
                    scene.rope(on, pairing));
            CudaTensor actual = activations(rows, batch.numTokens, scene.qkvCols());
            backend.runStep(batch, () -> {
                backend.transformAndWriteKv(actual, parts.apply(backend), kv, 0, batch);
                return null;
            });
            backend.finishStep();
            Tensor expected = reference.upload(rows, batch.numTokens, scene.qkvCols());
            reference.transformAndWriteKv(
                    expected, parts.apply(reference), reference.allocateKvCache(layout), 0, batch);
            // Where two numbers of a pair cancel, the error is relative to the larger one.
            double most = hasAll ? 50 * Math.sqrt(headDim) * 2 : 300;
            double[] queries = ReferenceBackend.values(expected);
            float[] got = read(actual, batch.numTokens);
            for (int i = 0; i < got.length; i++) {
                if (i % scene.qkvCols() < numHeads * headDim) { // k and v go to the cache alone
                    assertThat((double) got[i])
                            .as("query number %d", i)
                            .isCloseTo(queries[i], within(Math.abs(queries[i]) * ROUNDING + most * 1e-5));
                }
            }
        }
    }

    /** Lengths around the edges of tiles, warps and splits; in two chunks, and the last token as a decode step. */
    @ParameterizedTest
    @CsvSource({
        "64, 1, 1",
        "64, 3, 1",
        "64, 9, 3",
        "64, 14, 2",
        "64, 16, 1",
        "128, 4, 4",
        "128, 8, 2",
        "128, 7, 1",
        "128, 16, 1",
        "128, 16, 8",
        "128, 32, 8"
    })
    void attendsAtEveryEdge(int headDim, int numHeads, int numKvHeads) {
        assumeTrue(!GpuModel.IS_TRIMMED || numHeads == 9 || numHeads == 8);
        int[] len = {1, 2, 15, 17, 63, 64, 65, 127, 128, 129, 256, 257, 300};
        KvLayout layout = new KvLayout(1, 1500, numHeads, numKvHeads, headDim, ElementType.BFLOAT16);
        AttentionScene scene = new AttentionScene(layout, len, 0, false, headDim + numHeads);
        int[] none = new int[len.length];
        int[] half = new int[len.length];
        int[] butOne = new int[len.length];
        for (int s = 0; s < len.length; s++) {
            half[s] = len[s] / 2;
            butOne[s] = len[s] - 1;
        }
        for (boolean isDeterministic : new boolean[] {false, true}) {
            backend.close();
            backend = open(isDeterministic);
            backend.allocateLogits(16, 16);
            KvCache kv = backend.allocateKvCache(layout);
            KvCache exact = reference.allocateKvCache(layout);
            KvCache absolute = reference.allocateKvCache(layout);
            checkAttention(scene, kv, exact, absolute, scene.step(none, half));
            checkAttention(scene, kv, exact, absolute, scene.step(half, butOne));
            checkAttention(scene, kv, exact, absolute, scene.step(butOne, len));
        }
    }

    /** A product of a few rows reads its weights by another kernel than larger ones; each row's bits are its own. */
    @Test
    void multipliesEachOfAFewRowsAlike() {
        int outputs = 2064;
        int cols = 1024;
        Weight weight = backend.upload(List.of(RandomTensors.weights(TensorType.BF16, outputs, cols, 3)));
        float[] x = GpuTensors.rounded(RandomTensors.activations(FewRows.MAX_ROWS * cols, 4));
        CudaTensor input = activations(x, FewRows.MAX_ROWS, cols);
        Tensor out = poisoned(FewRows.MAX_ROWS, outputs);
        backend.linear(weight, input, FewRows.MAX_ROWS, out);
        float[] all = read(out, FewRows.MAX_ROWS);
        for (int row = 0; row < FewRows.MAX_ROWS; row++) {
            CudaTensor one = activations(Arrays.copyOfRange(x, row * cols, (row + 1) * cols), 1, cols);
            Tensor alone = poisoned(1, outputs);
            backend.linear(weight, one, 1, alone);
            assertThat(read(alone, 1))
                    .as("row %d", row)
                    .isEqualTo(Arrays.copyOfRange(all, row * outputs, (row + 1) * outputs));
            checkGuard("one row", alone, 1);
        }
    }

    /**
     * A norm between two products may be taken on the way: numbers times the norm's weights are rounded to bf16, so the second product's error is
     * that of many such roundings, a few times 2^-8 of the outputs' usual size.
     */
    @ParameterizedTest
    @CsvSource({
        "1, 1024, 512, 1536",
        "3, 512, 4096, 2048",
        "5, 1536, 1024, 4096",
        "8, 1024, 512, 1536",
        "9, 1024, 512, 1536"
    })
    void multipliesAroundANorm(int rows, int inner, int hidden, int outputs) {
        TensorData first = RandomTensors.weights(TensorType.BF16, hidden, inner, 5);
        TensorData second = RandomTensors.weights(TensorType.BF16, outputs, hidden, 6);
        float[] x = GpuTensors.rounded(RandomTensors.activations(rows * inner, 1));
        float[] before = GpuTensors.rounded(RandomTensors.activations(rows * hidden, 2));
        float[] norm = RandomTensors.activations(hidden, 3);
        CudaTensor residual = activations(before, rows, hidden);
        Tensor out = poisoned(rows, outputs);
        NormedPair pair = new NormedPair(
                backend.upload(List.of(first)), backend.upload(norm, 1, hidden), EPS, backend.upload(List.of(second)));
        backend.linearPair(
                pair,
                activations(x, rows, inner),
                rows,
                residual,
                backend.allocate(rows, hidden),
                backend.allocate(rows, hidden),
                out);
        Tensor product = reference.allocate(rows, hidden);
        reference.linear(reference.upload(List.of(first)), reference.upload(x, rows, inner), rows, product);
        double[] sum = ReferenceBackend.values(product).clone();
        double size = 0;
        for (int i = 0; i < sum.length; i++) {
            size = Math.max(size, Math.abs(sum[i]));
            sum[i] += before[i];
        }
        check("residual", residual, rows, sum, ROUNDING, size * ROUNDING, false);
        Tensor normed = reference.allocate(rows, hidden);
        reference.rmsNorm(
                reference.upload(read(residual, rows), rows, hidden),
                reference.upload(norm, 1, hidden),
                EPS,
                rows,
                normed);
        Tensor expected = reference.allocate(rows, outputs);
        reference.linear(reference.upload(List.of(second)), normed, rows, expected);
        double squares = 0;
        for (double value : ReferenceBackend.values(expected)) {
            squares += value * value;
        }
        double usual = Math.sqrt(squares / (rows * (double) outputs));
        check("product of a norm", out, rows, ReferenceBackend.values(expected), ROUNDING, 8 * ROUNDING * usual);
    }

    /** Few sequences are split into many parts, each by its own length. */
    @ParameterizedTest
    @CsvSource({"64, 14, 2", "128, 32, 8", "128, 16, 1", "128, 4, 4"})
    void splitsLongSequences(int headDim, int numHeads, int numKvHeads) {
        int[] len = {2049, 1, 700, 1300};
        KvLayout layout = new KvLayout(1, 4100, numHeads, numKvHeads, headDim, ElementType.BFLOAT16);
        AttentionScene scene = new AttentionScene(layout, len, 0, false, headDim + numHeads);
        int[] none = new int[len.length];
        int[] butOne = new int[len.length];
        for (int s = 0; s < len.length; s++) {
            butOne[s] = len[s] - 1;
        }
        backend.allocateLogits(16, 16);
        KvCache kv = backend.allocateKvCache(layout);
        KvCache exact = reference.allocateKvCache(layout);
        KvCache absolute = reference.allocateKvCache(layout);
        writeKv(scene, kv, exact, absolute, scene.step(none, butOne));
        checkAttention(scene, kv, exact, absolute, scene.step(butOne, len));
        checkAttention(scene, kv, exact, absolute, scene.step(butOne, len)); // what it counts is back at zero
    }

    /**
     * Weights are rounded to bf16 before they are multiplied with V, whose error is 2^-8 of the mean of |V| under the weights; the result rounds
     * once more, and scores, some hundreds large, carry fp32's error into the exponent.
     */
    private void checkAttention(AttentionScene scene, KvCache kv, KvCache exact, KvCache absolute, ForwardBatch batch) {
        float[] qkv = GpuTensors.rounded(scene.qkv(batch));
        float[] positive = withPositiveValues(qkv, scene.qkvCols(), exact.layout());
        int rows = batch.numTokens;
        CudaTensor input = activations(qkv, rows, scene.qkvCols());
        Tensor out = poisoned(rows, scene.outCols());
        QkvTransform identity = QkvTransform.rotation(scene.rope(backend, Rope.Pairing.HALVES));
        backend.runStep(batch, () -> {
            backend.transformAndWriteKv(input, identity, kv, 0, batch);
            backend.attention(input, kv, 0, batch, out);
            return null;
        });
        backend.finishStep();
        Tensor exactInput = reference.upload(qkv, rows, scene.qkvCols());
        Tensor expected = reference.allocate(rows, scene.outCols());
        reference.transformAndWriteKv(
                exactInput, QkvTransform.rotation(scene.rope(reference, Rope.Pairing.HALVES)), exact, 0, batch);
        reference.attention(exactInput, exact, 0, batch, expected);
        Tensor magnitude = reference.allocate(rows, scene.outCols());
        Tensor positiveInput = reference.upload(positive, rows, scene.qkvCols());
        reference.transformAndWriteKv(
                positiveInput, QkvTransform.rotation(scene.rope(reference, Rope.Pairing.HALVES)), absolute, 0, batch);
        reference.attention(positiveInput, absolute, 0, batch, magnitude);
        float[] values = read(out, rows);
        double[] wanted = ReferenceBackend.values(expected);
        double[] mixed = ReferenceBackend.values(magnitude);
        for (int i = 0; i < values.length; i++) {
            assertThat((double) values[i])
                    .as("number %d of token %d", i % scene.outCols(), i / scene.outCols())
                    .isCloseTo(wanted[i], within(3 * ROUNDING * mixed[i] + 1e-4));
        }
        checkGuard("attention", out, rows);
    }

    /** A step's K and V, of which {@code absolute} gets the values' magnitudes; nothing is attended to. */
    private void writeKv(AttentionScene scene, KvCache kv, KvCache exact, KvCache absolute, ForwardBatch batch) {
        float[] qkv = GpuTensors.rounded(scene.qkv(batch));
        CudaTensor input = activations(qkv, batch.numTokens, scene.qkvCols());
        backend.runStep(batch, () -> {
            backend.transformAndWriteKv(
                    input, QkvTransform.rotation(scene.rope(backend, Rope.Pairing.HALVES)), kv, 0, batch);
            return null;
        });
        backend.finishStep();
        QkvTransform identity = QkvTransform.rotation(scene.rope(reference, Rope.Pairing.HALVES));
        reference.transformAndWriteKv(
                reference.upload(qkv, batch.numTokens, scene.qkvCols()), identity, exact, 0, batch);
        float[] positive = withPositiveValues(qkv, scene.qkvCols(), exact.layout());
        reference.transformAndWriteKv(
                reference.upload(positive, batch.numTokens, scene.qkvCols()), identity, absolute, 0, batch);
    }

    private static float[] withPositiveValues(float[] qkv, int cols, KvLayout layout) {
        float[] positive = qkv.clone();
        int firstValue = cols - layout.numKvHeads() * layout.headDim();
        for (int i = 0; i < positive.length; i++) {
            positive[i] = i % cols < firstValue ? qkv[i] : Math.abs(qkv[i]);
        }
        return positive;
    }

    private void check(String what, Tensor actual, int rows, double[] expected, double relative, double absolute) {
        check(what, actual, rows, expected, relative, absolute, true);
    }

    @SuppressWarnings("checkstyle:ParameterNumber") // of a comparison
    private void check(
            String what,
            Tensor actual,
            int rows,
            double[] expected,
            double relative,
            double absolute,
            boolean isGuarded) {
        float[] values = read(actual, rows);
        for (int i = 0; i < values.length; i++) {
            double tolerance = Math.abs(expected[i]) * relative + absolute;
            if (!(Math.abs(values[i] - expected[i]) <= tolerance)) {
                throw new AssertionError(what + ": [" + i / actual.cols() + ", " + i % actual.cols() + "] is "
                        + values[i] + ", expected " + expected[i] + " +- " + tolerance);
            }
        }
        if (isGuarded) {
            checkGuard(what, actual, rows);
        }
    }

    private void checkGuard(String what, Tensor actual, int rows) {
        float[] guard = new float[actual.cols()];
        backend.read(actual, rows, 1, guard);
        for (float value : guard) {
            assertThat(value).as("%s: the row behind the live ones", what).isNaN();
        }
    }

    private float[] read(Tensor tensor, int rows) {
        float[] values = new float[rows * tensor.cols()];
        backend.read(tensor, 0, rows, values);
        return values;
    }

    /** NaN, one row more than is live. */
    private Tensor poisoned(int rows, int cols) {
        return activations(RandomTensors.poison((rows + 1) * cols), rows + 1, cols);
    }

    private CudaTensor activations(float[] values, int rows, int cols) {
        return GpuTensors.activations(backend, values, rows, cols);
    }
}
