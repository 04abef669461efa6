package io.radixflow.backend.cpu;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.SegmentCosts;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Causal attention of a batch over a KV cache of one shape, its units shared by the pool's threads in the order they come.
 *
 * <p>Driven by the backend's caller. Allocates only when a batch has more tokens in shared segments than any before.
 */
final class Attention implements WorkerPool.Task {

    /** Queries that share a copied tile, about: enough to make copying cheap, few enough for the second-level cache. */
    private static final int UNIT_QUERIES = 192;

    /** Rows so long that fewer than these fill a unit gain too little: a copied tile is cheap for that many queries. */
    private static final int LEAST_ROWS_TO_SHARE = 4;

    // Measured by SegmentCostFit (bench/results/2026-11-25-shared-prefix-cpu.md); only their ratios matter.
    /** Fetching one number of K and one of V for one more row. */
    private static final double READ_NANOS = 0.40;
    /** Saving one number of a query's state and taking it up again. */
    private static final double HAND_OVER_NANOS = 0.72;
    /** The units of a segment, and threads that wait for the last of its pass; one thread alone would have 225. */
    private static final double SEGMENT_NANOS = 2_000;

    private final CpuKvCache cache;
    private final KvLayout layout;
    private final int queriesPerToken;
    private final int maxUnitTokens;
    private final float scale;
    private final AttentionPlan plan;
    private final AttentionTile[] tiles;
    private final int stateLen;
    private final AtomicInteger nextUnit = new AtomicInteger();
    /** [state, head] what a pass leaves for the next. */
    private float[] state = new float[0];

    // The call in progress.
    private CpuTensor qkv;
    private CpuTensor out;
    private ForwardBatch batch;
    private int layer;
    /** The pass in progress: its first unit times KV heads. */
    private int firstUnit;

    Attention(CpuKvCache cache, int numThreads) {
        this.cache = cache;
        qkv = new CpuTensor(1, 1, new float[1]);
        out = qkv;
        batch = new ForwardBatch(1, 1, new int[1], 1);
        layout = cache.layout();
        queriesPerToken = layout.numHeads() / layout.numKvHeads();
        maxUnitTokens = Math.max(1, UNIT_QUERIES / queriesPerToken);
        plan = new AttentionPlan(AttentionTile.TILE_LEN, maxUnitTokens);
        scale = (float) (1 / Math.sqrt(layout.headDim()));
        stateLen = AttentionTile.stateLen(layout.headDim());
        tiles = new AttentionTile[numThreads];
        for (int i = 0; i < numThreads; i++) {
            tiles[i] = new AttentionTile(maxUnitTokens * queriesPerToken, layout.headDim());
        }
    }

    CpuKvCache cache() {
        return cache;
    }

    SegmentCosts segmentCosts() {
        return new SegmentCosts(
                AttentionTile.TILE_LEN,
                Math.max(1, maxUnitTokens / LEAST_ROWS_TO_SHARE),
                maxUnitTokens,
                READ_NANOS * layout.numKvHeads() * layout.headDim(),
                HAND_OVER_NANOS * layout.numHeads() * stateLen,
                SEGMENT_NANOS);
    }

    void run(WorkerPool pool, CpuTensor qkvRows, int layerIndex, ForwardBatch step, CpuTensor outRows) {
        qkv = qkvRows;
        layer = layerIndex;
        batch = step;
        out = outRows;
        plan.build(step);
        reserveState();
        for (int pass = 0; pass < plan.numPasses(); pass++) {
            firstUnit = plan.firstUnit(pass) * layout.numKvHeads();
            nextUnit.set(plan.endUnit(pass) * layout.numKvHeads());
            pool.run(this, pool.numThreads());
        }
    }

    private void reserveState() {
        long needed = (long) plan.numStates() * layout.numHeads() * stateLen;
        if (needed > state.length) {
            state = new float[Math.toIntExact(needed)];
        }
    }

    /** Takes units from the last on, since later tokens of a prompt have more to attend to, until none is left. */
    @Override
    public void run(int worker, int from, int to) {
        for (int unit = nextUnit.decrementAndGet(); unit >= firstUnit; unit = nextUnit.decrementAndGet()) {
            attend(tiles[worker], unit / layout.numKvHeads(), unit % layout.numKvHeads());
        }
    }

    private void attend(AttentionTile tile, int unit, int kvHead) {
        int fromIndex = plan.fromIndex(unit);
        int toIndex = plan.toIndex(unit);
        takeQueries(tile, fromIndex, toIndex, kvHead, plan.firstTile(unit) > 0);
        int maxLen = 0;
        for (int index = fromIndex; index < toIndex; index++) {
            maxLen = Math.max(maxLen, len(index));
        }
        boolean isShared = plan.endTile(unit) != Integer.MAX_VALUE;
        int endTile = isShared ? plan.endTile(unit) : (maxLen + AttentionTile.TILE_LEN - 1) / AttentionTile.TILE_LEN;
        for (int t = plan.firstTile(unit); t < endTile; t++) {
            int firstPosition = t * AttentionTile.TILE_LEN;
            int count = Math.min(AttentionTile.TILE_LEN, maxLen - firstPosition);
            tile.load(cache, layer, kvHead, batch.slotTable, plan.slotsAt(fromIndex) + firstPosition, count);
            attendTile(tile, fromIndex, toIndex, firstPosition);
        }
        giveResults(tile, fromIndex, toIndex, kvHead, isShared);
    }

    /** Tokens attended to from a token: those up to itself. */
    private int len(int index) {
        return batch.position[plan.token(index)] + 1;
    }

    /** Tokens before the tile skip it, those inside see its first positions, those behind it are taken together. */
    private void attendTile(AttentionTile tile, int fromIndex, int toIndex, int firstPosition) {
        int index = fromIndex;
        while (index < toIndex) {
            int visible = Math.min(len(index) - firstPosition, AttentionTile.TILE_LEN);
            int end = index + 1;
            if (visible == AttentionTile.TILE_LEN) {
                while (end < toIndex && len(end) - firstPosition >= AttentionTile.TILE_LEN) {
                    end++;
                }
            }
            if (visible > 0) {
                tile.attend((index - fromIndex) * queriesPerToken, (end - fromIndex) * queriesPerToken, visible);
            }
            index = end;
        }
    }

    private void takeQueries(AttentionTile tile, int fromIndex, int toIndex, int kvHead, boolean isBegun) {
        for (int index = fromIndex; index < toIndex; index++) {
            for (int i = 0; i < queriesPerToken; i++) {
                int head = kvHead * queriesPerToken + i;
                int query = (index - fromIndex) * queriesPerToken + i;
                int at = plan.token(index) * qkv.cols + head * layout.headDim();
                if (isBegun) {
                    tile.resume(query, qkv.values, at, scale, state, stateAt(index, head));
                } else {
                    tile.begin(query, qkv.values, at, scale);
                }
            }
        }
    }

    private void giveResults(AttentionTile tile, int fromIndex, int toIndex, int kvHead, boolean isShared) {
        for (int index = fromIndex; index < toIndex; index++) {
            for (int i = 0; i < queriesPerToken; i++) {
                int head = kvHead * queriesPerToken + i;
                int query = (index - fromIndex) * queriesPerToken + i;
                if (isShared) {
                    tile.save(query, state, stateAt(index, head));
                } else {
                    tile.finish(query, out.values, plan.token(index) * out.cols + head * layout.headDim());
                }
            }
        }
    }

    private int stateAt(int index, int head) {
        return (plan.state(index) * layout.numHeads() + head) * stateLen;
    }
}
