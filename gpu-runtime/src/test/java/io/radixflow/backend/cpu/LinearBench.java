package io.radixflow.backend.cpu;

import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.testkit.Work;
import io.radixflow.weights.TensorType;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** {@code linear} on one thread: batch 1 to a prefill, every kind of weight; the matrix is larger than a second-level cache. */
@State(Scope.Thread)
public class LinearBench {

    private static final int COLS = 768;
    private static final int OUTPUTS = 16_384;

    @Param({"Q4_0", "Q4_1", "Q5_0", "Q8_0", "Q4_K", "Q6_K", "BF16", "F16", "F32"})
    public TensorType type = TensorType.Q4_1;

    @Param({"1", "4", "32", "512"})
    public int rows;

    private final CpuBackend backend = new CpuBackend(1, 1L << 31);
    private Weight weight = backend.upload(List.of(RandomTensors.weights(TensorType.F32, 1, 1, 1)));
    private Tensor x = backend.allocate(1, 1);
    private Tensor out = x;

    @Setup
    public void upload() {
        weight = backend.upload(List.of(RandomTensors.weights(type, OUTPUTS, COLS, 1)));
        x = backend.upload(RandomTensors.activations(rows * COLS, 2), rows, COLS);
        out = backend.allocate(rows, OUTPUTS);
    }

    @Benchmark
    public void linear(Work work) {
        backend.linear(weight, x, rows, out);
        work.add(2.0 * rows * COLS * OUTPUTS, (double) weight.bytes());
    }

    @TearDown
    public void close() {
        backend.close();
    }
}
