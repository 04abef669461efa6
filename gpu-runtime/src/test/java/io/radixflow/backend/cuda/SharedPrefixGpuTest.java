package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.Tensor;
import io.radixflow.testkit.AttentionScene;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.testkit.ReferenceBackend;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Decode attention by segments, against plain loops in fp64 and against every row for itself on the same GPU. */
@Tag("gpu")
final class SharedPrefixGpuTest {

    private static final double ROUNDING = 0x1p-8;
    /** Between two ways to the same bf16 output of unit scale. */
    private static final double SAME = 2e-2;

    private static final int MAX_TOKENS = 16384;
    private static final int MAX_SEQUENCES = 96;

    private final ReferenceBackend reference = new ReferenceBackend();

    private static CudaBackend open() {
        return new CudaBackend(new CudaBackend.Settings(
                0, 0.9, GpuModel.LIBRARY, MAX_TOKENS, MAX_SEQUENCES, 0, true, false, PrefixSharing.ALWAYS));
    }

    /** Trees of random shape: a row shares some of its tokens with an earlier one, so segments nest, and begin and end anywhere in a tile. */
    @ParameterizedTest
    @CsvSource({
        "64, 9, 3, 40, 1",
        "64, 14, 2, 24, 2",
        "64, 16, 1, 20, 3",
        "64, 2, 2, 40, 4",
        "128, 8, 2, 40, 5",
        "128, 7, 1, 24, 6",
        "128, 16, 1, 20, 7",
        "128, 2, 2, 90, 8",
        "128, 32, 8, 10, 9"
    })
    void segmentsAndTailsAddUpToWhatEachRowReads(int headDim, int numHeads, int numKvHeads, int rows, long seed) {
        assumeTrue(!GpuModel.IS_TRIMMED || numHeads == 9 || numHeads == 8);
        Random random = new Random(seed);
        int numRows = GpuModel.IS_TRIMMED ? 12 : rows;
        int[] len = new int[numRows];
        int[] elder = new int[numRows];
        int[] sharedLen = new int[numRows];
        int numSlots = 1;
        for (int s = 0; s < numRows; s++) {
            elder[s] = s == 0 ? 0 : random.nextInt(s);
            sharedLen[s] = s == 0 ? 0 : random.nextInt(len[elder[s]]);
            len[s] = Math.min(400, sharedLen[s] + 1 + random.nextInt(random.nextBoolean() ? 8 : 200));
            sharedLen[s] = Math.min(sharedLen[s], len[s] - 1);
            numSlots += len[s] - sharedLen[s];
        }
        KvLayout layout = new KvLayout(1, numSlots, numHeads, numKvHeads, headDim, ElementType.BFLOAT16);
        AttentionScene scene = new AttentionScene(layout, len, elder, sharedLen, false, seed);
        try (CudaBackend backend = open()) {
            backend.allocateLogits(16, 16);
            KvCache kv = backend.allocateKvCache(layout);
            SegmentCosts costs = backend.segmentCosts(kv);
            KvCache exact = reference.allocateKvCache(layout);
            KvCache absolute = reference.allocateKvCache(layout);
            int[] butOne = new int[numRows];
            for (int s = 0; s < numRows; s++) {
                butOne[s] = len[s] - 1;
                int[] from = new int[numRows];
                int[] to = new int[numRows];
                from[s] = s == 0 ? 0 : sharedLen[s];
                to[s] = Math.max(from[s], butOne[s]);
                if (to[s] > from[s]) {
                    ForwardBatch chunk = scene.step(from, to);
                    run(backend, scene, kv, chunk);
                    write(scene, exact, chunk, false);
                    write(scene, absolute, chunk, true);
                }
            }
            ForwardBatch each = scene.step(butOne, len);
            float[] alone = run(backend, scene, kv, each);
            ForwardBatch together = scene.step(butOne, len);
            scene.share(together, costs);
            assertThat(together.numSegments).isPositive();
            float[] shared = run(backend, scene, kv, together);
            double[] wanted = attend(scene, exact, each, false);
            double[] mixed = attend(scene, absolute, each, true);
            for (int i = 0; i < shared.length; i++) {
                String what = "number " + i % scene.outCols() + " of row " + i / scene.outCols();
                assertThat((double) shared[i]).as(what).isCloseTo(wanted[i], within(3 * ROUNDING * mixed[i] + 1e-4));
                assertThat((double) shared[i]).as(what).isCloseTo(alone[i], within(SAME * Math.max(1, mixed[i])));
            }
        }
    }

    /** A prefix of many pieces before each of several long ones. */
    @Test
    void longSegmentsAreCutInPieces() {
        assumeTrue(!GpuModel.IS_TRIMMED);
        int numRows = 16;
        int[] len = new int[numRows];
        int[] elder = new int[numRows];
        int[] sharedLen = new int[numRows];
        int numSlots = 1;
        for (int s = 0; s < numRows; s++) {
            len[s] = 3000 + s;
            elder[s] = s % 4 == 0 ? 0 : s / 4 * 4;
            sharedLen[s] = s == 0 ? 0 : s % 4 == 0 ? 1333 : 2777;
            numSlots += len[s] - sharedLen[s];
        }
        KvLayout layout = new KvLayout(1, numSlots, 4, 1, 128, ElementType.BFLOAT16);
        AttentionScene scene = new AttentionScene(layout, len, elder, sharedLen, false, 21);
        try (CudaBackend backend = open()) {
            backend.allocateLogits(16, 16);
            KvCache kv = backend.allocateKvCache(layout);
            SegmentCosts costs = backend.segmentCosts(kv);
            int[] butOne = new int[numRows];
            for (int s = 0; s < numRows; s++) {
                butOne[s] = len[s] - 1;
                int[] from = new int[numRows];
                int[] to = new int[numRows];
                from[s] = sharedLen[s];
                to[s] = butOne[s];
                run(backend, scene, kv, scene.step(from, to));
            }
            float[] alone = run(backend, scene, kv, scene.step(butOne, len));
            ForwardBatch together = scene.step(butOne, len);
            scene.share(together, costs);
            assertThat(together.numSegments).isEqualTo(5);
            float[] shared = run(backend, scene, kv, together);
            for (int i = 0; i < shared.length; i++) {
                assertThat((double) shared[i])
                        .as("number %d", i)
                        .isCloseTo(alone[i], within(SAME + 2 * ROUNDING * Math.abs(alone[i])));
            }
        }
    }

    private float[] run(CudaBackend backend, AttentionScene scene, KvCache kv, ForwardBatch batch) {
        int rows = batch.numTokens;
        CudaTensor input = GpuTensors.activations(backend, GpuTensors.rounded(scene.qkv(batch)), rows, scene.qkvCols());
        CudaTensor out = GpuTensors.activations(
                backend, RandomTensors.poison((rows + 1) * scene.outCols()), rows + 1, scene.outCols());
        QkvTransform identity = QkvTransform.rotation(scene.rope(backend, Rope.Pairing.HALVES));
        backend.runStep(batch, () -> {
            backend.transformAndWriteKv(input, identity, kv, 0, batch);
            backend.attention(input, kv, 0, batch, out);
            return null;
        });
        backend.finishStep();
        float[] guard = new float[scene.outCols()];
        backend.read(out, rows, 1, guard);
        assertThat(guard).as("the row behind the live ones").containsOnly(Float.NaN);
        float[] values = new float[rows * scene.outCols()];
        backend.read(out, 0, rows, values);
        return values;
    }

    /** The oracle's K and V; the values' magnitudes if asked for. */
    private Tensor write(AttentionScene scene, KvCache kv, ForwardBatch batch, boolean isAbsolute) {
        float[] qkv = GpuTensors.rounded(scene.qkv(batch));
        int firstValue =
                scene.qkvCols() - kv.layout().numKvHeads() * kv.layout().headDim();
        for (int i = 0; isAbsolute && i < qkv.length; i++) {
            qkv[i] = i % scene.qkvCols() < firstValue ? qkv[i] : Math.abs(qkv[i]);
        }
        Tensor input = reference.upload(qkv, batch.numTokens, scene.qkvCols());
        QkvTransform identity = QkvTransform.rotation(scene.rope(reference, Rope.Pairing.HALVES));
        reference.transformAndWriteKv(input, identity, kv, 0, batch);
        return input;
    }

    private double[] attend(AttentionScene scene, KvCache kv, ForwardBatch batch, boolean isAbsolute) {
        Tensor input = write(scene, kv, batch, isAbsolute);
        Tensor out = reference.allocate(batch.numTokens, scene.outCols());
        reference.attention(input, kv, 0, batch, out);
        return ReferenceBackend.values(out);
    }
}
