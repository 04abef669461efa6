package io.radixflow.backend.cuda;

import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.sample.HostSampler;
import io.radixflow.sample.HostScorer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import jcuda.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Draws tokens: the largest logit on the device where an entry asks for no more; entries that sample, have rules or want log-probabilities
 * bring their row of logits to the host, one after the other, which is correct and slow.
 */
final class CudaSampler {

    private static final int ARGMAX_THREADS = 1024;

    private final CudaDevice device;
    private final Kernel argmax;
    private final DevicePointer tokens;
    private final Pointer pinnedTokens;
    private final IntBuffer hostTokens;
    private final Pointer pinnedRow;
    private final FloatBuffer hostRow;
    private final float[] row;
    private final int[] plainEntries;
    private int numPlain;
    private @Nullable ScoredTokens taken;
    private final HostSampler sampler;
    private final HostScorer scorer = new HostScorer();

    CudaSampler(CudaDevice device, Kernels kernels, int maxEntries, int vocabSize) {
        this.device = device;
        argmax = kernels.kernel("argmax", "argmax_f32", 3);
        long tokenBytes = Integer.BYTES * (long) maxEntries;
        tokens = device.allocate(tokenBytes, "drawn tokens");
        pinnedTokens = device.allocatePinned(tokenBytes, "drawn tokens");
        hostTokens = pinnedTokens
                .getByteBuffer(0, tokenBytes)
                .order(ByteOrder.nativeOrder())
                .asIntBuffer();
        long rowBytes = Float.BYTES * (long) vocabSize;
        pinnedRow = device.allocatePinned(rowBytes, "a row of logits");
        hostRow = pinnedRow
                .getByteBuffer(0, rowBytes)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        row = new float[vocabSize];
        plainEntries = new int[maxEntries];
        sampler = new HostSampler(vocabSize);
    }

    /** Enqueues the search for each row's largest logit; a captured step ends with it. */
    void enqueue(CudaTensor logits, int rows) {
        argmax.with(logits.memory())
                .and(logits.cols())
                .and(tokens)
                .launch(device.stream(), rows, 1, 1, ARGMAX_THREADS, 0);
    }

    /** Takes what {@link #enqueue} finds: plain entries with {@link #finish}, the others now, since their logits won't stay. */
    void take(CudaTensor logits, SamplingBatch batch, ScoredTokens into) {
        numPlain = 0;
        for (int entry = 0; entry < batch.numEntries; entry++) {
            if (isPlain(batch, into, entry)) {
                plainEntries[numPlain++] = entry;
            } else {
                draw(logits, batch, into, entry);
            }
        }
        device.copyToHost(pinnedTokens, tokens, Integer.BYTES * (long) batch.numEntries);
        taken = into;
    }

    private void draw(CudaTensor logits, SamplingBatch batch, ScoredTokens into, int entry) {
        readRow(logits, entry);
        into.tokenId[entry] = sampler.draw(row, 0, row.length, batch, entry);
        if (into.numAlternatives[entry] != ScoredTokens.NO_LOGPROBS && into.tokenId[entry] != ScoredTokens.NO_TOKEN) {
            hostRow.get(0, row); // the draw has consumed it
            scorer.score(row, 0, row.length, into, entry);
        }
    }

    /** Once the device is done: the tokens of plain entries. */
    void finish() {
        ScoredTokens into = taken;
        for (int i = 0; i < numPlain && into != null; i++) {
            int entry = plainEntries[i];
            into.tokenId[entry] = hostTokens.get(entry);
            if (into.tokenId[entry] < 0) {
                throw new EngineException(Category.INVARIANT, "a logit is NaN in batch entry " + entry);
            }
        }
        numPlain = 0;
    }

    /** Scores given tokens; see {@code Backend.score}. */
    void score(CudaTensor logits, int rows, ScoredTokens given, int firstEntry) {
        for (int i = 0; i < rows; i++) {
            readRow(logits, i);
            scorer.score(row, 0, row.length, given, firstEntry + i);
        }
    }

    private void readRow(CudaTensor logits, int entry) {
        device.copyToHost(pinnedRow, logits.row(entry), Float.BYTES * (long) row.length);
        device.synchronize();
        hostRow.get(0, row);
    }

    private static boolean isPlain(SamplingBatch batch, ScoredTokens into, int entry) {
        return batch.temperature[entry] == 0
                && batch.repetitionPenalty[entry] == 1
                && batch.presencePenalty[entry] == 0
                && batch.frequencyPenalty[entry] == 0
                && batch.biasIds[entry].length == 0
                && batch.allowedIds[entry].length == 0
                && batch.numBanned[entry] == 0
                && into.numAlternatives[entry] == ScoredTokens.NO_LOGPROBS;
    }
}
