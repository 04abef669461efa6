package io.radixflow.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.Rope.Pairing;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The part of {@link BackendContractTest} that needs a KV cache. */
public abstract class AttentionContractTest {

    private static final double ROUNDING = 0x1p-24;
    private static final int[] HEAD_DIMS = {2, 16, 64, 80};

    private final ReferenceBackend reference = new ReferenceBackend();
    private final List<Backend> opened = new ArrayList<>();

    protected abstract Backend open(int numThreads);

    private Backend backend(int numThreads) {
        Backend backend = open(numThreads);
        opened.add(backend);
        return backend;
    }

    @AfterEach
    void closeBackends() {
        for (Backend backend : opened) {
            backend.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Pairing.class)
    void rotatesQueriesAndKeys(Pairing pairing) {
        for (int headDim : HEAD_DIMS) {
            // Two products and a sum round once each; a pair's numbers are at most as large as the largest activation.
            checkTransform(headDim, 4, (backend, scene) -> QkvTransform.rotation(scene.rope(backend, pairing)));
        }
    }

    @Test
    void addsABiasBeforeAllElse() {
        for (int headDim : HEAD_DIMS) {
            // As rotation, and the sum's own rounding of numbers twice as large.
            checkTransform(headDim, 10, (backend, scene) -> {
                Tensor bias = vector(backend, scene.qkvCols(), 7);
                return new QkvTransform(bias, null, null, 0, scene.rope(backend, Pairing.HALVES));
            });
        }
    }

    @Test
    void normalisesHeadsBetweenBiasAndRotation() {
        for (int headDim : HEAD_DIMS) {
            // A norm is good to (headDim / 2 + 8) * 2 roundings of results of at most sqrt(headDim) times the weight,
            // which the
            // activations' largest number bounds here; where bias and activation cancel, the sum's rounding counts as
            // much again.
            double roundings = 2 * (2 * (headDim / 2.0 + 8) + 4) * Math.sqrt(headDim);
            checkTransform(headDim, roundings, (backend, scene) -> {
                Tensor bias = vector(backend, scene.qkvCols(), 7);
                Rope rope = scene.rope(backend, Pairing.HALVES);
                return new QkvTransform(bias, vector(backend, headDim, 8), vector(backend, headDim, 9), 1e-6f, rope);
            });
        }
    }

    private static Tensor vector(Backend backend, int length, long seed) {
        return backend.upload(RandomTensors.activations(length, seed), 1, length);
    }

    /** Transforms 33 tokens; numbers may differ by so many roundings of the largest activation. */
    private void checkTransform(
            int headDim, double roundings, BiFunction<Backend, AttentionScene, QkvTransform> newTransform) {
        Backend backend = backend(2);
        KvLayout layout = new KvLayout(1, 40, 6, 2, headDim, ElementType.FLOAT32);
        AttentionScene scene = new AttentionScene(layout, new int[] {33}, 0, true, headDim);
        ForwardBatch batch = scene.step(new int[] {0}, new int[] {33});
        float[] rows = scene.qkv(batch);
        Tensor expected = reference.upload(rows, 33, scene.qkvCols());
        reference.transformAndWriteKv(
                expected, newTransform.apply(reference, scene), reference.allocateKvCache(layout), 0, batch);
        Tensor actual = backend.upload(rows, 33, scene.qkvCols());
        backend.transformAndWriteKv(
                actual, newTransform.apply(backend, scene), backend.allocateKvCache(layout), 0, batch);
        backend.synchronize();
        float[] values = new float[rows.length];
        backend.read(actual, 0, 33, values);
        double[] tolerance = new double[rows.length];
        Arrays.fill(tolerance, roundings * ROUNDING * maxAbs(rows));
        BackendContractTest.checkClose(
                "transform of heads of " + headDim, values, ReferenceBackend.values(expected), tolerance);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 64, FLOAT32", "3, 1, 64, FLOAT16", "9, 3, 64, FLOAT32", "9, 3, 64, FLOAT16", "7, 1, 128, FLOAT16",
        "14, 2, 128, FLOAT32", "4, 4, 16, FLOAT16", "4, 2, 16, FLOAT32", "5, 1, 80, FLOAT16", "2, 1, 2, FLOAT16"
    })
    void attendsAtEveryTileEdge(int numHeads, int numKvHeads, int headDim, ElementType type) {
        KvLayout layout = new KvLayout(2, 1200, numHeads, numKvHeads, headDim, type);
        int[] len = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129};
        // fp16 rounds what rotation left, and a last bit's difference there is a large one; so without rotation.
        AttentionScene scene = new AttentionScene(layout, len, 0, type == ElementType.FLOAT32, headDim);
        Backend backend = backend(2);
        ForwardBatch batch = scene.step(new int[len.length], len);
        Tensor expected =
                scene.run(reference, reference.allocateKvCache(layout), scene.rope(reference, Pairing.HALVES), batch);
        Tensor actual = scene.run(backend, backend.allocateKvCache(layout), scene.rope(backend, Pairing.HALVES), batch);
        float[] values = BackendContractTest.readGuarded(backend, actual, batch.numTokens);
        BackendContractTest.checkClose(
                "attention", values, ReferenceBackend.values(expected), tolerance(scene, layout, batch));
    }

    /**
     * A score is a chain of headDim products of numbers that rotation rounded (three times each): its error is at most
     * (headDim + 8) * 2^-24 * |q| |k| / sqrt(headDim), norms over the head. It goes into the weights relatively, once above and once
     * below the fraction; exp adds 2e-7 twice for each tile's correction, sums a rounding for each token. Times the largest |v|.
     */
    private static double[] tolerance(AttentionScene scene, KvLayout layout, ForwardBatch batch) {
        float[] rows = scene.qkv(batch);
        int headDim = layout.headDim();
        double maxNorm = 0;
        for (int at = 0; at < rows.length; at += headDim) {
            double norm = 0;
            for (int d = 0; d < headDim; d++) {
                norm += (double) rows[at + d] * rows[at + d];
            }
            maxNorm = Math.max(maxNorm, Math.sqrt(norm));
        }
        // Two layers: the second rotates what the first has rotated, so norms stay.
        double scoreError = (headDim + 16) * ROUNDING * maxNorm * maxNorm / Math.sqrt(headDim);
        double[] tolerance = new double[batch.numTokens * scene.outCols()];
        for (int token = 0; token < batch.numTokens; token++) {
            int len = batch.position[token] + 1;
            double error = 2 * scoreError + (2.0 * len + 16) * ROUNDING + 4e-7 * (1 + len / 32);
            Arrays.fill(tolerance, token * scene.outCols(), (token + 1) * scene.outCols(), error * maxAbs(rows));
        }
        return tolerance;
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT16"}) // what the oracle rounds to; bfloat16 has the GPU's own test
    void chunksAndThreadsDoNotChangeABit(ElementType type) {
        KvLayout layout = new KvLayout(1, 400, 6, 2, 64, type);
        AttentionScene scene = new AttentionScene(layout, new int[] {200, 70}, 0, true, 3);
        Backend whole = backend(1);
        ForwardBatch all = scene.step(new int[2], new int[] {200, 70});
        Tensor expected = scene.run(whole, whole.allocateKvCache(layout), scene.rope(whole, Pairing.ADJACENT), all);
        float[] expectedValues = BackendContractTest.readGuarded(whole, expected, all.numTokens);

        Backend chunked = backend(3);
        KvCache cache = chunked.allocateKvCache(layout);
        Rope rope = scene.rope(chunked, Pairing.ADJACENT);
        int[] done = new int[2];
        for (int[] end : new int[][] {{1, 0}, {30, 5}, {33, 6}, {97, 69}, {199, 69}, {200, 70}}) {
            ForwardBatch batch = scene.step(done, end);
            Tensor out = scene.run(chunked, cache, rope, batch);
            checkRows(
                    scene, batch, BackendContractTest.readGuarded(chunked, out, batch.numTokens), all, expectedValues);
            done = end;
        }
    }

    /** Each token of a step has the same result as the token of that sequence and position in another step. */
    private static void checkRows(
            AttentionScene scene, ForwardBatch batch, float[] values, ForwardBatch other, float[] otherValues) {
        int cols = scene.outCols();
        for (int s = 0; s < batch.numSequences; s++) {
            for (int o = 0; o < other.numSequences; o++) {
                if (other.row[o] == batch.row[s]) {
                    int from = other.firstToken[o] + batch.cachedLen[s] - other.cachedLen[o];
                    BackendContractTest.checkSameBits(
                            "sequence " + batch.row[s] + " from position " + batch.cachedLen[s],
                            rows(values, batch.firstToken[s], batch.extendLen[s], cols),
                            rows(otherValues, from, batch.extendLen[s], cols));
                }
            }
        }
    }

    private static float[] rows(float[] values, int first, int count, int cols) {
        return Arrays.copyOfRange(values, first * cols, (first + count) * cols);
    }

    @ParameterizedTest
    @CsvSource({"31", "32", "33", "64", "150"})
    void aSharedPrefixDoesNotChangeABit(int sharedLen) {
        int[] len = new int[40];
        int[] cached = new int[len.length];
        for (int s = 0; s < len.length; s++) {
            len[s] = 152 + s % 7 * 4;
            cached[s] = len[s] - 1 - s % 2; // some with two tokens to compute
        }
        KvLayout layout = new KvLayout(1, 1500, 9, 3, 64, ElementType.FLOAT16);
        AttentionScene scene = new AttentionScene(layout, len, 150, true, 8);
        checkSharing(layout, scene, cached, len, batch -> scene.share(batch, sharedLen));
    }

    /** A system prompt of 70 tokens, two documents of 130 and 257 behind it, of the latter two chapters, and one sequence beside them all. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "1, 40, 2", "32, 40, 2", "7, 3, 1"})
    void nestedSegmentsDoNotChangeABit(int granularity, int maxExtendLen, int deepestLevel) {
        int[] elder = {0, 0, 0, 0, 2, 3, 3, 5, 6, 3, 0};
        int[] shared = {0, 200, 70, 70, 200, 327, 327, 390, 391, 70, 0};
        int[] len = {240, 210, 290, 330, 260, 395, 395, 400, 461, 90, 150};
        int[] cached = {239, 209, 254, 329, 250, 394, 391, 396, 430, 70, 149};
        KvLayout layout = new KvLayout(1, 3300, 9, 3, 64, ElementType.FLOAT16);
        AttentionScene scene = new AttentionScene(layout, len, elder, shared, true, 8);
        SegmentCosts always = new SegmentCosts(granularity, maxExtendLen, Integer.MAX_VALUE, 1, 0, 0);
        checkSharing(layout, scene, cached, len, batch -> {
            scene.share(batch, always);
            assertThat(batch.segmentLevel).contains(deepestLevel);
        });
    }

    private void checkSharing(
            KvLayout layout, AttentionScene scene, int[] cached, int[] len, Consumer<ForwardBatch> share) {
        Backend backend = backend(2);
        KvCache cache = backend.allocateKvCache(layout);
        Rope rope = scene.rope(backend, Pairing.HALVES);
        scene.run(backend, cache, rope, scene.step(new int[len.length], cached));

        ForwardBatch plain = scene.step(cached, len);
        float[] expected =
                BackendContractTest.readGuarded(backend, scene.run(backend, cache, rope, plain), plain.numTokens);
        ForwardBatch shared = scene.step(cached, len);
        share.accept(shared);
        float[] actual =
                BackendContractTest.readGuarded(backend, scene.run(backend, cache, rope, shared), shared.numTokens);
        BackendContractTest.checkSameBits("shared", actual, expected);
    }

    @Test
    void attendsToALongContext() {
        KvLayout layout = new KvLayout(1, 700, 3, 1, 64, ElementType.FLOAT32);
        AttentionScene scene = new AttentionScene(layout, new int[] {700}, 0, true, 8);
        Backend backend = backend(2);
        ForwardBatch batch = scene.step(new int[1], new int[] {700});
        Tensor expected =
                scene.run(reference, reference.allocateKvCache(layout), scene.rope(reference, Pairing.HALVES), batch);
        Tensor actual = scene.run(backend, backend.allocateKvCache(layout), scene.rope(backend, Pairing.HALVES), batch);
        BackendContractTest.checkClose(
                "attention",
                BackendContractTest.readGuarded(backend, actual, batch.numTokens),
                ReferenceBackend.values(expected),
                tolerance(scene, layout, batch));
    }

    private static double maxAbs(float[] values) {
        double max = 0;
        for (float value : values) {
            max = Math.max(max, Math.abs(value));
        }
        return max;
    }
}
