package io.radixflow.backend.cuda;

import io.radixflow.backend.KvLayout;

/**
 * Attention of chunks over the paged KV cache: {@code prefill_wgmma.cu} on Hopper, where as many blocks as the device has multiprocessors walk over
 * the step's tiles; elsewhere {@code prefill_attention.cu}, a block a tile.
 */
final class PrefillAttention {

    /** Rows of a tile: {@code kBlockRows} there. */
    static final int TILE_ROWS = 128;

    private static final int THREADS = 256;
    /** Two stages of K and V, 64 tokens each, rows padded by 8 numbers. */
    private static final int TILE_LEN = 64;

    private static final int WGMMA_THREADS = 384;
    /** Tiles in shared memory: queries of two items and a ring of five for K and V, of 128 rows each. */
    private static final int WGMMA_TILES = 7;
    /** {@code kExtraBytes} there: barriers, two items, and what the first tile's alignment may skip. */
    private static final int WGMMA_EXTRA_BYTES = 2048;
    /** K and V that are read again and again should stay in the second level cache. */
    private static final long CACHED_BYTES = 24L << 20;

    private static final int LEAST_HEADS_AT_ONCE = 2;

    private final CudaDevice device;
    private final KvLayout layout;
    private final Kernel kernel;
    private final boolean isWalking;
    private final int sharedBytes;
    private final int numBlocks;
    private final float scaleLog2;
    /** How many items blocks have taken, and how many blocks take no more; the kernel leaves both at 0. */
    private final DevicePointer counts;

    PrefillAttention(CudaDevice device, Kernels kernels, KvLayout layout) {
        this.device = device;
        this.layout = layout;
        isWalking = kernels.isHopper();
        int headDim = layout.headDim();
        String family = isWalking ? "prefill_wgmma" : "prefill_attention";
        kernel = kernels.kernel(family, family + "_bf16_" + headDim, isWalking ? 19 : 16);
        sharedBytes = isWalking
                ? WGMMA_TILES * TILE_ROWS * headDim * Short.BYTES + WGMMA_EXTRA_BYTES
                : 2 * 2 * TILE_LEN * (headDim + 8) * Short.BYTES;
        kernel.allowSharedBytes(sharedBytes);
        numBlocks = device.numMultiprocessors();
        scaleLog2 = Attention.scaleLog2(layout);
        counts = device.allocate(2 * Integer.BYTES, "counts of attention's items");
    }

    void run(CudaTensor qkv, CudaKvCache cache, int layer, StepColumns step, SlotTable slots, CudaTensor out) {
        Attention.begin(kernel, qkv, cache, layer, slots)
                .and(step.sequence(StepColumns.ROW))
                .and(step.sequence(StepColumns.CACHED_LEN))
                .and(step.sequence(StepColumns.EXTEND_LEN))
                .and(step.sequence(StepColumns.FIRST_TOKEN))
                .and(step.tileSequences())
                .and(step.tileIndices());
        if (isWalking) {
            int numItems = step.numTiles() * layout.numKvHeads();
            kernel.and(step.numTiles())
                    .and(layout.numHeads())
                    .and(layout.numKvHeads())
                    .and(headsAtOnce(step.seenLen()))
                    .and(scaleLog2)
                    .and(counts)
                    .and(out.memory())
                    .launch(device.stream(), Math.min(numBlocks, numItems), 1, 1, WGMMA_THREADS, sharedBytes);
        } else {
            kernel.and(layout.numHeads())
                    .and(layout.numKvHeads())
                    .and(scaleLog2)
                    .and(out.memory())
                    .launch(device.stream(), step.numTiles(), layout.numKvHeads(), 1, THREADS, sharedBytes);
        }
    }

    /** A divisor of the KV heads; no result depends on it. */
    private int headsAtOnce(long seenLen) {
        long bytesOfOne = 2 * Short.BYTES * seenLen * layout.headDim();
        int num = layout.numKvHeads();
        while (num % 2 == 0 && num > LEAST_HEADS_AT_ONCE && num * bytesOfOne > CACHED_BYTES) {
            num /= 2;
        }
        return num;
    }
}
