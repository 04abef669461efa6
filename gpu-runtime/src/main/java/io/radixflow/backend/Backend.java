package io.radixflow.backend;

import io.radixflow.weights.TensorData;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A device that runs forward steps: allocates, uploads and executes the fused ops of a transformer layer.
 *
 * <p>Ops are enqueued in order and may run asynchronously; {@link #synchronize()} waits for them. Activations are
 * {@code [rows, cols]} row-major; {@code rows} arguments say how many leading rows are live. Arguments are checked by the model at
 * start, not on every call. Driven by one thread. All backends pass the same contract test against a plain-loop fp64 oracle.
 */
public interface Backend extends AutoCloseable {

    /** One line for the start log: device, threads, instruction set, and why anything slower was taken. */
    String description();

    /** Whether its times come from a model instead of a device's work; figures of such an engine are labelled. */
    default boolean isSimulated() {
        return false;
    }

    /** Bytes that weights and KV cache may still take together. */
    long availableBytes();

    /** Bytes of the device's memory in use, by whomever; 0 if it has no memory of its own. For the thread that drives it. */
    default long usedBytes() {
        return 0;
    }

    /** Steps since the start that were replayed from a recording instead of being launched op by op. */
    default long numReplayedSteps() {
        return 0;
    }

    /**
     * Uploads matrices of equal {@code cols}, stacked along their rows as one weight (q, k and v; gate and up). Parts may differ in
     * type. Keeps the files' width.
     */
    Weight upload(List<TensorData> stackedRows);

    /** Uploads fp32 values, {@code [rows, cols]} row-major; for norms, biases and rope tables. */
    Tensor upload(float[] values, int rows, int cols);

    /** A zeroed activation buffer, {@code [rows, cols]}. */
    Tensor allocate(int rows, int cols);

    /** A zeroed buffer for the logits, {@code [rows, cols]}; a device may keep them wider than activations. */
    default Tensor allocateLogits(int rows, int cols) {
        return allocate(rows, cols);
    }

    KvCache allocateKvCache(KvLayout layout);

    /** When {@link #attention} gains from segments of slots that several rows read together. */
    default SegmentCosts segmentCosts(KvCache cache) {
        return SegmentCosts.NEVER;
    }

    /**
     * Called once before the first step, on the thread that starts the engine: time for a device to record or compile what steps will need.
     *
     * @param batch empty, of the engine's own size
     * @param ops as {@link #runStep} takes them
     */
    default void prepare(ForwardBatch batch, StepOps ops) {}

    /**
     * Runs a step's {@code ops} and returns what they return. Ops that read a batch are enqueued within it only. A device may record the ops of
     * a batch's shape and replay them, and may show them a padded batch meanwhile.
     */
    default @Nullable Tensor runStep(ForwardBatch batch, StepOps ops) {
        return ops.enqueue();
    }

    /** {@code out[i] = table[batch.tokenId[i]]} for the batch's tokens. */
    void embed(Weight table, ForwardBatch batch, Tensor out);

    /** {@code out = x / rms(x) * weight} row-wise, with {@code rms(x) = sqrt(mean(x^2) + eps)}. */
    void rmsNorm(Tensor x, Tensor weight, float eps, int rows, Tensor out);

    /** {@code residual += delta; out = rmsNorm(residual)}. */
    void addRmsNorm(Tensor residual, Tensor delta, Tensor weight, float eps, int rows, Tensor out);

    /**
     * {@code out = x . w^T}: {@code x [rows, w.cols]}, {@code out [rows, w.rows]}. Where inference is deterministic, a row's result doesn't depend on
     * the other rows.
     */
    void linear(Weight w, Tensor x, int rows, Tensor out);

    /**
     * Both products of a pair, of {@code rows} rows: {@code residual += x first^T; out = rmsNorm(residual) second^T}. What {@code delta} and
     * {@code normed}, as large as {@code residual}, hold afterwards is undefined.
     */
    default void linearPair(
            NormedPair pair, Tensor x, int rows, Tensor residual, Tensor delta, Tensor normed, Tensor out) {
        linear(pair.first(), x, rows, delta);
        addRmsNorm(residual, delta, pair.norm(), pair.eps(), rows, normed);
        linear(pair.second(), normed, rows, out);
    }

    /**
     * A pair whose second product is gates and what they let through: {@code residual += x first^T; out = silu(gate) * up of rmsNorm(residual)
     * second^T}, the first half of the product's columns being gate. What {@code delta}, {@code normed} and {@code gateUp}, as large as the
     * product, hold afterwards is undefined.
     */
    @SuppressWarnings("checkstyle:ParameterNumber") // of two products
    default void gatedPair(
            NormedPair pair,
            Tensor x,
            int rows,
            Tensor residual,
            Tensor delta,
            Tensor normed,
            Tensor gateUp,
            Tensor out) {
        linearPair(pair, x, rows, residual, delta, normed, gateUp);
        siluMul(gateUp, rows, out);
    }

    /**
     * Transforms {@code qkv [tokens, (numHeads + 2 * numKvHeads) * headDim]} in place (bias, norms of the heads, rotation) and writes k
     * and v into the batch's KV slots of {@code layer}.
     */
    void transformAndWriteKv(Tensor qkv, QkvTransform transform, KvCache cache, int layer, ForwardBatch batch);

    /**
     * Causal attention of the batch's queries (the leading columns of {@code qkv}) over their sequences' slots, grouped queries,
     * scale {@code 1 / sqrt(headDim)}: {@code out [tokens, numHeads * headDim]}.
     */
    void attention(Tensor qkv, KvCache cache, int layer, ForwardBatch batch, Tensor out);

    /** {@code out = silu(gate) * up} with {@code gateUp [rows, 2 * ffn]} holding gate in the first half of its columns. */
    void siluMul(Tensor gateUp, int rows, Tensor out);

    /** {@code out[i] = x[index[i]]} for i in {@code [0, numRows)}. */
    void gatherRows(Tensor x, int[] index, int numRows, Tensor out);

    /**
     * Draws a token from {@code logits[i]} for each entry of {@code batch}, and scores it where {@code into.numAlternatives} asks for it;
     * entry i of all three correspond. An entry whose rules leave nothing to draw gets {@link ScoredTokens#NO_TOKEN}. Results are valid
     * after {@link #finishStep()}. The logits are consumed: their content afterwards is undefined.
     */
    void sample(Tensor logits, SamplingBatch batch, ScoredTokens into);

    /**
     * Scores given tokens: {@code tokens.tokenId[firstEntry + i]} by {@code logits[i]}, for i in {@code [0, rows)}. Results are valid after
     * {@link #finishStep()}.
     */
    void score(Tensor logits, int rows, ScoredTokens tokens, int firstEntry);

    /** Copies {@code rows} rows from {@code firstRow} on to the host; synchronises. For tests, logprobs and debugging. */
    void read(Tensor tensor, int firstRow, int rows, float[] into);

    /** Waits until all enqueued ops are done; device failures surface here at the latest. Finishes all steps. */
    void synchronize();

    /**
     * Most steps that may be under way at once. With more than one, a step may name tokens that the last one draws ({@link
     * ForwardBatch#tokenId}), and all that a step is given is read while it is enqueued, but for the columns that results go to.
     */
    default int maxStepsInFlight() {
        return 1;
    }

    /** Waits for the oldest step under way, whose results are valid then. */
    default void finishStep() {
        synchronize();
    }

    /** Frees everything that this backend allocated. Idempotent. */
    @Override
    void close();
}
