package io.radixflow.backend.cpu;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.Tensor;
import io.radixflow.testkit.AttentionScene;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.testkit.Work;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Attention and what writes its cache on one thread, in the shape of SmolLM2-135M: 9 heads on 3, 64 numbers each, fp16. */
@State(Scope.Thread)
public class AttentionBench {

    private static final int HEADS = 9;
    private static final int HEAD_DIM = 64;

    /**
     * The step: sequences x tokens of each, the last ones of a context. "shared": all of it but the last token is common. "tree": 512 tokens are
     * common to all, 1,024 more to each eight; read by each sequence, in the best segments of one level, or in those that the planner finds.
     */
    public enum Step {
        DECODE_1(1, 1, 1024, Sharing.NONE),
        DECODE_32(32, 1, 1024, Sharing.NONE),
        DECODE_32_SHARED(32, 1, 1024, Sharing.ONE_SEGMENT),
        TREE_64(64, 1, 1600, Sharing.NONE),
        TREE_64_ONE_LEVEL(64, 1, 1600, Sharing.ONE_LEVEL),
        TREE_64_NESTED(64, 1, 1600, Sharing.PLANNED),
        TREE_64X16(64, 16, 1600, Sharing.NONE),
        TREE_64X16_NESTED(64, 16, 1600, Sharing.PLANNED),
        PREFILL_512(1, 512, 512, Sharing.NONE);

        private final int sequences;
        private final int extendLen;
        private final int len;
        private final Sharing sharing;

        Step(int sequences, int extendLen, int len, Sharing sharing) {
            this.sequences = sequences;
            this.extendLen = extendLen;
            this.len = len;
            this.sharing = sharing;
        }

        private boolean isTree() {
            return name().startsWith("TREE");
        }
    }

    private enum Sharing {
        NONE,
        ONE_SEGMENT,
        ONE_LEVEL,
        PLANNED
    }

    private static final int ROOT_LEN = 512;
    private static final int DOCUMENT_LEN = 1024;
    private static final int DOCUMENT_SEQUENCES = 8;

    @Param
    public Step step = Step.DECODE_1;

    private final CpuBackend backend = new CpuBackend(1, 1L << 31);
    private KvLayout layout = new KvLayout(1, 1, HEADS, 3, HEAD_DIM, ElementType.FLOAT16);
    private KvCache cache = backend.allocateKvCache(layout);
    private ForwardBatch batch = new ForwardBatch(1, 1, new int[1], 1);
    private Tensor qkv = backend.allocate(1, 1);
    private Tensor out = qkv;
    private QkvTransform transform = QkvTransform.rotation(new Rope(qkv, qkv, Rope.Pairing.HALVES));
    private double flops;
    private double kvBytes;

    /** Fills the cache as earlier steps would have done. */
    @Setup
    public void fillCache() {
        layout = new KvLayout(1, step.sequences * step.len, HEADS, 3, HEAD_DIM, ElementType.FLOAT16);
        int[] end = new int[step.sequences];
        int[] from = new int[step.sequences];
        Arrays.fill(end, step.len);
        Arrays.fill(from, step.len - step.extendLen);
        int[] elder = new int[step.sequences];
        int[] shared = new int[step.sequences];
        for (int s = 1; s < step.sequences; s++) {
            boolean isFirst = s % DOCUMENT_SEQUENCES == 0;
            elder[s] = step.isTree() && !isFirst ? s - 1 : 0;
            int treeLen = isFirst ? ROOT_LEN : ROOT_LEN + DOCUMENT_LEN;
            shared[s] = step.isTree() ? treeLen : step.sharing == Sharing.NONE ? 0 : step.len - 1;
        }
        AttentionScene scene = new AttentionScene(layout, end, elder, shared, false, 1);
        cache = backend.allocateKvCache(layout);
        transform = QkvTransform.rotation(scene.rope(backend, Rope.Pairing.HALVES));
        ForwardBatch earlier = scene.step(new int[step.sequences], end);
        Tensor rows = backend.upload(scene.qkv(earlier), earlier.numTokens, scene.qkvCols());
        backend.transformAndWriteKv(rows, transform, cache, 0, earlier);
        batch = scene.step(from, end);
        share(scene);
        qkv = backend.upload(scene.qkv(batch), batch.numTokens, scene.qkvCols());
        out = backend.upload(RandomTensors.poison(batch.numTokens * scene.outCols()), batch.numTokens, scene.outCols());
        double pairs = 0;
        for (int token = 0; token < batch.numTokens; token++) {
            pairs += batch.position[token] + 1;
        }
        flops = 4 * pairs * HEADS * HEAD_DIM;
        double slots = (double) step.sequences * step.len;
        for (int g = 0; g < batch.numSegments; g++) {
            int numRows = batch.segmentEnd[g] - batch.segmentFirst[g];
            slots -= (numRows - 1.0) * (batch.segmentTo[g] - batch.segmentFrom[g]);
        }
        kvBytes = slots * layout.bytesPerSlot();
    }

    private void share(AttentionScene scene) {
        switch (step.sharing) {
            case NONE -> {}
            case ONE_SEGMENT -> scene.share(batch, step.len - 1);
            case ONE_LEVEL -> shareDocuments();
            case PLANNED -> scene.share(batch, backend.segmentCosts(cache));
        }
    }

    private void shareDocuments() {
        int len = ROOT_LEN + DOCUMENT_LEN;
        for (int first = 0; first < step.sequences; first += DOCUMENT_SEQUENCES) {
            batch.segmentFirst[batch.numSegments] = first;
            batch.segmentEnd[batch.numSegments] = first + DOCUMENT_SEQUENCES;
            batch.segmentTo[batch.numSegments++] = len;
        }
        Arrays.fill(batch.sharedLen, len);
    }

    @Benchmark
    public void attention(Work work) {
        backend.attention(qkv, cache, 0, batch, out);
        work.add(flops, kvBytes);
    }

    @Benchmark
    public void transformAndWriteKv(Work work) {
        backend.transformAndWriteKv(qkv, transform, cache, 0, batch);
        work.add(0, batch.numTokens * (8.0 * qkv.cols() + layout.bytesPerSlot()));
    }

    @TearDown
    public void close() {
        backend.close();
    }
}
