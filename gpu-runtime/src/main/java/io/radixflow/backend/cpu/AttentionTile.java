package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.EXACT;
import static io.radixflow.backend.cpu.Lanes.FLOATS;
import static io.radixflow.backend.cpu.Lanes.LANES;
import static io.radixflow.backend.cpu.Lanes.STRIP;
import static io.radixflow.backend.cpu.Lanes.broadcast;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Attention of many queries of one KV head over tiles of its slots, with an online softmax [1] of each query.
 *
 * <p>A tile is {@link #TILE_LEN} positions, aligned to position 0. Its K is copied transposed, so that lanes are positions in
 * {@code score = q . k} and no sum crosses lanes; its V is copied as it lies, so that lanes are numbers of the head in
 * {@code out += p * v}. Copies serve all queries. A query's arithmetic and its order depend on its position alone.
 *
 * <p>One worker's scratch memory; not thread-safe. Allocates only in the constructor.
 *
 * <p>[1] Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
 */
final class AttentionTile {

    static final int TILE_LEN = Math.max(32, STRIP);
    /** Queries that go through the kernels together. */
    private static final int GROUP = 4;

    private final int headDim;
    /** {@link #headDim} rounded up to whole strips; what is behind it stays 0. */
    private final int paddedDim;

    private final float[] q; // [maxQueries, headDim], scaled
    private final float[] out; // [maxQueries, paddedDim], not yet divided by the sum
    private final float[] max; // [maxQueries]
    private final float[] sum; // [maxQueries, LANES] by lane
    private final float[] k; // [headDim, TILE_LEN]
    private final float[] v; // [TILE_LEN, paddedDim]
    private final int[] pairs; // [headDim / 2, TILE_LEN]
    private final float[] weight = new float[GROUP * TILE_LEN]; // scores, then exp(score - max)
    private final float[] correction = new float[GROUP];
    private final float[] lanes = new float[LANES];
    /** Keeps the compiler from leaving reads out whose only use is that they were made. */
    int touched;

    AttentionTile(int maxQueries, int headDim) {
        this.headDim = headDim;
        paddedDim = paddedDim(headDim);
        q = new float[maxQueries * headDim];
        out = new float[maxQueries * paddedDim];
        max = new float[maxQueries];
        sum = new float[maxQueries * LANES];
        k = new float[headDim * TILE_LEN];
        v = new float[TILE_LEN * paddedDim];
        pairs = new int[headDim / 2 * TILE_LEN];
    }

    static int paddedDim(int headDim) {
        return (headDim + STRIP - 1) / STRIP * STRIP;
    }

    /** Numbers that {@link #save} writes for one query. */
    static int stateLen(int headDim) {
        return paddedDim(headDim) + LANES + 1;
    }

    /** Takes a query in, {@code [headDim]} at {@code from[at]}, with nothing attended to yet. */
    void begin(int query, float[] from, int at, float scale) {
        setQuery(query, from, at, scale);
        Arrays.fill(out, query * paddedDim, (query + 1) * paddedDim, 0);
        Arrays.fill(sum, query * LANES, (query + 1) * LANES, 0);
        max[query] = Float.NEGATIVE_INFINITY;
    }

    /** Takes a query in where {@link #save} left it. */
    void resume(int query, float[] from, int at, float scale, float[] state, int stateAt) {
        setQuery(query, from, at, scale);
        System.arraycopy(state, stateAt, out, query * paddedDim, paddedDim);
        System.arraycopy(state, stateAt + paddedDim, sum, query * LANES, LANES);
        max[query] = state[stateAt + paddedDim + LANES];
    }

    private void setQuery(int query, float[] from, int at, float scale) {
        for (int d = 0; d < headDim; d++) {
            q[query * headDim + d] = from[at + d] * scale;
        }
    }

    void save(int query, float[] state, int stateAt) {
        System.arraycopy(out, query * paddedDim, state, stateAt, paddedDim);
        System.arraycopy(sum, query * LANES, state, stateAt + paddedDim, LANES);
        state[stateAt + paddedDim + LANES] = max[query];
    }

    void finish(int query, float[] into, int at) {
        float total = Lanes.sum(sum, query * LANES);
        for (int d = 0; d < headDim; d++) {
            into[at + d] = out[query * paddedDim + d] / total;
        }
    }

    /** Copies K and V of {@code count} slots of a tile. */
    void load(CpuKvCache cache, int layer, int kvHead, int[] slots, int from, int count) {
        touched = cache.touch(layer, kvHead, slots, from, count);
        cache.copyTransposedK(layer, kvHead, slots, from, count, TILE_LEN, pairs, k);
        cache.copyV(layer, kvHead, slots, from, count, paddedDim, v);
    }

    /** Attends from queries {@code [fromQuery, toQuery)} to the first {@code len} positions of the loaded tile. */
    void attend(int fromQuery, int toQuery, int len) {
        for (int first = fromQuery; first < toQuery; first += GROUP) {
            int count = Math.min(GROUP, toQuery - first);
            scoreFour(q, first * headDim, count, headDim, k, weight);
            for (int i = 0; i < count; i++) {
                softmax(first + i, i * TILE_LEN, len, i);
            }
            mixFour(weight, count, correction, v, len, paddedDim, out, first * paddedDim);
        }
    }

    /** Turns scores into {@code exp(score - max)} with the new maximum, and brings sum and correction in line with it. */
    private void softmax(int query, int at, int len, int inGroup) {
        Arrays.fill(weight, at + len, at + TILE_LEN, Float.NEGATIVE_INFINITY);
        float oldMax = max[query];
        float newMax = Math.max(oldMax, maxOf(weight, at, lanes));
        float factor = Lanes.exp(oldMax - newMax);
        max[query] = newMax;
        correction[inGroup] = factor;
        exponentiate(weight, at, newMax);
        Arrays.fill(weight, at + len, at + TILE_LEN, 0);
        addToSum(weight, at, factor, sum, query * LANES);
    }

    private static float maxOf(float[] values, int at, float[] lanes) {
        FloatVector top = FloatVector.fromArray(FLOATS, values, at);
        for (int i = LANES; i < TILE_LEN; i += LANES) {
            top = FloatVector.fromArray(FLOATS, values, at + i).max(top);
        }
        EXACT.cast(top).intoArray(lanes, 0);
        float max = lanes[0];
        for (int i = 1; i < LANES; i++) {
            max = lanes[i] > max ? lanes[i] : max;
        }
        return max;
    }

    private static void exponentiate(float[] values, int at, float max) {
        for (int i = 0; i < TILE_LEN; i += LANES) {
            Lanes.exp(FloatVector.fromArray(FLOATS, values, at + i).sub(broadcast(max)))
                    .intoArray(values, at + i);
        }
    }

    private static void addToSum(float[] values, int at, float factor, float[] sum, int sumAt) {
        FloatVector total = FloatVector.fromArray(FLOATS, sum, sumAt).mul(broadcast(factor));
        for (int i = 0; i < TILE_LEN; i += LANES) {
            total = FloatVector.fromArray(FLOATS, values, at + i).add(total);
        }
        EXACT.cast(total).intoArray(sum, sumAt);
    }

    /** {@code into[i, t] = sum over d of q[i, d] * k[d, t]} for up to four queries; those from {@code count} on repeat the last. */
    private static void scoreFour(float[] q, int at, int count, int headDim, float[] k, float[] into) {
        int q1 = at + Math.min(1, count - 1) * headDim;
        int q2 = at + Math.min(2, count - 1) * headDim;
        int q3 = at + Math.min(3, count - 1) * headDim;
        for (int t = 0; t < TILE_LEN; t += STRIP) {
            FloatVector a0 = FloatVector.zero(FLOATS);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            for (int d = 0; d < headDim; d++) {
                FloatVector ka = FloatVector.fromArray(FLOATS, k, t + d * TILE_LEN);
                FloatVector kb = FloatVector.fromArray(FLOATS, k, t + d * TILE_LEN + LANES);
                FloatVector qd = broadcast(q[at + d]);
                a0 = qd.fma(ka, a0);
                b0 = qd.fma(kb, b0);
                qd = broadcast(q[q1 + d]);
                a1 = qd.fma(ka, a1);
                b1 = qd.fma(kb, b1);
                qd = broadcast(q[q2 + d]);
                a2 = qd.fma(ka, a2);
                b2 = qd.fma(kb, b2);
                qd = broadcast(q[q3 + d]);
                a3 = qd.fma(ka, a3);
                b3 = qd.fma(kb, b3);
            }
            EXACT.cast(a0).intoArray(into, t);
            EXACT.cast(b0).intoArray(into, t + LANES);
            EXACT.cast(a1).intoArray(into, TILE_LEN + t);
            EXACT.cast(b1).intoArray(into, TILE_LEN + t + LANES);
            EXACT.cast(a2).intoArray(into, 2 * TILE_LEN + t);
            EXACT.cast(b2).intoArray(into, 2 * TILE_LEN + t + LANES);
            EXACT.cast(a3).intoArray(into, 3 * TILE_LEN + t);
            EXACT.cast(b3).intoArray(into, 3 * TILE_LEN + t + LANES);
        }
    }

    /** {@code out[i] = out[i] * correction[i] + sum over t of p[i, t] * v[t]} for up to four queries, as above. */
    private static void mixFour(
            float[] p, int count, float[] correction, float[] v, int len, int dim, float[] out, int at) {
        int i1 = Math.min(1, count - 1);
        int i2 = Math.min(2, count - 1);
        int i3 = Math.min(3, count - 1);
        int p1 = i1 * TILE_LEN;
        int p2 = i2 * TILE_LEN;
        int p3 = i3 * TILE_LEN;
        for (int d = at; d < at + dim; d += STRIP) {
            int d1 = d + i1 * dim;
            int d2 = d + i2 * dim;
            int d3 = d + i3 * dim;
            FloatVector a0 = FloatVector.fromArray(FLOATS, out, d).mul(broadcast(correction[0]));
            FloatVector b0 = FloatVector.fromArray(FLOATS, out, d + LANES).mul(broadcast(correction[0]));
            FloatVector a1 = FloatVector.fromArray(FLOATS, out, d1).mul(broadcast(correction[i1]));
            FloatVector b1 = FloatVector.fromArray(FLOATS, out, d1 + LANES).mul(broadcast(correction[i1]));
            FloatVector a2 = FloatVector.fromArray(FLOATS, out, d2).mul(broadcast(correction[i2]));
            FloatVector b2 = FloatVector.fromArray(FLOATS, out, d2 + LANES).mul(broadcast(correction[i2]));
            FloatVector a3 = FloatVector.fromArray(FLOATS, out, d3).mul(broadcast(correction[i3]));
            FloatVector b3 = FloatVector.fromArray(FLOATS, out, d3 + LANES).mul(broadcast(correction[i3]));
            int vAt = d - at;
            for (int t = 0; t < len; t++) {
                FloatVector va = FloatVector.fromArray(FLOATS, v, vAt + t * dim);
                FloatVector vb = FloatVector.fromArray(FLOATS, v, vAt + t * dim + LANES);
                FloatVector pt = broadcast(p[t]);
                a0 = pt.fma(va, a0);
                b0 = pt.fma(vb, b0);
                pt = broadcast(p[p1 + t]);
                a1 = pt.fma(va, a1);
                b1 = pt.fma(vb, b1);
                pt = broadcast(p[p2 + t]);
                a2 = pt.fma(va, a2);
                b2 = pt.fma(vb, b2);
                pt = broadcast(p[p3 + t]);
                a3 = pt.fma(va, a3);
                b3 = pt.fma(vb, b3);
            }
            EXACT.cast(a0).intoArray(out, d);
            EXACT.cast(b0).intoArray(out, d + LANES);
            EXACT.cast(a1).intoArray(out, d1);
            EXACT.cast(b1).intoArray(out, d1 + LANES);
            EXACT.cast(a2).intoArray(out, d2);
            EXACT.cast(b2).intoArray(out, d2 + LANES);
            EXACT.cast(a3).intoArray(out, d3);
            EXACT.cast(b3).intoArray(out, d3 + LANES);
        }
    }
}
