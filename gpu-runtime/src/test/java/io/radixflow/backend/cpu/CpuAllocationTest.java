package io.radixflow.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.testkit.AttentionScene;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.weights.TensorType;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Once compiled, a step's ops allocate nothing: no objects of ours, and no vector that C2 failed to keep in a register. */
final class CpuAllocationTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long DEADLINE_NANOS = 60_000_000_000L;
    private static final int CALLS = 20;

    @Test
    void productsAllocateNothing() {
        try (CpuBackend backend = new CpuBackend(1, 1L << 30)) {
            for (TensorType type : TensorType.values()) {
                Weight weight = backend.upload(List.of(RandomTensors.weights(type, 200, 256, 1)));
                Tensor x = backend.upload(RandomTensors.activations(33 * 256, 2), 33, 256);
                Tensor out = backend.allocate(33, 200);
                for (int rows : new int[] {1, 3, 33}) {
                    awaitNoAllocation("linear " + type + " x " + rows, () -> backend.linear(weight, x, rows, out));
                }
            }
        }
    }

    @Test
    void elementWiseOpsAllocateNothing() {
        try (CpuBackend backend = new CpuBackend(1, 1L << 30)) {
            Tensor x = backend.upload(RandomTensors.activations(33 * 576, 1), 33, 576);
            Tensor weight = backend.upload(RandomTensors.activations(576, 1), 1, 576);
            Tensor out = backend.allocate(33, 576);
            awaitNoAllocation("addRmsNorm", () -> backend.addRmsNorm(x, out, weight, 1e-5f, 33, out));
            Tensor gated = backend.allocate(33, 288);
            awaitNoAllocation("siluMul", () -> backend.siluMul(x, 33, gated));
        }
    }

    @Test
    void samplingAndScoringAllocateNothing() {
        int entries = 6;
        int vocabSize = 4000;
        SamplingBatch batch = new SamplingBatch(entries);
        batch.numEntries = entries;
        Arrays.fill(batch.temperature, 1);
        Arrays.fill(batch.topP, 0.9f);
        Arrays.fill(batch.topK, 40);
        Arrays.fill(batch.repetitionPenalty, 1.1f);
        Arrays.fill(batch.frequencyPenalty, 0.1f);
        Arrays.fill(batch.tokens, new int[] {1, 2, 3, 4});
        Arrays.fill(batch.promptLen, 2);
        Arrays.fill(batch.outputLen, 2);
        Arrays.fill(batch.biasIds, new int[] {9});
        Arrays.fill(batch.biasValues, new float[] {2});
        Arrays.fill(batch.bannedIds, new int[] {5, 6});
        Arrays.fill(batch.numBanned, 2);
        batch.allowedIds[1] = new int[] {9, 10, 11, 12};
        ScoredTokens tokens = new ScoredTokens(entries);
        Arrays.fill(tokens.numAlternatives, 20);
        tokens.numAlternatives[0] = ScoredTokens.NO_LOGPROBS;
        ScoredTokens given = new ScoredTokens(entries);
        Arrays.fill(given.numAlternatives, 20);
        try (CpuBackend backend = new CpuBackend(1, 1L << 30)) {
            Tensor rows = backend.upload(RandomTensors.activations(entries * vocabSize, 3), entries, vocabSize);
            Tensor logits = backend.allocate(entries, vocabSize);
            int[] all = {0, 1, 2, 3, 4, 5};
            awaitNoAllocation("sample", () -> {
                backend.gatherRows(rows, all, entries, logits);
                backend.sample(logits, batch, tokens);
            });
            awaitNoAllocation("score", () -> backend.score(rows, entries, given, 0));
        }
    }

    @Test
    void attentionAllocatesNothing() {
        KvLayout layout = new KvLayout(1, 700, 9, 3, 64, ElementType.FLOAT16);
        int[] len = {140, 150, 160, 170};
        int[] cached = {139, 149, 150, 169};
        AttentionScene scene = new AttentionScene(layout, len, 100, false, 1);
        try (CpuBackend backend = new CpuBackend(1, 1L << 30)) {
            KvCache cache = backend.allocateKvCache(layout);
            Rope rope = scene.rope(backend, Rope.Pairing.HALVES);
            Tensor bias = backend.upload(RandomTensors.activations(scene.qkvCols(), 1), 1, scene.qkvCols());
            Tensor norm = backend.upload(RandomTensors.activations(64, 2), 1, 64);
            QkvTransform transform = new QkvTransform(bias, norm, norm, 1e-5f, rope);
            scene.run(backend, cache, rope, scene.step(new int[len.length], Arrays.copyOf(cached, len.length)));
            ForwardBatch step = scene.step(cached, len);
            scene.share(step, 100);
            Tensor qkv = backend.upload(scene.qkv(step), step.numTokens, scene.qkvCols());
            Tensor out = backend.allocate(step.numTokens, scene.outCols());
            awaitNoAllocation("attention", () -> {
                backend.transformAndWriteKv(qkv, transform, cache, 0, step);
                backend.attention(qkv, cache, 0, step, out);
            });
        }
    }

    /** Repeats the call until the compilers are done with it. */
    private static void awaitNoAllocation(String what, Runnable call) {
        long thread = Thread.currentThread().getId();
        long start = System.nanoTime();
        long allocated;
        do {
            long before = THREADS.getThreadAllocatedBytes(thread);
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            allocated = THREADS.getThreadAllocatedBytes(thread) - before;
        } while (allocated > 0 && System.nanoTime() - start < DEADLINE_NANOS);
        assertThat(allocated)
                .as("bytes allocated by " + CALLS + " calls of " + what)
                .isZero();
    }
}
