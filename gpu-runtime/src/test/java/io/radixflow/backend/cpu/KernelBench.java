package io.radixflow.backend.cpu;

import com.sun.management.ThreadMXBean;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.testkit.AttentionScene;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.weights.TensorType;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Prints the speed of the kernels of one thread on SmolLM2's shapes, in processor time, so that a loaded machine matters less:
 * GFLOP/s, GB/s of weights or K and V, the share of what this machine's fused multiply-adds reach on registers and cache, and bytes
 * allocated for each call. A plain main, run with {@code --add-modules jdk.incubator.vector}.
 */
final class KernelBench {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final double SECONDS = 0.5;

    private KernelBench() {}

    public static void main(String[] args) {
        double limit = fusedMultiplyAddLimit();
        try (CpuBackend backend = new CpuBackend(1, 1L << 31)) {
            for (int rows : new int[] {1, 2, 4, 8, 32, 512}) {
                linear(backend, TensorType.Q4_1, rows, 576, 3072, limit);
            }
            linear(backend, TensorType.Q4_1, 1, 1536, 576, limit);
            for (TensorType type : TensorType.values()) {
                linear(backend, type, 1, 768, 8192, limit);
                linear(backend, type, 8, 768, 8192, limit);
            }
            attention(backend, 1, 1, 1024, false, limit);
            attention(backend, 1, 512, 512, false, limit);
            attention(backend, 32, 1, 1024, false, limit);
            attention(backend, 32, 1, 1024, true, limit);
            rows(backend);
        }
    }

    /** What eight rows on a strip in the first-level cache reach; no product here can be faster. */
    private static double fusedMultiplyAddLimit() {
        float[] x = RandomTensors.activations(8 * 64, 1);
        float[] strip = RandomTensors.activations(64 * Lanes.STRIP, 2);
        float[] out = new float[8 * Lanes.STRIP];
        double seconds = measure("limit", () -> {
            for (int i = 0; i < 100; i++) {
                StripProducts.addEightRows(x, 0, 64, strip, 64, out, 0, Lanes.STRIP);
            }
        });
        return report("limit: 8 rows, a strip in cache", seconds, 100 * 2.0 * 8 * 64 * Lanes.STRIP, 0, 0);
    }

    private static void linear(CpuBackend backend, TensorType type, int rows, int cols, int outputs, double limit) {
        Weight weight = backend.upload(List.of(RandomTensors.weights(type, outputs, cols, 1)));
        Tensor x = backend.upload(RandomTensors.activations(rows * cols, 2), rows, cols);
        Tensor out = backend.allocate(rows, outputs);
        String name = "linear " + type + " [" + outputs + ", " + cols + "] x " + rows;
        double seconds = measure(name, () -> backend.linear(weight, x, rows, out));
        report(name, seconds, 2.0 * rows * cols * outputs, (double) weight.bytes(), limit);
    }

    private static void attention(
            CpuBackend backend, int sequences, int extendLen, int len, boolean isGrouped, double limit) {
        KvLayout layout = new KvLayout(1, sequences * len, 9, 3, 64, ElementType.FLOAT16);
        int[] end = new int[sequences];
        int[] from = new int[sequences];
        Arrays.fill(end, len);
        Arrays.fill(from, len - extendLen);
        AttentionScene scene = new AttentionScene(layout, end, isGrouped ? len - 1 : 0, false, 1);
        KvCache cache = backend.allocateKvCache(layout);
        ForwardBatch step = scene.step(from, end);
        if (isGrouped) {
            scene.group(step, len - 1);
        }
        Tensor qkv = backend.upload(scene.qkv(step), step.numTokens, scene.qkvCols());
        Tensor out = backend.allocate(step.numTokens, scene.outCols());
        String name =
                "attention of " + sequences + " x " + extendLen + " over " + len + (isGrouped ? ", one group" : "");
        double seconds = measure(name, () -> backend.attention(qkv, cache, 0, step, out));
        double pairs = 0;
        for (int t = 0; t < step.numTokens; t++) {
            pairs += step.position[t] + 1;
        }
        double kvBytes = (isGrouped ? 1 : sequences) * (double) len * layout.bytesPerSlot();
        report(name, seconds, pairs * 9 * 64 * 4, kvBytes, limit);
    }

    private static void rows(CpuBackend backend) {
        int rows = 32;
        Tensor x = backend.upload(RandomTensors.activations(rows * 576, 1), rows, 576);
        Tensor weight = backend.upload(RandomTensors.activations(576, 1), 1, 576);
        Tensor out = backend.allocate(rows, 576);
        Tensor gateUp = backend.upload(RandomTensors.activations(rows * 3072, 1), rows, 3072);
        Tensor gated = backend.allocate(rows, 1536);
        report(
                "rmsNorm of 32 x 576",
                measure("norm", () -> backend.rmsNorm(x, weight, 1e-5f, rows, out)),
                0,
                8 * rows * 576,
                0);
        report(
                "siluMul of 32 x 1536",
                measure("silu", () -> backend.siluMul(gateUp, rows, gated)),
                0,
                12 * rows * 1536,
                0);
    }

    /** Seconds of processor time for one call. */
    private static double measure(String name, Runnable call) {
        long warmUntil = cpuNanos() + (long) (2 * SECONDS * 1e9);
        while (cpuNanos() < warmUntil) {
            call.run();
        }
        long bytes = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
        long start = cpuNanos();
        int calls = 0;
        do {
            call.run();
            calls++;
        } while (cpuNanos() - start < SECONDS * 1e9);
        double seconds = (cpuNanos() - start) / 1e9 / calls;
        long allocated = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId()) - bytes;
        if (allocated / calls > 0) {
            System.out.println("! " + name + " allocates " + allocated / calls + " bytes a call");
        }
        return seconds;
    }

    private static long cpuNanos() {
        return THREADS.getCurrentThreadCpuTime();
    }

    private static double report(String name, double seconds, double flops, double bytes, double limit) {
        double gflops = flops / seconds / 1e9;
        System.out.printf(
                Locale.ROOT,
                "%-44s %10.1f us %8.1f GFLOP/s %7.1f GB/s %s%n",
                name,
                seconds * 1e6,
                gflops,
                bytes / seconds / 1e9,
                limit > 0 && flops > 0 ? String.format(Locale.ROOT, "%4.0f %%", 100 * gflops / limit) : "");
        return gflops;
    }
}
