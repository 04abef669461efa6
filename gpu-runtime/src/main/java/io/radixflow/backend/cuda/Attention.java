package io.radixflow.backend.cuda;

import io.radixflow.backend.KvLayout;

/**
 * Attention over the paged KV cache: sequences that compute one token by {@code decode_attention.cu}, chunks by {@link PrefillAttention}. Owns
 * the split sequences' partial results.
 */
final class Attention {

    private static final int DECODE_THREADS = 128;
    private static final int MAX_SPLITS = 32;
    /** Tokens of a split, about, at least. */
    private static final int MIN_SPLIT_LEN = 128;
    /** Blocks that a multiprocessor holds. */
    private static final int BLOCKS_AT_ONCE = 2;
    /** A stage of K and V, 64 tokens each, rows padded by 8 numbers. */
    private static final int TILE_LEN = 64;

    private static final int SMALL_GROUP = 8;
    private static final int NUM_DECODE_ARGUMENTS = 20;
    /** {@code kStages} there. */
    private static final int HOPPER_STAGES = 3;

    private static final int OTHER_STAGES = 2;

    private static final int MAX_GROUP = 16;

    private static final double LOG2_E = 1.4426950408889634;

    private final CudaDevice device;
    private final KvLayout layout;
    private final PrefillAttention prefill;
    private final Kernel decode;
    private final DevicePointer mixed;
    private final DevicePointer weight;
    private final DevicePointer numDone;
    private final int decodeSharedBytes;
    private final float scaleLog2;
    private final int blocksAtOnce;

    Attention(CudaDevice device, Kernels kernels, KvLayout layout, int maxSequences) {
        checkShape(layout);
        this.device = device;
        this.layout = layout;
        int headDim = layout.headDim();
        prefill = new PrefillAttention(device, kernels, layout);
        decode = kernels.waitingKernel(
                "decode_attention",
                "decode_attention_bf16_" + headDim + "_" + maxGroup(groupSize()),
                NUM_DECODE_ARGUMENTS);
        int stageBytes = 2 * TILE_LEN * (headDim + 8) * Short.BYTES;
        decodeSharedBytes = (kernels.isHopper() ? HOPPER_STAGES : OTHER_STAGES) * stageBytes;
        decode.allowSharedBytes(decodeSharedBytes);
        blocksAtOnce = BLOCKS_AT_ONCE * device.numMultiprocessors();
        long numPartial = (long) blocksAtOnce * groupSize(); // of all sequences that are split
        mixed = device.allocate(Float.BYTES * numPartial * headDim, "partial results of attention");
        weight = device.allocate(Float.BYTES * numPartial, "weights of partial results");
        numDone = device.allocate(Integer.BYTES * (long) maxSequences * layout.numKvHeads(), "splits that are done");
        scaleLog2 = scaleLog2(layout);
    }

    /** @throws IllegalArgumentException naming what the kernels can't do */
    static void checkShape(KvLayout layout) {
        if (layout.headDim() != 64 && layout.headDim() != 128) {
            throw new IllegalArgumentException(
                    "heads of " + layout.headDim() + " numbers; the kernels have 64 and 128");
        }
        if (groupSize(layout) > MAX_GROUP) {
            throw new IllegalArgumentException(
                    groupSize(layout) + " query heads a KV head; the kernels take at most " + MAX_GROUP);
        }
    }

    /** Of the kernels that take groups of at most so many heads, the one for a group. */
    static int maxGroup(int groupSize) {
        return groupSize <= SMALL_GROUP ? SMALL_GROUP : MAX_GROUP;
    }

    int groupSize() {
        return groupSize(layout);
    }

    static int groupSize(KvLayout layout) {
        return layout.numHeads() / layout.numKvHeads();
    }

    /** What scores are multiplied with, in units of log2, so that kernels raise 2 to them. */
    static float scaleLog2(KvLayout layout) {
        return (float) (LOG2_E / Math.sqrt(layout.headDim()));
    }

    /** The arguments that every kernel of attention begins with: queries, one layer's K and V, and which slots a row has. */
    static Kernel begin(Kernel kernel, CudaTensor qkv, CudaKvCache cache, int layer, SlotTable slots) {
        return kernel.with(qkv.memory())
                .and(qkv.cols())
                .and(cache.keyAddress(layer))
                .and(cache.valueAddress(layer))
                .and(slots.memory())
                .and(slots.stride());
    }

    void prefill(CudaTensor qkv, CudaKvCache cache, int layer, StepColumns step, SlotTable slots, CudaTensor out) {
        prefill.run(qkv, cache, layer, step, slots, out);
    }

    /**
     * Into how many parts a sequence may be split: so many that all blocks run at once. The batch counts as the next power of two, so that
     * padding it, as graphs do, changes no bits.
     */
    private int maxSplits(int numSequences) {
        int numPairs = roundedUp(numSequences) * layout.numKvHeads();
        return Math.max(1, Math.min(MAX_SPLITS, blocksAtOnce / numPairs));
    }

    /** The next power of two. */
    static int roundedUp(int num) {
        int highest = Integer.highestOneBit(num);
        return highest == num ? num : 2 * highest;
    }

    /** @param num leading sequences of the step */
    void decode(
            CudaTensor qkv, CudaKvCache cache, int layer, StepColumns step, int num, SlotTable slots, CudaTensor out) {
        int maxSplits = maxSplits(num);
        begin(decode, qkv, cache, layer, slots)
                .and(step.sequence(StepColumns.ROW))
                .and(step.sequence(StepColumns.CACHED_LEN))
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(step.token(StepColumns.KV_SLOT))
                .and(step.sequence(StepColumns.EXTEND_LEN))
                .and(MIN_SPLIT_LEN)
                .and(maxSplits)
                .and(layout.numHeads())
                .and(layout.numKvHeads())
                .and(scaleLog2)
                .and(mixed)
                .and(weight)
                .and(numDone)
                .and(out.memory())
                .launch(device.stream(), layout.numKvHeads(), maxSplits, num, DECODE_THREADS, decodeSharedBytes);
    }
}
