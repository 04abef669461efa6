package io.radixflow.backend.cpu;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.SegmentCosts;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineException.Category;
import io.radixflow.weights.TensorData;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The backend of machines without a GPU: Vector API kernels over weights at their file's width, fp32 arithmetic, a pool of threads.
 *
 * <p>Every result is a fixed chain of fp32 operations that depends on nothing but its own row: the same bits whatever else is in the batch,
 * however a prompt is chunked or grouped, on any number of threads. (Machines with other vector widths differ in the last bits.)
 *
 * <p>Ops are done when they return. One thread calls. Weights, cache and activations lie on the Java heap; a step allocates nothing
 * once the batch sizes have been seen.
 */
public final class CpuBackend implements Backend {

    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    /** Below this many numbers an element-wise op is faster on one thread than handed to the pool. */
    private static final int MIN_SHARED_NUMBERS = 8_192;

    private final long heapBudgetBytes;
    private final WorkerPool pool;
    private final MatrixKernels kernels;
    private final StepTasks.Norm norm;
    private final StepTasks.SiluMul siluMul = new StepTasks.SiluMul();
    private final StepTasks.Score score;
    private final List<Attention> attentions = new ArrayList<>();
    private StepTasks.@Nullable Linear linear;
    private StepTasks.@Nullable Embed embed;
    private StepTasks.@Nullable TransformAndWriteKv transformAndWriteKv;
    private StepTasks.@Nullable Sample sample;
    private long allocatedBytes;

    /**
     * Starts the threads.
     *
     * @param numThreads threads that compute, the caller included
     * @param heapBudgetBytes most heap that weights, KV cache and activations may take together
     * @throws EngineException of category CONFIGURATION when the Vector API is not among the JVM's modules
     */
    public CpuBackend(int numThreads, long heapBudgetBytes) {
        if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "the CPU backend needs the Vector API: start java with --add-modules " + VECTOR_MODULE);
        }
        this.heapBudgetBytes = heapBudgetBytes;
        pool = new WorkerPool(numThreads);
        kernels = new VectorMatrixKernels(numThreads);
        norm = new StepTasks.Norm(numThreads);
        score = new StepTasks.Score(numThreads);
    }

    @Override
    public String description() {
        return "cpu: " + kernels.description() + ", " + pool.numThreads() + " threads; no native kernels in this build";
    }

    /**
     * What is left of the budget, or of the heap if that is less: its maximum minus what is in use now, garbage included, so this is
     * a lower bound.
     */
    @Override
    public long availableBytes() {
        Runtime runtime = Runtime.getRuntime();
        long freeHeap = runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
        return Math.max(0, Math.min(heapBudgetBytes - allocatedBytes, freeHeap));
    }

    @Override
    public Weight upload(List<TensorData> stackedRows) {
        CpuWeight weight = new CpuWeight(stackedRows);
        allocatedBytes += weight.bytes();
        if (linear == null || embed == null) {
            linear = new StepTasks.Linear(kernels, weight);
            embed = new StepTasks.Embed(weight);
        }
        return weight;
    }

    @Override
    public Tensor upload(float[] values, int rows, int cols) {
        allocatedBytes += 4L * values.length;
        return new CpuTensor(rows, cols, values.clone());
    }

    @Override
    public Tensor allocate(int rows, int cols) {
        long numbers = (long) rows * cols;
        if (numbers > Integer.MAX_VALUE - 8) {
            throw new EngineException(
                    Category.CONFIGURATION,
                    "activations [" + rows + ", " + cols + "]: " + 4 * numbers
                            + " bytes, the CPU backend takes at most 8 GiB; lower --chunked-prefill-size");
        }
        allocatedBytes += 4 * numbers;
        return new CpuTensor(rows, cols, new float[(int) numbers]);
    }

    @Override
    public KvCache allocateKvCache(KvLayout layout) {
        CpuKvCache cache = new CpuKvCache(layout);
        allocatedBytes += layout.bytesPerSlot() * layout.numSlots();
        attentions.add(new Attention(cache, pool.numThreads()));
        if (transformAndWriteKv == null) {
            transformAndWriteKv = new StepTasks.TransformAndWriteKv(cache, pool.numThreads());
        }
        return cache;
    }

    @Override
    public SegmentCosts segmentCosts(KvCache cache) {
        return attention(cache).segmentCosts();
    }

    @Override
    public void embed(Weight table, ForwardBatch batch, Tensor out) {
        StepTasks.Embed task = checkUploaded(embed);
        task.set(CpuWeight.of(table), batch.tokenId, CpuTensor.of(out));
        share(task, batch.numTokens, table.cols());
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, int rows, Tensor out) {
        norm.set(CpuTensor.of(x), CpuTensor.of(weight), eps, CpuTensor.of(out));
        share(norm, rows, x.cols());
    }

    @Override
    public void addRmsNorm(Tensor residual, Tensor delta, Tensor weight, float eps, int rows, Tensor out) {
        norm.set(CpuTensor.of(residual), CpuTensor.of(weight), eps, CpuTensor.of(out));
        norm.setDelta(CpuTensor.of(delta));
        share(norm, rows, residual.cols());
    }

    @Override
    public void linear(Weight w, Tensor x, int rows, Tensor out) {
        checkUploaded(linear).run(pool, CpuWeight.of(w), CpuTensor.of(x), rows, CpuTensor.of(out));
    }

    @Override
    public void transformAndWriteKv(Tensor qkv, QkvTransform transform, KvCache cache, int layer, ForwardBatch batch) {
        StepTasks.TransformAndWriteKv task = checkUploaded(transformAndWriteKv);
        CpuKvCache kv = CpuKvCache.of(cache);
        kv.prepare(batch);
        task.set(CpuTensor.of(qkv), transform, kv, layer, batch);
        share(task, batch.numTokens, qkv.cols());
    }

    @Override
    public void attention(Tensor qkv, KvCache cache, int layer, ForwardBatch batch, Tensor out) {
        attention(cache).run(pool, CpuTensor.of(qkv), layer, batch, CpuTensor.of(out));
    }

    private Attention attention(KvCache cache) {
        for (int i = 0; i < attentions.size(); i++) {
            Attention attention = attentions.get(i);
            if (attention.cache() == cache) {
                return attention;
            }
        }
        throw new EngineException(Category.INVARIANT, "a KV cache of another backend");
    }

    @Override
    public void siluMul(Tensor gateUp, int rows, Tensor out) {
        siluMul.set(CpuTensor.of(gateUp), CpuTensor.of(out));
        share(siluMul, rows, gateUp.cols());
    }

    @Override
    public void gatherRows(Tensor x, int[] index, int numRows, Tensor out) {
        int cols = x.cols();
        for (int row = 0; row < numRows; row++) {
            System.arraycopy(CpuTensor.of(x).values, index[row] * cols, CpuTensor.of(out).values, row * cols, cols);
        }
    }

    @Override
    public void sample(Tensor logits, SamplingBatch batch, ScoredTokens into) {
        StepTasks.Sample task = sample;
        if (task == null || task.maxVocabSize() < logits.cols()) {
            task = new StepTasks.Sample(pool.numThreads(), logits.cols());
            sample = task;
        }
        task.set(CpuTensor.of(logits), batch, into);
        share(task, batch.numEntries, logits.cols());
    }

    @Override
    public void score(Tensor logits, int rows, ScoredTokens tokens, int firstEntry) {
        score.set(CpuTensor.of(logits), tokens, firstEntry);
        share(score, rows, logits.cols());
    }

    @Override
    public void read(Tensor tensor, int firstRow, int rows, float[] into) {
        System.arraycopy(CpuTensor.of(tensor).values, firstRow * tensor.cols(), into, 0, rows * tensor.cols());
    }

    @Override
    public void synchronize() {
        // Every op is done when its method returns.
    }

    /** Ends the threads; the garbage collector takes the rest. */
    @Override
    public void close() {
        pool.close();
    }

    private void share(WorkerPool.Task task, int rows, int cols) {
        if ((long) rows * cols < MIN_SHARED_NUMBERS) {
            task.run(0, 0, rows);
        } else {
            pool.run(task, rows);
        }
    }

    private static <T> T checkUploaded(@Nullable T task) {
        if (task == null) {
            throw new EngineException(Category.INVARIANT, "an op on a weight or KV cache of another backend");
        }
        return task;
    }
}
