package io.radixflow.backend.cpu;

import io.radixflow.backend.Tensor;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.testkit.Work;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Norm and gate on one thread, in the shape of SmolLM2-135M; both work on what a cache holds. */
@State(Scope.Thread)
public class RowKernelsBench {

    private static final int HIDDEN = 576;
    private static final int FFN = 1536;

    @Param({"1", "32"})
    public int rows;

    private final CpuBackend backend = new CpuBackend(1, 1L << 30);
    private final Tensor weight = backend.upload(RandomTensors.activations(HIDDEN, 1), 1, HIDDEN);
    private Tensor x = weight;
    private Tensor normed = weight;
    private Tensor gateUp = weight;
    private Tensor gated = weight;

    @Setup
    public void upload() {
        x = backend.upload(RandomTensors.activations(rows * HIDDEN, 1), rows, HIDDEN);
        normed = backend.allocate(rows, HIDDEN);
        gateUp = backend.upload(RandomTensors.activations(rows * 2 * FFN, 1), rows, 2 * FFN);
        gated = backend.allocate(rows, FFN);
    }

    @Benchmark
    public void rmsNorm(Work work) {
        backend.rmsNorm(x, weight, 1e-5f, rows, normed);
        work.add(4.0 * rows * HIDDEN, 8.0 * rows * HIDDEN);
    }

    @Benchmark
    public void siluMul(Work work) {
        backend.siluMul(gateUp, rows, gated);
        work.add(0, 12.0 * rows * FFN);
    }

    @TearDown
    public void close() {
        backend.close();
    }
}
