package io.radixflow.backend.cuda;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.NormedPair;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.StepOps;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.weights.TensorData;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import jcuda.Pointer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backend of one NVIDIA GPU: weights and activations in bf16, sums and logits in fp32. Products by cuBLASLt, the rest by our kernels; steps
 * that only decode are replayed from CUDA graphs.
 *
 * <p>All work goes to one stream. Driven by one thread after start; {@link #runStep} makes the device that thread's.
 */
public final class CudaBackend implements Backend {

    private static final Logger LOG = LoggerFactory.getLogger("io.radixflow.engine");
    private static final int ROW_THREADS = 256;
    private static final int VECTOR = 8;
    /** Numbers of a thread in {@code qkv_transform}. */
    private static final int TRANSFORMED = 16;

    /**
     * What a device needs to know at start.
     *
     * @param gpuId which GPU
     * @param memoryShare of the device's memory for weights, activations and KV cache
     * @param libraryFolder where to look for cuBLASLt first, or empty
     * @param maxTokens most tokens of one step
     * @param maxSequences most sequences of one step
     * @param maxGraphBatch largest batch that is captured, 0 for none
     * @param isOverlapped whether a step may be enqueued while another one runs
     * @param isDeterministic whether a sequence's bits must not depend on what is computed with it, or in which pieces; nothing is shared then
     * @param sharing whether decoding sequences read a common prefix together
     */
    public record Settings(
            int gpuId,
            double memoryShare,
            String libraryFolder,
            int maxTokens,
            int maxSequences,
            int maxGraphBatch,
            boolean isOverlapped,
            boolean isDeterministic,
            PrefixSharing sharing) {

        /** Without sharing. */
        @SuppressWarnings("checkstyle:ParameterNumber") // of a record
        public Settings(
                int gpuId,
                double memoryShare,
                String libraryFolder,
                int maxTokens,
                int maxSequences,
                int maxGraphBatch,
                boolean isOverlapped,
                boolean isDeterministic) {
            this(
                    gpuId,
                    memoryShare,
                    libraryFolder,
                    maxTokens,
                    maxSequences,
                    maxGraphBatch,
                    isOverlapped,
                    isDeterministic,
                    PrefixSharing.OFF);
        }

        /** Another order of sums than a row's own would show in its bits. */
        boolean isSharing() {
            return sharing != PrefixSharing.OFF && !isDeterministic && maxSequences > 1;
        }
    }

    private final Settings settings;
    private final CudaDevice device;
    private final Kernels kernels;
    private final List<CudaWeight> weights = new ArrayList<>();
    private final Products products;
    private final RmsNorm rmsNorm;
    private final Kernel siluMul;
    private final Kernel gatherRows;
    private final StepClock clock;
    private @Nullable WeightUploader uploader;
    private @Nullable Attention attention;
    private @Nullable SharedAttention shared;
    private @Nullable Kernel transform;
    private @Nullable CudaSampler sampler;

    private @Nullable CudaSteps steps;
    private boolean isClosed;

    /** @throws EngineException of category CONFIGURATION if there is no GPU, no driver or no cuBLASLt */
    public CudaBackend(Settings settings) {
        this.settings = settings;
        device = new CudaDevice(settings.gpuId);
        try {
            kernels = new Kernels(device.capability());
            Gemms gemms = new Gemms(device, settings.libraryFolder);
            products = new Products(device, kernels, gemms, settings.isDeterministic);
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
        rmsNorm = new RmsNorm(device, kernels);
        siluMul = kernels.waitingKernel("rows", "silu_mul_bf16", 3);
        gatherRows = kernels.waitingKernel("rows", "gather_rows_bf16", 4);
        clock = new StepClock(device);
    }

    @Override
    public String description() {
        return "cuda: " + device.description() + ", " + kernels.description() + ", " + Gemms.version();
    }

    @Override
    public long availableBytes() {
        device.enter();
        long reserved = (long) ((1 - settings.memoryShare) * device.totalBytes());
        return Math.max(0, device.freeBytes() - reserved);
    }

    @Override
    public long usedBytes() {
        device.enter();
        return device.totalBytes() - device.freeBytes();
    }

    @Override
    public long numReplayedSteps() {
        return steps == null ? 0 : steps.numReplayed();
    }

    @Override
    public Weight upload(List<TensorData> stackedRows) {
        device.enter();
        int cols = stackedRows.get(0).cols();
        int rows = 0;
        for (TensorData part : stackedRows) {
            if (part.cols() != cols) {
                throw new IllegalArgumentException("tensor " + part.name() + " has " + part.cols()
                        + " columns, the others of its stack have " + cols);
            }
            rows = Math.addExact(rows, part.rows());
        }
        if (cols % VECTOR != 0) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "tensor " + stackedRows.get(0).name() + " has " + cols
                            + " columns; --device cuda needs a multiple of " + VECTOR);
        }
        DevicePointer memory = device.allocate(
                2L * rows * cols, "weights of " + stackedRows.get(0).name());
        long at = 0;
        for (TensorData part : stackedRows) {
            at += uploader().upload(part, memory.plus(at));
        }
        device.synchronize();
        CudaWeight weight = new CudaWeight(memory, rows, cols);
        weights.add(weight);
        return weight;
    }

    @Override
    public Tensor upload(float[] values, int rows, int cols) {
        device.enter();
        long bytes = Float.BYTES * (long) values.length;
        DevicePointer memory = device.allocate(bytes, "a tensor [" + rows + ", " + cols + "]");
        uploader().upload(values, memory);
        device.synchronize();
        return new CudaTensor(memory, rows, cols, true);
    }

    @Override
    public Tensor allocate(int rows, int cols) {
        device.enter();
        String what = "activations [" + rows + ", " + cols + "]";
        return new CudaTensor(device.allocate(2L * products.capacity(rows) * cols, what), rows, cols, false);
    }

    @Override
    public Tensor allocateLogits(int rows, int cols) {
        device.enter();
        products.choose(weights, cols);
        DevicePointer memory =
                device.allocate(4L * products.capacity(rows) * cols, "logits [" + rows + ", " + cols + "]");
        sampler = new CudaSampler(device, kernels, rows, settings.maxTokens, cols);
        return new CudaTensor(memory, rows, cols, true);
    }

    @Override
    public KvCache allocateKvCache(KvLayout layout) {
        device.enter();
        if (layout.type() != KvLayout.ElementType.BFLOAT16) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "--kv-cache-dtype " + layout.type() + " is not built for --device cuda; take auto or bfloat16");
        }
        attention = new Attention(device, kernels, layout, settings.maxSequences);
        transform = kernels.waitingKernel("qkv_transform", "qkv_transform_bf16_" + layout.headDim(), 15);
        shared = settings.isSharing() ? new SharedAttention(device, kernels, layout, settings.maxSequences) : null;
        CudaKvCache cache = new CudaKvCache(layout, device.allocate(CudaKvCache.bytes(layout), "KV pool"));
        steps = new CudaSteps(device, kernels, settings, cache.paddingSlot(), attention.groupSize(), shared);
        return cache;
    }

    @Override
    public SegmentCosts segmentCosts(KvCache cache) {
        Attention plain = Objects.requireNonNull(attention, "a KV cache");
        if (shared == null) {
            return SegmentCosts.NEVER;
        }
        device.enter();
        return new SharedCostFit(device, plain, shared, CudaKvCache.of(cache), settings).decide();
    }

    @Override
    public void prepare(ForwardBatch batch, StepOps ops) {
        device.enter();
        steps().prepare(batch, ops, sampler());
    }

    @Override
    public @Nullable Tensor runStep(ForwardBatch batch, StepOps ops) {
        device.enter();
        int turn = clock.begin();
        sampler().begin(turn);
        Tensor logits = steps().run(turn, batch, ops, sampler());
        clock.mark();
        return logits;
    }

    @Override
    public void embed(Weight table, ForwardBatch batch, Tensor out) {
        gather(
                CudaWeight.of(table).memory(),
                steps().columns().token(StepColumns.TOKEN_ID),
                table.cols(),
                batch.numTokens,
                out);
    }

    @Override
    public void gatherRows(Tensor x, int[] index, int numRows, Tensor out) {
        gather(CudaTensor.of(x).memory(), steps().rowIndex(index, numRows), x.cols(), numRows, out);
    }

    private void gather(DevicePointer from, DevicePointer index, int cols, int num, Tensor out) {
        gatherRows
                .with(from)
                .and(index)
                .and(cols)
                .and(CudaTensor.of(out).memory())
                .launch(device.stream(), num, 1, 1, ROW_THREADS / 2, 0);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, int rows, Tensor out) {
        rmsNorm.run(CudaTensor.of(x), CudaTensor.of(weight), eps, rows, CudaTensor.of(out));
    }

    @Override
    public void addRmsNorm(Tensor residual, Tensor delta, Tensor weight, float eps, int rows, Tensor out) {
        rmsNorm.runAdded(
                CudaTensor.of(residual), CudaTensor.of(delta), CudaTensor.of(weight), eps, rows, CudaTensor.of(out));
    }

    @Override
    public void linear(Weight w, Tensor x, int rows, Tensor out) {
        products.multiply(CudaWeight.of(w), CudaTensor.of(x), rows, CudaTensor.of(out));
    }

    @Override
    public void linearPair(
            NormedPair pair, Tensor x, int rows, Tensor residual, Tensor delta, Tensor normed, Tensor out) {
        if (products.takesPair(pair, rows)) {
            products.multiplyPair(pair, CudaTensor.of(x), rows, CudaTensor.of(residual), CudaTensor.of(out));
        } else {
            Backend.super.linearPair(pair, x, rows, residual, delta, normed, out);
        }
    }

    @Override
    @SuppressWarnings("checkstyle:ParameterNumber") // of two products
    public void gatedPair(
            NormedPair pair,
            Tensor x,
            int rows,
            Tensor residual,
            Tensor delta,
            Tensor normed,
            Tensor gateUp,
            Tensor out) {
        CudaWeight second = CudaWeight.of(pair.second());
        if (!products.takesPair(pair, rows) && products.takesGated(second, rows)) {
            linear(pair.first(), x, rows, delta);
            addRmsNorm(residual, delta, pair.norm(), pair.eps(), rows, normed);
            products.multiplyGated(second, CudaTensor.of(normed), rows, CudaTensor.of(out));
        } else {
            Backend.super.gatedPair(pair, x, rows, residual, delta, normed, gateUp, out);
        }
    }

    @Override
    public void transformAndWriteKv(Tensor qkv, QkvTransform parts, KvCache kv, int layer, ForwardBatch batch) {
        CudaKvCache pages = CudaKvCache.of(kv);
        KvLayout layout = pages.layout();
        int numNumbers = Math.multiplyExact(batch.numTokens, qkv.cols());
        Objects.requireNonNull(transform, "a KV cache")
                .with(CudaTensor.of(qkv).memory())
                .and(address(parts.bias()))
                .and(address(parts.queryNorm()))
                .and(address(parts.keyNorm()))
                .and(parts.eps())
                .and(CudaTensor.of(parts.rope().cos()).memory())
                .and(CudaTensor.of(parts.rope().sin()).memory())
                .and(parts.rope().pairing() == Rope.Pairing.ADJACENT ? 1 : 0)
                .and(steps().columns().token(StepColumns.POSITION))
                .and(steps().columns().token(StepColumns.KV_SLOT))
                .and(pages.keyAddress(layer))
                .and(pages.valueAddress(layer))
                .and(layout.numHeads())
                .and(layout.numKvHeads())
                .and(batch.numTokens)
                .launch(device.stream(), blocks(numNumbers, ROW_THREADS * TRANSFORMED), 1, 1, ROW_THREADS, 0);
    }

    private static long address(@Nullable Tensor tensor) {
        return tensor == null ? 0 : CudaTensor.of(tensor).memory().address();
    }

    @Override
    public void attention(Tensor qkv, KvCache kv, int layer, ForwardBatch batch, Tensor out) {
        Attention kernel = Objects.requireNonNull(attention, "a KV cache");
        CudaSteps running = steps();
        SlotTable table = running.slots();
        StepColumns step = running.columns();
        int numSplit = running.numSplit();
        CudaKvCache pages = CudaKvCache.of(kv);
        if (numSplit > 0) {
            if (running.isShared()) {
                Objects.requireNonNull(shared, "shared attention")
                        .attend(CudaTensor.of(qkv), pages, layer, step, numSplit, table, CudaTensor.of(out));
            } else {
                kernel.decode(CudaTensor.of(qkv), pages, layer, step, numSplit, table, CudaTensor.of(out));
            }
        }
        if (step.numTiles() > 0) {
            kernel.prefill(CudaTensor.of(qkv), pages, layer, step, table, CudaTensor.of(out));
        }
    }

    @Override
    public void siluMul(Tensor gateUp, int rows, Tensor out) {
        siluMul.with(CudaTensor.of(gateUp).memory())
                .and(out.cols())
                .and(CudaTensor.of(out).memory())
                .launch(device.stream(), blocks(out.cols(), ROW_THREADS * VECTOR), rows, 1, ROW_THREADS, 0);
    }

    private CudaSteps steps() {
        return Objects.requireNonNull(steps, "a KV cache");
    }

    private WeightUploader uploader() {
        if (uploader == null) {
            uploader = new WeightUploader(device);
        }
        return uploader;
    }

    private CudaSampler sampler() {
        return Objects.requireNonNull(sampler, "logits");
    }

    private static int blocks(int num, int perBlock) {
        return (num + perBlock - 1) / perBlock;
    }

    @Override
    public void sample(Tensor logits, SamplingBatch batch, ScoredTokens into) {
        CudaSampler draw = sampler();
        if (steps == null || !steps.isDrawEnqueued()) {
            draw.enqueueLargest(CudaTensor.of(logits), batch.numEntries);
        }
        draw.take(CudaTensor.of(logits), batch, into, steps);
        clock.mark();
    }

    @Override
    public void score(Tensor logits, int rows, ScoredTokens tokens, int firstEntry) {
        sampler().score(CudaTensor.of(logits), rows, tokens, firstEntry);
        clock.mark();
    }

    @Override
    public int maxStepsInFlight() {
        return settings.isOverlapped ? CudaSteps.MAX_IN_FLIGHT : 1;
    }

    @Override
    public void finishStep() {
        int turn = clock.finish();
        if (turn != StepClock.NONE && sampler != null) {
            sampler.finish(turn);
        }
    }

    @Override
    public void read(Tensor tensor, int firstRow, int rows, float[] into) {
        device.enter();
        CudaTensor from = CudaTensor.of(tensor);
        int numbers = rows * from.cols();
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(numbers * from.elementBytes()).order(ByteOrder.nativeOrder());
        device.copyToHost(Pointer.to(bytes), from.row(firstRow), (long) numbers * from.elementBytes());
        device.synchronize();
        for (int i = 0; i < numbers; i++) {
            into[i] = from.isFloat() ? bytes.getFloat(4 * i) : Float.intBitsToFloat(bytes.getShort(2 * i) << 16);
        }
    }

    @Override
    public void synchronize() {
        device.synchronize();
        for (int turn = clock.finish(); turn != StepClock.NONE; turn = clock.finish()) {
            sampler().finish(turn);
        }
        if (sampler != null) {
            sampler.finishAll(); // what was drawn without a step
        }
    }

    /** How many steps were replayed, in words. */
    String stepsSummary() {
        return steps == null ? "no steps" : steps.summary();
    }

    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        LOG.info("GPU: {}; {}", clock.summary(), stepsSummary());
        device.enter();
        if (steps != null) {
            steps.close();
        }
        products.close();
        kernels.close();
        device.close();
    }
}
