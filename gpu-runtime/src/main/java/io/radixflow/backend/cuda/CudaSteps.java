package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.StepOps;
import io.radixflow.backend.Tensor;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import jcuda.Pointer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings each step's columns and slots to the device, and runs its ops: one by one, or from a captured graph if the step only decodes. Short
 * chunks count as decoding too: each token is a row of its own then. A graph ends with the search for the largest logits.
 */
final class CudaSteps implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    /** Below this many tokens a step's columns are a copy of a few KiB. */
    private static final int SMALL_STEP = 512;

    /** Steps that may be under way at once: one runs while the next one is enqueued. */
    static final int MAX_IN_FLIGHT = 2;

    private static final int BEGIN_THREADS = 256;

    /** Most tokens of a step whose chunks are computed as rows of one token each. */
    private static final int MAX_SPLIT_TOKENS = 256;

    /** Tokens whose K and V its chunks may read more than once: a millisecond or two on the H200. */
    private static final long MAX_READ_AGAIN = 32_768;

    private final CudaDevice device;
    private final Kernel beginStep;
    private final DecodeGraphs graphs;
    /** Of steps whose attention shares segments. */
    private final DecodeGraphs sharedGraphs;

    private final @Nullable SharedAttention shared;
    private final StepColumns smallStep;
    private final StepColumns largeStep;
    private final int maxSequences;
    private final int paddingSlot;
    private final int groupSize;
    private final boolean isDeterministic;

    private @Nullable SlotTable slots;
    private StepColumns step;
    private int numDecode;
    private boolean isShared;
    /** The running batch's, to know it again. */
    private int @Nullable [] logitToken;

    private @Nullable CudaTensor graphLogits;
    private boolean isDrawEnqueued;
    private long numSteps;
    private long numReplayed;
    private long numShared;
    private @Nullable DevicePointer rowIndex;
    private @Nullable Pointer rowIndexPinned;

    /**
     * @param paddingSlot KV slot for rows that only pad a batch
     * @param groupSize query heads that share a KV head
     * @param shared which takes over the segments of steps that only decode, or null if there are none
     */
    CudaSteps(
            CudaDevice device,
            Kernels kernels,
            CudaBackend.Settings settings,
            int paddingSlot,
            int groupSize,
            @Nullable SharedAttention shared) {
        this.device = device;
        maxSequences = settings.maxSequences();
        this.paddingSlot = paddingSlot;
        this.groupSize = groupSize;
        this.shared = shared;
        isDeterministic = settings.isDeterministic();
        beginStep = kernels.kernel("rows", "begin_step", 9);
        int maxGraphBatch = Math.min(settings.maxGraphBatch(), settings.maxSequences());
        graphs = new DecodeGraphs(maxGraphBatch, device.stream());
        sharedGraphs = new DecodeGraphs(shared == null ? 0 : maxGraphBatch, device.stream());
        smallStep = columns(Math.max(SMALL_STEP, settings.maxSequences()), settings.maxSequences());
        largeStep = columns(Math.max(settings.maxTokens(), smallStep.maxTokens()), settings.maxSequences());
        step = smallStep;
    }

    private StepColumns columns(int maxTokens, int maxSequences) {
        // A tile has at least as many rows as a group has heads, and each sequence may end with a tile that isn't full.
        TileOrder order = new TileOrder(groupSize, PrefillAttention.TILE_ROWS);
        return new StepColumns(device, maxTokens, maxSequences, maxTokens + maxSequences, order);
    }

    /** The running step's columns. */
    StepColumns columns() {
        return step;
    }

    SlotTable slots() {
        return Objects.requireNonNull(slots, "a step");
    }

    /** The first batch brings the length of its rows along. */
    private SlotTable slots(ForwardBatch batch) {
        if (slots == null) {
            slots = new SlotTable(device, maxSequences, batch.slotTableStride);
        }
        return slots;
    }

    /** Leading sequences of the running step whose attention is split along the sequence, which adds in another order than tiles do. */
    int numSplit() {
        return isDeterministic ? 0 : numDecode;
    }

    /** Whether their attention shares segments. */
    boolean isShared() {
        return isShared;
    }

    /** Whether the running step was replayed, so that the largest logits are being searched. */
    boolean isDrawEnqueued() {
        return isDrawEnqueued;
    }

    /** Captures a decode step of each size, the largest first, so that the others find their memory; then computes a first chunk. */
    void prepare(ForwardBatch batch, StepOps ops, CudaSampler sampler) {
        slots(batch);
        captureAll(batch, ops, sampler);
        warmUp(batch, ops, sampler);
    }

    private void captureAll(ForwardBatch batch, StepOps ops, CudaSampler sampler) {
        int[] sizes = graphs.sizes();
        if (sizes.length == 0) {
            return;
        }
        long freeBefore = device.freeBytes();
        long started = System.nanoTime();
        LOG.info("Capture CUDA graphs begin. bs {}", Arrays.toString(sizes));
        step = smallStep;
        logitToken = batch.logitToken;
        for (int i = sizes.length - 1; i >= 0; i--) {
            isShared = false;
            capture(batch, sizes[i], ops, sampler);
            isShared = shared != null && sizes[i] > 1;
            if (isShared) {
                capture(batch, sizes[i], ops, sampler);
            }
        }
        isShared = false;
        device.synchronize();
        LOG.info(
                "Capture CUDA graphs end. Time elapsed: {} s. mem usage={} MB.",
                String.format(Locale.ROOT, "%.2f", (System.nanoTime() - started) / 1e9),
                (freeBefore - device.freeBytes()) >> 20);
    }

    /**
     * Computes the largest chunk of tokens that nobody wants, of the row and the slot that pad: kernels and products are loaded at their first
     * call, which would otherwise cost the first requests.
     */
    private void warmUp(ForwardBatch batch, StepOps ops, CudaSampler sampler) {
        step = largeStep;
        logitToken = batch.logitToken;
        numDecode = 0;
        SlotTable table = slots();
        int mostOfRow = Math.max(1, batch.slotTableStride / 2); // a row's end may lie behind the last position
        int token = 0;
        int s = 0;
        for (; token < batch.tokenId.length && s < maxSequences; s++) {
            int len = Math.min(batch.tokenId.length - token, mostOfRow);
            batch.row[s] = table.paddingRow();
            batch.firstToken[s] = token;
            batch.cachedLen[s] = 0;
            batch.extendLen[s] = len;
            for (int i = 0; i < len; i++, token++) {
                batch.tokenId[token] = 0;
                batch.position[token] = i;
                batch.kvSlot[token] = paddingSlot;
            }
            batch.logitToken[s] = token - 1;
        }
        batch.numTokens = token;
        batch.numSequences = s;
        batch.numSampled = s;
        batch.numLogits = s;
        try {
            step.set(0, batch, 0);
            step.upload();
            enqueueBegin(token, sampler);
            ops.enqueue();
            device.synchronize();
        } finally {
            resize(batch, 0);
        }
    }

    long numReplayed() {
        return numReplayed;
    }

    @Nullable
    Tensor run(int turn, ForwardBatch batch, StepOps ops, CudaSampler sampler) {
        int size = begin(turn, batch);
        numSteps++;
        numShared += isShared ? 1 : 0;
        if (size == DecodeGraphs.NO_SIZE) {
            enqueueBegin(batch.numTokens, sampler);
            return ops.enqueue();
        }
        if (!graphs().isCaptured(size)) {
            capture(batch, size, ops, sampler);
        }
        graphs().launch(size);
        numReplayed++;
        isDrawEnqueued = true;
        return graphLogits;
    }

    private DecodeGraphs graphs() {
        return isShared ? sharedGraphs : graphs;
    }

    /** Returns the size of the graph that the batch can run in, or NO_SIZE. */
    private int begin(int turn, ForwardBatch batch) {
        isDrawEnqueued = false;
        logitToken = batch.logitToken;
        numDecode = 0;
        while (numDecode < batch.numSequences && batch.extendLen[numDecode] == 1) {
            numDecode++;
        }
        boolean isEachDrawn = batch.numSampled == batch.numSequences && batch.numLogits == batch.numSampled;
        boolean hasChunks = numDecode < batch.numSequences;
        // Whether graphs are captured must not matter, so that a step gives the same bits with and without.
        boolean isSplit = hasChunks
                && isEachDrawn
                && !isDeterministic
                && batch.numTokens <= Math.min(MAX_SPLIT_TOKENS, maxSequences)
                && !isTooLong(batch);
        step = batch.numTokens <= smallStep.maxTokens() ? smallStep : largeStep;
        step.set(turn, batch, numSplit());
        if (isSplit) {
            numDecode = batch.numTokens;
            step.splitChunks(batch);
        }
        int size = isEachDrawn && (isSplit || !hasChunks) ? graphs.sizeFor(batch.numTokens) : DecodeGraphs.NO_SIZE;
        SlotTable table = slots(batch);
        for (int place = batch.numTokens; place < size; place++) {
            step.pad(place, table.paddingRow(), paddingSlot, isDeterministic);
        }
        step.upload();
        table.update(turn, batch);
        isShared = shared != null && numSplit() > 0 && shared.set(turn, batch);
        return size;
    }

    /** Whether chunks as rows of one token each would read so much more that launching op by op is quicker: each row reads all before it. */
    private static boolean isTooLong(ForwardBatch batch) {
        long readAgain = 0;
        for (int s = 0; s < batch.numSequences; s++) {
            readAgain += (batch.extendLen[s] - 1L) * (batch.cachedLen[s] + batch.extendLen[s]);
        }
        return readAgain > MAX_READ_AGAIN;
    }

    /** The batch looks padded while its ops are recorded; nothing is computed. */
    private void capture(ForwardBatch batch, int size, StepOps ops, CudaSampler sampler) {
        int numSequences = batch.numSequences;
        resize(batch, size);
        step.setNumTiles(isDeterministic ? size : 0);
        try {
            device.synchronize();
            graphs().capture(size, () -> {
                enqueueBegin(size, sampler);
                CudaTensor logits = CudaTensor.of(Objects.requireNonNull(ops.enqueue(), "logits"));
                sampler.enqueueLargest(logits, size);
                graphLogits = logits;
            });
        } finally {
            resize(batch, numSequences);
        }
    }

    private void resize(ForwardBatch batch, int size) {
        numDecode = size;
        batch.numSequences = size;
        batch.numTokens = size;
        batch.numSampled = size;
        batch.numLogits = size;
    }

    private void enqueueBegin(int numTokens, CudaSampler sampler) {
        beginStep
                .with(step.token(StepColumns.TOKEN_ID))
                .and(sampler.drawn())
                .and(step.token(StepColumns.TOKEN_ROW))
                .and(step.token(StepColumns.POSITION))
                .and(step.token(StepColumns.KV_SLOT))
                .and(numTokens)
                .and(slots().memory())
                .and(slots().history())
                .and(slots().stride())
                .launch(device.stream(), (numTokens + BEGIN_THREADS - 1) / BEGIN_THREADS, 1, 1, BEGIN_THREADS, 0);
    }

    /** The index on the device: the running batch's own is there already, another one is copied, which waits for the device. */
    DevicePointer rowIndex(int[] index, int num) {
        if (index == logitToken) {
            return step.token(StepColumns.LOGIT_TOKEN);
        }
        if (rowIndex == null || rowIndexPinned == null) {
            long bytes = Integer.BYTES * (long) largeStep.maxTokens();
            rowIndex = device.allocate(bytes, "row index");
            rowIndexPinned = device.allocatePinned(bytes, "row index");
        }
        device.synchronize(); // the last copy may be under way
        long bytes = Integer.BYTES * (long) num;
        rowIndexPinned
                .getByteBuffer(0, bytes)
                .order(ByteOrder.nativeOrder())
                .asIntBuffer()
                .put(index, 0, num);
        device.copyToDevice(rowIndex, rowIndexPinned, bytes);
        return rowIndex;
    }

    /** One line for the log. */
    String summary() {
        return numReplayed + " of " + numSteps + " steps were replayed from graphs, " + numShared
                + " read common prefixes together";
    }

    @Override
    public void close() {
        graphs.close();
        sharedGraphs.close();
    }
}
