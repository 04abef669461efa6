package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.SegmentCosts;

/**
 * Decode attention in which rows read what they have in common once: segments by {@code shared_wgmma.cu} on Hopper, elsewhere by
 * {@code shared_attention.cu}; the rest of each row and the sum of all parts by {@code shared_tail.cu}. What is shared is data in tables whose
 * addresses stay, so a captured step serves every batch of its size.
 *
 * <p>Owned by the engine thread. Allocates nothing after construction.
 */
final class SharedAttention {

    /** Parts of a row, on average, that there is room for. */
    private static final int RECORDS_PER_SEQUENCE = 8;
    /** {@code kBlockRows} there. */
    private static final int TILE_ROWS = 128;

    /** {@code kWarps} of the merge, which take a head each. */
    private static final int JOIN_WARPS = 4;

    private static final int WARP = 32;

    private static final int TAIL_THREADS = 96;
    /** Three warps' two stages of K and V, 16 tokens each. */
    private static final int TAIL_ROWS = 3 * 2 * 2 * 16;
    /** Floats of a split's result behind its values: {@code kPartial} there. */
    private static final int PARTIAL_EXTRA = 4;
    /** {@code kMaxSplits} there. */
    private static final int MAX_SPLITS = 8;
    /** Blocks of tails that a multiprocessor holds. */
    private static final int TAILS_AT_ONCE = 4;

    private static final int WGMMA_THREADS = 384;
    private static final int WGMMA_TILE_LEN = 128;
    /** Queries, two stages of K and two of V, of 128 rows each. */
    private static final int WGMMA_TILES = 5;
    /** Barriers, and what the first tile's alignment may skip. */
    private static final int WGMMA_EXTRA_BYTES = 64 + 1024;

    private static final int MMA_THREADS = 256;
    private static final int MMA_TILE_LEN = 64;
    /** Two stages of K and V; queries come through the second. */
    private static final int MMA_ROWS = 2 * 2 * MMA_TILE_LEN;

    private final CudaDevice device;
    private final KvLayout layout;
    private final Kernel segments;
    private final Kernel tail;
    private final Kernel join;
    private final int threads;
    private final int sharedBytes;
    private final int tailSharedBytes;
    private final SharedItems.Device shape;
    private final int maxSequences;
    private final int maxRecords;
    private final float scaleLog2;
    private final DevicePointer partial;
    private final DevicePointer values;
    private final DevicePointer weights;
    private final StagedInts tables;
    private final DevicePointer sharedLen;
    private final DevicePointer order;
    private final DevicePointer firstRecord;
    private final DevicePointer numRecords;
    private final DevicePointer work;
    private final DevicePointer records;
    private SharedItems items;

    SharedAttention(CudaDevice device, Kernels kernels, KvLayout layout, int maxSequences) {
        this.device = device;
        this.layout = layout;
        this.maxSequences = maxSequences;
        int headDim = layout.headDim();
        boolean isHopper = kernels.isHopper();
        String family = isHopper ? "shared_wgmma" : "shared_attention";
        segments = kernels.waitingKernel(family, family + "_bf16_" + headDim, 14);
        int groupSize = Attention.groupSize(layout);
        tail = kernels.waitingKernel(
                "shared_tail", "shared_tail_bf16_" + headDim + "_" + Attention.maxGroup(groupSize), 16);
        join = kernels.waitingKernel("shared_tail", "shared_tail_join_bf16_" + headDim, 12);
        threads = isHopper ? WGMMA_THREADS : MMA_THREADS;
        sharedBytes = isHopper
                ? WGMMA_TILES * TILE_ROWS * headDim * Short.BYTES + WGMMA_EXTRA_BYTES
                : MMA_ROWS * (headDim + 8) * Short.BYTES;
        segments.allowSharedBytes(sharedBytes);
        tailSharedBytes = TAIL_ROWS * (headDim + 8) * Short.BYTES;
        tail.allowSharedBytes(tailSharedBytes);
        shape = new SharedItems.Device(
                TILE_ROWS / groupSize,
                isHopper ? TILE_ROWS / 2 / groupSize : 0,
                isHopper ? WGMMA_TILE_LEN : MMA_TILE_LEN,
                layout.numKvHeads(),
                device.numMultiprocessors());
        maxRecords = RECORDS_PER_SEQUENCE * maxSequences;
        scaleLog2 = Attention.scaleLog2(layout);
        partial = device.allocate(
                Float.BYTES * (long) maxSequences * layout.numHeads() * MAX_SPLITS * (headDim + PARTIAL_EXTRA),
                "partial results of shared attention");
        long numResults = (long) maxRecords * layout.numHeads();
        values = device.allocate(Float.BYTES * numResults * headDim, "values of shared attention");
        weights = device.allocate(Float.BYTES * numResults, "weights of shared attention");
        tables = new StagedInts(device, SharedItems.numInts(maxSequences, maxRecords), "items of shared attention");
        sharedLen = tables.at(SharedItems.sharedLenAt());
        order = tables.at(SharedItems.orderAt(maxSequences));
        firstRecord = tables.at(SharedItems.firstRecordAt(maxSequences));
        numRecords = tables.at(SharedItems.numRecordsAt(maxSequences));
        work = tables.at(SharedItems.workAt(maxSequences));
        records = tables.at(SharedItems.recordsAt(maxSequences, maxRecords));
        items = items(SegmentCosts.NEVER, SharedItems.Overhead.NONE);
    }

    private SharedItems items(SegmentCosts costs, SharedItems.Overhead overhead) {
        return new SharedItems(shape, maxSequences, maxRecords, costs, overhead);
    }

    /** Sequences whose queries one reading of a segment serves. */
    int tokensPerRead() {
        return shape.tileSequences();
    }

    /** From now on batches are judged by these. */
    void decideBy(SegmentCosts costs, SharedItems.Overhead overhead) {
        items = items(costs, overhead);
    }

    /** Takes over a batch's segments, starts the copy of what the kernels need to know of them, and returns whether to use them. */
    boolean set(int turn, ForwardBatch batch) {
        if (items.plan(batch)) {
            items.write(tables.ints(turn));
            tables.upload(turn, 0, items.workEnd());
            int from = SharedItems.recordsAt(maxSequences, maxRecords);
            tables.upload(turn, from, from + items.numRecords());
        }
        return items.pays();
    }

    /**
     * Attention of the step's leading {@code num} sequences, which compute one token each: by the segments that {@link #set} was given, and what
     * they leave to each sequence.
     */
    void attend(
            CudaTensor qkv, CudaKvCache cache, int layer, StepColumns step, int num, SlotTable slots, CudaTensor out) {
        Attention.begin(segments, qkv, cache, layer, slots)
                .and(work)
                .and(order)
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(layout.numHeads())
                .and(layout.numKvHeads())
                .and(scaleLog2)
                .and(values)
                .and(weights)
                .launch(device.stream(), shape.numBlocks(), 1, 1, threads, sharedBytes);
        int numPairs = Attention.roundedUp(num) * layout.numKvHeads();
        int maxSplits = Math.max(1, Math.min(MAX_SPLITS, TAILS_AT_ONCE * device.numMultiprocessors() / numPairs));
        Attention.begin(tail, qkv, cache, layer, slots)
                .and(step.sequence(StepColumns.ROW))
                .and(step.sequence(StepColumns.CACHED_LEN))
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(layout.numHeads())
                .and(layout.numKvHeads())
                .and(scaleLog2)
                .and(partial)
                .and(out.memory())
                .and(sharedLen)
                .and(maxSplits)
                .launch(device.stream(), layout.numKvHeads(), maxSplits, num, TAIL_THREADS, tailSharedBytes);
        join.with(partial)
                .and(step.sequence(StepColumns.CACHED_LEN))
                .and(sharedLen)
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(firstRecord)
                .and(numRecords)
                .and(records)
                .and(values)
                .and(weights)
                .and(layout.numHeads())
                .and(maxSplits)
                .and(out.memory())
                .launch(
                        device.stream(),
                        num,
                        (layout.numHeads() + JOIN_WARPS - 1) / JOIN_WARPS,
                        1,
                        JOIN_WARPS * WARP,
                        0);
    }
}
