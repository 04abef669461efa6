package io.radixflow.backend.cuda;

import io.radixflow.backend.KvLayout;

/**
 * Attention over the paged KV cache: sequences that compute one token by {@code decode_attention.cu}, chunks by {@code prefill_wgmma.cu} on
 * Hopper, elsewhere by {@code prefill_attention.cu}. Owns the split sequences' partial results.
 */
final class Attention {

    /** Rows of a prefill tile: {@code kBlockRows} there. */
    static final int TILE_ROWS = 128;

    private static final int PREFILL_THREADS = 256;
    private static final int WGMMA_THREADS = 384;
    /** Queries, two stages of K and two of V, of 128 rows each. */
    private static final int WGMMA_TILES = 5;
    /** Barriers, and what the first tile's alignment may skip. */
    private static final int WGMMA_EXTRA_BYTES = 64 + 1024;

    private static final int DECODE_THREADS = 128;
    /** {@code kMaxSplits} there. */
    private static final int MAX_SPLITS = 16;
    /** Thread blocks that fill the device a few times over. */
    private static final int WANTED_BLOCKS = 1056;
    /** Two stages of K and V, 64 tokens each, rows padded by 8 numbers. */
    private static final int TILE_LEN = 64;

    private static final int MAX_GROUP = 16;
    private static final double LOG2_E = 1.4426950408889634;

    private final CudaDevice device;
    private final KvLayout layout;
    private final Kernel prefill;
    private final Kernel decode;
    private final Kernel merge;
    private final DevicePointer partial;
    private final int prefillThreads;
    private final int prefillSharedBytes;
    private final int decodeSharedBytes;
    private final float scaleLog2;

    Attention(CudaDevice device, Kernels kernels, KvLayout layout, int maxSequences) {
        checkShape(layout);
        this.device = device;
        this.layout = layout;
        int headDim = layout.headDim();
        String family = kernels.isHopper() ? "prefill_wgmma" : "prefill_attention";
        prefill = kernels.kernel(family, family + "_bf16_" + headDim, 16);
        decode = kernels.kernel("decode_attention", "decode_attention_bf16_" + headDim, 14);
        merge = kernels.kernel("decode_attention", "decode_attention_merge_bf16_" + headDim, 5);
        decodeSharedBytes = 2 * 2 * TILE_LEN * (headDim + 8) * Short.BYTES;
        decode.allowSharedBytes(decodeSharedBytes);
        prefillThreads = kernels.isHopper() ? WGMMA_THREADS : PREFILL_THREADS;
        prefillSharedBytes = kernels.isHopper()
                ? WGMMA_TILES * TILE_ROWS * headDim * Short.BYTES + WGMMA_EXTRA_BYTES
                : decodeSharedBytes;
        prefill.allowSharedBytes(prefillSharedBytes);
        partial = device.allocate(
                Float.BYTES * (long) maxSequences * layout.numHeads() * MAX_SPLITS * (headDim + 1),
                "partial results of attention");
        scaleLog2 = (float) (LOG2_E / Math.sqrt(headDim));
    }

    /** @throws IllegalArgumentException naming what the kernels can't do */
    static void checkShape(KvLayout layout) {
        if (layout.headDim() != 64 && layout.headDim() != 128) {
            throw new IllegalArgumentException(
                    "heads of " + layout.headDim() + " numbers; the kernels have 64 and 128");
        }
        if (layout.numHeads() / layout.numKvHeads() > MAX_GROUP) {
            throw new IllegalArgumentException(layout.numHeads() / layout.numKvHeads()
                    + " query heads a KV head; the kernels take at most " + MAX_GROUP);
        }
    }

    int groupSize() {
        return layout.numHeads() / layout.numKvHeads();
    }

    void prefill(CudaTensor qkv, CudaKvCache cache, int layer, StepColumns step, SlotTable slots, CudaTensor out) {
        prefill.with(qkv.memory())
                .and(qkv.cols())
                .and(cache.keyAddress(layer))
                .and(cache.valueAddress(layer))
                .and(slots.memory())
                .and(slots.stride())
                .and(step.sequence(StepColumns.ROW))
                .and(step.sequence(StepColumns.CACHED_LEN))
                .and(step.sequence(StepColumns.EXTEND_LEN))
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(step.tileSequences())
                .and(step.tileIndices())
                .and(layout.numHeads())
                .and(layout.numKvHeads())
                .and(scaleLog2)
                .and(out.memory())
                .launch(device.stream(), step.numTiles(), layout.numKvHeads(), 1, prefillThreads, prefillSharedBytes);
    }

    /** @param num leading sequences of the step */
    void decode(
            CudaTensor qkv, CudaKvCache cache, int layer, StepColumns step, int num, SlotTable slots, CudaTensor out) {
        int numPairs = num * layout.numKvHeads();
        int walkers = Math.max(1, Math.min(MAX_SPLITS, (WANTED_BLOCKS + numPairs - 1) / numPairs));
        decode.with(qkv.memory())
                .and(qkv.cols())
                .and(cache.keyAddress(layer))
                .and(cache.valueAddress(layer))
                .and(slots.memory())
                .and(slots.stride())
                .and(step.sequence(StepColumns.ROW))
                .and(step.sequence(StepColumns.CACHED_LEN))
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(layout.numHeads())
                .and(layout.numKvHeads())
                .and(scaleLog2)
                .and(partial)
                .and(out.memory())
                .launch(device.stream(), num, layout.numKvHeads(), walkers, DECODE_THREADS, decodeSharedBytes);
        merge.with(partial)
                .and(step.sequence(StepColumns.CACHED_LEN))
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(layout.numHeads())
                .and(out.memory())
                .launch(device.stream(), num, layout.numHeads(), 1, layout.headDim(), 0);
    }
}
