package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.NormedPair;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.cuda.StreamedGemm.Division;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.testkit.ReferenceBackend;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorType;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every division of a product against plain loops in fp64 on the same bf16 numbers. Outputs are NaN before, and behind the live rows afterwards. */
@Tag("gpu")
final class StreamedGemmGpuTest {

    private static final double ROUNDING = 0x1p-8;
    private static final double FP32 = 0x1p-20; // sums of some thousand numbers

    private final ReferenceBackend reference = new ReferenceBackend();
    private CudaBackend backend;
    private CudaDevice device;
    private Kernels kernels;
    private StreamedGemm gemm;

    @BeforeEach
    void open() {
        backend = new CudaBackend(new CudaBackend.Settings(0, 0.9, GpuModel.LIBRARY, 512, 8, 0, true, false));
        device = new CudaDevice(0);
        kernels = new Kernels(device.capability());
        gemm = new StreamedGemm(device, kernels);
    }

    @AfterEach
    void close() {
        kernels.close();
        device.close();
        backend.close();
    }

    /** Parts of tiles, of 64 numbers of k, and of columns; blocks without any k. */
    @ParameterizedTest
    @CsvSource({"200, 456", "1032, 2056", "64, 8", "576, 1024"})
    void multipliesInEveryDivision(int outputs, int cols) {
        TensorData data = RandomTensors.weights(TensorType.BF16, outputs, cols, cols);
        CudaWeight weight = CudaWeight.of(backend.upload(List.of(data)));
        int maxRows = StreamedGemm.MAX_ROWS;
        float[] x = GpuTensors.rounded(RandomTensors.activations(maxRows * cols, 4));
        Tensor expected = reference.allocate(maxRows, outputs);
        reference.linear(reference.upload(List.of(data)), reference.upload(x, maxRows, cols), maxRows, expected);
        CudaTensor input = GpuTensors.activations(backend, x, maxRows, cols);
        for (Division division : StreamedGemm.DIVISIONS) {
            for (int rows : new int[] {1, 9, 16, 17, 31, 33, 64, 65, 100, 128}) {
                CudaTensor out = poisoned(rows, outputs);
                gemm.multiply(weight, input, rows, out, division);
                device.synchronize();
                check(division + " of " + rows + " rows", out, rows, ReferenceBackend.values(expected), cols);
            }
        }
    }

    /** Gates are compared in fp32: a gate's error is carried on by at most 1.1, and by what it lets through. */
    @ParameterizedTest
    @CsvSource({"208, 456", "1024, 1032", "16, 64"})
    void multipliesWithGates(int outputs, int cols) {
        TensorData data = RandomTensors.weights(TensorType.BF16, 2 * outputs, cols, cols);
        CudaWeight weight = CudaWeight.of(backend.upload(List.of(data)));
        int maxRows = StreamedGemm.MAX_ROWS;
        float[] x = GpuTensors.rounded(RandomTensors.activations(maxRows * cols, 4));
        Tensor product = reference.allocate(maxRows, 2 * outputs);
        reference.linear(reference.upload(List.of(data)), reference.upload(x, maxRows, cols), maxRows, product);
        Tensor expected = reference.allocate(maxRows, outputs);
        reference.siluMul(product, maxRows, expected);
        double largest = largest(product);
        CudaTensor input = GpuTensors.activations(backend, x, maxRows, cols);
        for (Division division : StreamedGemm.GATED_DIVISIONS) {
            for (int rows : new int[] {9, 16, 17, 31, 33, 64, 65, 100, 128}) {
                CudaTensor out = poisoned(rows, outputs);
                gemm.multiply(weight, input, rows, out, division);
                device.synchronize();
                check(division + " of " + rows + " rows", out, rows, ReferenceBackend.values(expected), cols * largest);
            }
        }
    }

    /** As the backend makes them, of a shape that is taken; what reference and kernel start from is the backend's own norm. */
    @ParameterizedTest
    @ValueSource(ints = {9, 33, 64})
    void appliesThePairsGates(int rows) {
        int hidden = 1024;
        int ffn = 3072;
        TensorData gates = RandomTensors.weights(TensorType.BF16, 2 * ffn, hidden, 6);
        NormedPair pair = new NormedPair(
                backend.upload(List.of(RandomTensors.weights(TensorType.BF16, hidden, hidden, 5))),
                backend.upload(RandomTensors.activations(hidden, 3), 1, hidden),
                1e-5f,
                backend.upload(List.of(gates)));
        CudaTensor x = activations(rows, hidden, 1);
        CudaTensor residual = activations(rows, hidden, 2);
        CudaTensor normed = poisoned(rows, hidden);
        CudaTensor out = poisoned(rows, ffn);
        backend.gatedPair(pair, x, rows, residual, poisoned(rows, hidden), normed, poisoned(rows, 2 * ffn), out);
        Tensor product = reference.allocate(rows, 2 * ffn);
        reference.linear(
                reference.upload(List.of(gates)), reference.upload(read(normed, rows), rows, hidden), rows, product);
        Tensor expected = reference.allocate(rows, ffn);
        reference.siluMul(product, rows, expected);
        double largest = largest(product);
        check("gates of " + rows + " rows", out, rows, ReferenceBackend.values(expected), hidden * largest);
    }

    private static double largest(Tensor tensor) {
        double largest = 0;
        for (double value : ReferenceBackend.values(tensor)) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private CudaTensor activations(int rows, int cols, int seed) {
        return GpuTensors.activations(backend, RandomTensors.activations(rows * cols, seed), rows, cols);
    }

    /** Weights are read ahead, inputs must not be. */
    @Test
    void waitsForTheKernelThatMakesItsInput() {
        int size = 4096;
        int rows = 48;
        CudaWeight first = weight(size, 1);
        CudaWeight second = weight(size, 2);
        float[] x = GpuTensors.rounded(RandomTensors.activations(rows * size, 3));
        CudaTensor input = GpuTensors.activations(backend, x, rows, size);
        CudaTensor between = poisoned(rows, size);
        CudaTensor out = poisoned(rows, size);
        gemm.multiply(first, input, rows, between);
        device.synchronize();
        gemm.multiply(second, between, rows, out);
        device.synchronize();
        float[] expected = read(out, rows);
        for (int repeat = 0; repeat < 20; repeat++) {
            CudaTensor otherBetween = poisoned(rows, size);
            CudaTensor otherOut = poisoned(rows, size);
            gemm.multiply(first, input, rows, otherBetween);
            gemm.multiply(second, otherBetween, rows, otherOut);
            device.synchronize();
            assertThat(read(otherOut, rows)).as("repeat %d", repeat).isEqualTo(expected);
        }
    }

    private CudaWeight weight(int size, int seed) {
        return CudaWeight.of(backend.upload(List.of(RandomTensors.weights(TensorType.BF16, size, size, seed))));
    }

    private CudaTensor poisoned(int rows, int cols) {
        return GpuTensors.activations(backend, RandomTensors.poison((rows + 1) * cols), rows + 1, cols);
    }

    private float[] read(CudaTensor tensor, int rows) {
        float[] values = new float[rows * tensor.cols()];
        backend.read(tensor, 0, rows, values);
        return values;
    }

    private void check(String what, CudaTensor actual, int rows, double[] expected, double numAdded) {
        float[] values = read(actual, rows + 1);
        int numLive = rows * actual.cols();
        // Products of unit variance: sums are about sqrt(numAdded) large, each term's error is relative to it.
        double added = FP32 * numAdded * 50;
        for (int i = 0; i < numLive; i++) {
            double tolerance = Math.abs(expected[i]) * ROUNDING + added;
            if (!(Math.abs(values[i] - expected[i]) <= tolerance)) {
                throw new AssertionError(what + ": [" + i / actual.cols() + ", " + i % actual.cols() + "] is "
                        + values[i] + ", expected " + expected[i] + " +- " + tolerance);
            }
        }
        for (int i = numLive; i < values.length; i++) {
            assertThat(values[i]).as("%s: the row behind the live ones", what).isNaN();
        }
    }
}
