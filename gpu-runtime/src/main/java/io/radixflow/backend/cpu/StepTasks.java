package io.radixflow.backend.cpu;

import static io.radixflow.backend.cpu.Lanes.LANES;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.Tensor;
import io.radixflow.sample.HostSampler;
import io.radixflow.sample.HostScorer;

/**
 * The ops of a step as loops over rows that a {@link WorkerPool} shares out. Each is one reused object: its fields are set, it runs, nothing
 * is allocated.
 */
final class StepTasks {

    private static final float[] NO_NUMBERS = {};
    private static final CpuTensor NOTHING = new CpuTensor(1, 1, new float[1]);
    private static final ForwardBatch NO_BATCH = new ForwardBatch(1, 1, new int[1], 1);
    private static final ScoredTokens NO_TOKENS = new ScoredTokens(0);

    private StepTasks() {}

    /** {@code out = x . w^T}, shared by strips of output features. */
    static final class Linear implements WorkerPool.Task {
        private final MatrixKernels kernels;
        private CpuWeight weight;
        private float[] x = NO_NUMBERS;
        private float[] out = NO_NUMBERS;
        private int rows;

        /** @param first any weight */
        Linear(MatrixKernels kernels, CpuWeight first) {
            this.kernels = kernels;
            weight = first;
        }

        void run(WorkerPool pool, CpuWeight w, CpuTensor input, int numRows, CpuTensor result) {
            weight = w;
            x = input.values;
            out = result.values;
            rows = numRows;
            pool.run(this, w.numStrips());
        }

        @Override
        public void run(int worker, int from, int to) {
            kernels.linear(weight, x, rows, out, from, to, worker);
        }
    }

    /** Root-mean-square norm, with or without a sum before it. */
    static final class Norm implements WorkerPool.Task {
        private final float[][] lanes;
        private CpuTensor x = NOTHING;
        private float[] delta = NO_NUMBERS;
        private boolean hasDelta;
        private float[] weight = NO_NUMBERS;
        private float eps;
        private float[] out = NO_NUMBERS;

        Norm(int numThreads) {
            lanes = new float[numThreads][LANES];
        }

        void set(CpuTensor input, CpuTensor normWeight, float epsilon, CpuTensor result) {
            x = input;
            weight = normWeight.values;
            eps = epsilon;
            out = result.values;
            hasDelta = false;
        }

        void setDelta(CpuTensor tensor) {
            delta = tensor.values;
            hasDelta = true;
        }

        @Override
        public void run(int worker, int from, int to) {
            int cols = x.cols;
            for (int row = from; row < to; row++) {
                int at = row * cols;
                if (hasDelta) {
                    RowKernels.add(x.values, at, delta, at, cols);
                }
                float factor = RowKernels.inverseRms(x.values, at, cols, eps, lanes[worker]);
                RowKernels.scale(x.values, at, cols, factor, weight, out, at);
            }
        }
    }

    /** {@code silu(gate) * up}. */
    static final class SiluMul implements WorkerPool.Task {
        private float[] gateUp = NO_NUMBERS;
        private CpuTensor out = NOTHING;

        void set(CpuTensor input, CpuTensor result) {
            gateUp = input.values;
            out = result;
        }

        @Override
        public void run(int worker, int from, int to) {
            for (int row = from; row < to; row++) {
                RowKernels.siluMul(gateUp, row * 2 * out.cols, out.cols, out.values, row * out.cols);
            }
        }
    }

    /** Bias, head norms and rotation of q and k, and the write of k and v into their slots. */
    static final class TransformAndWriteKv implements WorkerPool.Task {
        private final float[][] lanes;
        private CpuTensor qkv = NOTHING;
        private QkvTransform transform = QkvTransform.rotation(new Rope(NOTHING, NOTHING, Rope.Pairing.ADJACENT));
        private CpuKvCache cache;
        private int layer;
        private ForwardBatch batch = NO_BATCH;

        /** @param first any cache */
        TransformAndWriteKv(CpuKvCache first, int numThreads) {
            cache = first;
            lanes = new float[numThreads][LANES];
        }

        void set(CpuTensor rows, QkvTransform steps, CpuKvCache kvCache, int layerIndex, ForwardBatch step) {
            qkv = rows;
            transform = steps;
            cache = kvCache;
            layer = layerIndex;
            batch = step;
        }

        @Override
        public void run(int worker, int from, int to) {
            KvLayout layout = cache.layout();
            int headDim = layout.headDim();
            int queryDim = layout.numHeads() * headDim;
            int kvDim = layout.numKvHeads() * headDim;
            Tensor bias = transform.bias();
            Tensor queryNorm = transform.queryNorm();
            Tensor keyNorm = transform.keyNorm();
            for (int token = from; token < to; token++) {
                int at = token * qkv.cols;
                if (bias != null) {
                    RowKernels.add(qkv.values, at, CpuTensor.of(bias).values, 0, qkv.cols);
                }
                if (queryNorm != null && keyNorm != null) {
                    normalizeHeads(at, layout.numHeads(), headDim, CpuTensor.of(queryNorm).values, lanes[worker]);
                    normalizeHeads(
                            at + queryDim, layout.numKvHeads(), headDim, CpuTensor.of(keyNorm).values, lanes[worker]);
                }
                rotate(at, layout.numHeads() + layout.numKvHeads(), headDim, batch.position[token]);
                cache.write(layer, batch.kvSlot[token], qkv.values, at + queryDim, at + queryDim + kvDim);
            }
        }

        private void normalizeHeads(int at, int numHeads, int headDim, float[] weight, float[] scratch) {
            for (int head = 0; head < numHeads; head++) {
                int headAt = at + head * headDim;
                float factor = RowKernels.inverseRms(qkv.values, headAt, headDim, transform.eps(), scratch);
                RowKernels.scale(qkv.values, headAt, headDim, factor, weight, qkv.values, headAt);
            }
        }

        private void rotate(int at, int numHeads, int headDim, int position) {
            Rope rope = transform.rope();
            float[] cos = CpuTensor.of(rope.cos()).values;
            float[] sin = CpuTensor.of(rope.sin()).values;
            int half = headDim / 2;
            for (int head = 0; head < numHeads; head++) {
                RowKernels.rotate(qkv.values, at + head * headDim, rope.pairing(), cos, sin, position * half, half);
            }
        }
    }

    /** Rows of an embedding table. */
    static final class Embed implements WorkerPool.Task {
        private CpuWeight table;
        private int[] tokenIds = {};
        private float[] out = NO_NUMBERS;

        /** @param first any weight */
        Embed(CpuWeight first) {
            table = first;
        }

        void set(CpuWeight weight, int[] ids, CpuTensor result) {
            table = weight;
            tokenIds = ids;
            out = result.values;
        }

        @Override
        public void run(int worker, int from, int to) {
            for (int token = from; token < to; token++) {
                table.unpackRow(tokenIds[token], out, token * table.cols());
            }
        }
    }

    /** Draws of tokens, with their log-probabilities where they are wanted. */
    static final class Sample implements WorkerPool.Task {
        private final HostSampler[] samplers; // one for each thread
        private final HostScorer[] scorers;
        private final float[][] drawnFrom; // [threads][maxVocabSize] copy of a row that is scored after the draw
        private final int maxVocabSize;
        private CpuTensor logits = NOTHING;
        private SamplingBatch batch = new SamplingBatch(1);
        private ScoredTokens tokens = NO_TOKENS;

        Sample(int numThreads, int maxVocabSize) {
            this.maxVocabSize = maxVocabSize;
            samplers = new HostSampler[numThreads];
            scorers = new HostScorer[numThreads];
            drawnFrom = new float[numThreads][maxVocabSize];
            for (int i = 0; i < numThreads; i++) {
                samplers[i] = new HostSampler(maxVocabSize);
                scorers[i] = new HostScorer();
            }
        }

        int maxVocabSize() {
            return maxVocabSize;
        }

        void set(CpuTensor rows, SamplingBatch entries, ScoredTokens into) {
            logits = rows;
            batch = entries;
            tokens = into;
        }

        @Override
        public void run(int worker, int from, int to) {
            int vocabSize = logits.cols;
            for (int entry = from; entry < to; entry++) {
                int offset = entry * vocabSize;
                if (tokens.numAlternatives[entry] == ScoredTokens.NO_LOGPROBS) {
                    tokens.tokenId[entry] = samplers[worker].draw(logits.values, offset, vocabSize, batch, entry);
                    continue;
                }
                System.arraycopy(logits.values, offset, drawnFrom[worker], 0, vocabSize);
                int token = samplers[worker].draw(drawnFrom[worker], 0, vocabSize, batch, entry);
                tokens.tokenId[entry] = token;
                if (token != ScoredTokens.NO_TOKEN) {
                    scorers[worker].score(logits.values, offset, vocabSize, tokens, entry);
                }
            }
        }
    }

    /** Log-probabilities of given tokens. */
    static final class Score implements WorkerPool.Task {
        private final HostScorer[] scorers; // one for each thread
        private CpuTensor logits = NOTHING;
        private ScoredTokens tokens = NO_TOKENS;
        private int firstEntry;

        Score(int numThreads) {
            scorers = new HostScorer[numThreads];
            for (int i = 0; i < numThreads; i++) {
                scorers[i] = new HostScorer();
            }
        }

        void set(CpuTensor rows, ScoredTokens entries, int first) {
            logits = rows;
            tokens = entries;
            firstEntry = first;
        }

        @Override
        public void run(int worker, int from, int to) {
            for (int row = from; row < to; row++) {
                scorers[worker].score(logits.values, row * logits.cols, logits.cols, tokens, firstEntry + row);
            }
        }
    }
}
