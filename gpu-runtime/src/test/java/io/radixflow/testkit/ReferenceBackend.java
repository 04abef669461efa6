package io.radixflow.testkit;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.sample.HostSampler;
import io.radixflow.weights.TensorData;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The oracle that backends are tested against: plain loops in fp64, one obvious statement per formula, no reuse between ops.
 *
 * <p>Activations are doubles and are rounded to float only by {@link #read}. K and V are rounded to the cache's element type when they
 * are written, as any backend must. Prefix groups are ignored, since they may not change results.
 *
 * <p>One thread. Allocates freely; for small models.
 */
public final class ReferenceBackend implements Backend {

    @Override
    public String description() {
        return "reference: plain loops in fp64, one thread, for tests";
    }

    @Override
    public long availableBytes() {
        return Runtime.getRuntime().maxMemory() / 4;
    }

    @Override
    public Weight upload(List<TensorData> stackedRows) {
        return new ReferenceWeights(stackedRows);
    }

    @Override
    public Tensor upload(float[] values, int rows, int cols) {
        DoubleTensor tensor = new DoubleTensor(rows, cols);
        if (values.length != tensor.values.length) {
            throw new IllegalArgumentException(values.length + " values for [" + rows + ", " + cols + "]");
        }
        for (int i = 0; i < values.length; i++) {
            tensor.values[i] = values[i];
        }
        return tensor;
    }

    @Override
    public Tensor allocate(int rows, int cols) {
        return new DoubleTensor(rows, cols);
    }

    @Override
    public KvCache allocateKvCache(KvLayout layout) {
        return new DoubleKvCache(layout);
    }

    @Override
    public void embed(Weight table, ForwardBatch batch, Tensor out) {
        double[] row = new double[table.cols()];
        for (int t = 0; t < batch.numTokens; t++) {
            ((ReferenceWeights) table).row(batch.tokenId[t], row);
            System.arraycopy(row, 0, values(out), t * table.cols(), table.cols());
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, int rows, Tensor out) {
        int cols = x.cols();
        for (int r = 0; r < rows; r++) {
            double sumOfSquares = 0;
            for (int c = 0; c < cols; c++) {
                double v = values(x)[r * cols + c];
                sumOfSquares += v * v;
            }
            double rms = Math.sqrt(sumOfSquares / cols + eps);
            for (int c = 0; c < cols; c++) {
                values(out)[r * cols + c] = values(x)[r * cols + c] / rms * values(weight)[c];
            }
        }
    }

    @Override
    public void addRmsNorm(Tensor residual, Tensor delta, Tensor weight, float eps, int rows, Tensor out) {
        for (int i = 0; i < rows * residual.cols(); i++) {
            values(residual)[i] += values(delta)[i];
        }
        rmsNorm(residual, weight, eps, rows, out);
    }

    @Override
    public void linear(Weight w, Tensor x, int rows, Tensor out) {
        double[] weightRow = new double[w.cols()];
        for (int n = 0; n < w.rows(); n++) {
            ((ReferenceWeights) w).row(n, weightRow);
            for (int r = 0; r < rows; r++) {
                double sum = 0;
                for (int c = 0; c < w.cols(); c++) {
                    sum += values(x)[r * w.cols() + c] * weightRow[c];
                }
                values(out)[r * w.rows() + n] = sum;
            }
        }
    }

    @Override
    public void transformAndWriteKv(Tensor qkv, QkvTransform transform, KvCache cache, int layer, ForwardBatch batch) {
        DoubleKvCache kv = (DoubleKvCache) cache;
        KvLayout shape = kv.layout;
        int headDim = shape.headDim();
        int kvCols = shape.numKvHeads() * headDim;
        for (int t = 0; t < batch.numTokens; t++) {
            int qkvRow = t * qkv.cols();
            Tensor bias = transform.bias();
            for (int c = 0; bias != null && c < qkv.cols(); c++) {
                values(qkv)[qkvRow + c] += values(bias)[c];
            }
            for (int head = 0; head < shape.numHeads() + shape.numKvHeads(); head++) {
                int from = qkvRow + head * headDim;
                Tensor norm = head < shape.numHeads() ? transform.queryNorm() : transform.keyNorm();
                if (norm != null) {
                    normalizeHead(values(qkv), from, values(norm), transform.eps());
                }
                rotate(values(qkv), from, headDim, transform.rope(), batch.position[t]);
            }
            int kFrom = qkvRow + shape.numHeads() * headDim;
            for (int c = 0; c < kvCols; c++) {
                int at = batch.kvSlot[t] * kvCols + c;
                kv.k[layer][at] = kv.rounded(values(qkv)[kFrom + c]);
                kv.v[layer][at] = kv.rounded(values(qkv)[kFrom + kvCols + c]);
            }
        }
    }

    private static void normalizeHead(double[] x, int from, double[] weight, double eps) {
        double sumOfSquares = 0;
        for (int d = 0; d < weight.length; d++) {
            sumOfSquares += x[from + d] * x[from + d];
        }
        double rms = Math.sqrt(sumOfSquares / weight.length + eps);
        for (int d = 0; d < weight.length; d++) {
            x[from + d] *= weight[d] / rms;
        }
    }

    private static void rotate(double[] x, int from, int headDim, Rope rope, int position) {
        int half = headDim / 2;
        for (int i = 0; i < half; i++) {
            double cos = values(rope.cos())[position * half + i];
            double sin = values(rope.sin())[position * half + i];
            int first = rope.pairing() == Rope.Pairing.ADJACENT ? from + 2 * i : from + i;
            int second = rope.pairing() == Rope.Pairing.ADJACENT ? first + 1 : first + half;
            double a = x[first];
            double b = x[second];
            x[first] = a * cos - b * sin;
            x[second] = b * cos + a * sin;
        }
    }

    @Override
    public void attention(Tensor qkv, KvCache cache, int layer, ForwardBatch batch, Tensor out) {
        DoubleKvCache kv = (DoubleKvCache) cache;
        int headsPerKvHead = kv.layout.numHeads() / kv.layout.numKvHeads();
        int headDim = kv.layout.headDim();
        for (int s = 0; s < batch.numSequences; s++) {
            int slotsFrom = batch.row[s] * batch.slotTableStride;
            for (int t = batch.firstToken[s]; t < batch.firstToken[s] + batch.extendLen[s]; t++) {
                for (int head = 0; head < kv.layout.numHeads(); head++) {
                    attend(
                            kv,
                            layer,
                            head / headsPerKvHead,
                            batch.slotTable,
                            slotsFrom,
                            batch.position[t] + 1,
                            values(qkv),
                            t * qkv.cols() + head * headDim,
                            values(out),
                            t * out.cols() + head * headDim);
                }
            }
        }
    }

    /** One query over the first {@code len} slots: {@code out = softmax(q . k / sqrt(headDim)) . v}. */
    @SuppressWarnings("checkstyle:ParameterNumber") // loop state of the caller; a record would only rename it
    private static void attend(
            DoubleKvCache kv,
            int layer,
            int kvHead,
            int[] slots,
            int slotsFrom,
            int len,
            double[] q,
            int qFrom,
            double[] out,
            int outFrom) {
        int headDim = kv.layout.headDim();
        int stride = kv.layout.numKvHeads() * headDim;
        double[] score = new double[len];
        double max = Double.NEGATIVE_INFINITY;
        for (int p = 0; p < len; p++) {
            int kFrom = slots[slotsFrom + p] * stride + kvHead * headDim;
            for (int d = 0; d < headDim; d++) {
                score[p] += q[qFrom + d] * kv.k[layer][kFrom + d];
            }
            score[p] /= Math.sqrt(headDim);
            max = Math.max(max, score[p]);
        }
        double sum = 0;
        double[] mixed = new double[headDim];
        for (int p = 0; p < len; p++) {
            double weight = Math.exp(score[p] - max);
            sum += weight;
            int vFrom = slots[slotsFrom + p] * stride + kvHead * headDim;
            for (int d = 0; d < headDim; d++) {
                mixed[d] += weight * kv.v[layer][vFrom + d];
            }
        }
        for (int d = 0; d < headDim; d++) {
            out[outFrom + d] = mixed[d] / sum;
        }
    }

    @Override
    public void siluMul(Tensor gateUp, int rows, Tensor out) {
        int ffn = out.cols();
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < ffn; c++) {
                double gate = values(gateUp)[r * 2 * ffn + c];
                double up = values(gateUp)[r * 2 * ffn + ffn + c];
                values(out)[r * ffn + c] = gate / (1 + Math.exp(-gate)) * up;
            }
        }
    }

    @Override
    public void gatherRows(Tensor x, int[] index, int numRows, Tensor out) {
        for (int r = 0; r < numRows; r++) {
            System.arraycopy(values(x), index[r] * x.cols(), values(out), r * x.cols(), x.cols());
        }
    }

    /** The host sampler's draw from the logits as floats; what it should draw is tested where it lives. */
    @Override
    public void sample(Tensor logits, SamplingBatch batch, ScoredTokens into) {
        HostSampler sampler = new HostSampler(logits.cols());
        float[] row = new float[logits.cols()];
        for (int i = 0; i < batch.numEntries; i++) {
            read(logits, i, 1, row);
            into.tokenId[i] = sampler.draw(row, 0, row.length, batch, i);
        }
        score(logits, batch.numEntries, into, 0);
    }

    @Override
    public void score(Tensor logits, int rows, ScoredTokens tokens, int firstEntry) {
        for (int row = 0; row < rows; row++) {
            int entry = firstEntry + row;
            if (tokens.numAlternatives[entry] != ScoredTokens.NO_LOGPROBS
                    && tokens.tokenId[entry] != ScoredTokens.NO_TOKEN) {
                score(values(logits), row * logits.cols(), logits.cols(), tokens, entry);
            }
        }
    }

    private static void score(double[] logits, int offset, int vocabSize, ScoredTokens tokens, int entry) {
        double sum = 0;
        for (int id = 0; id < vocabSize; id++) {
            sum += Math.exp(logits[offset + id]);
        }
        Integer[] order = new Integer[vocabSize];
        Arrays.setAll(order, id -> id);
        Arrays.sort(
                order,
                Comparator.comparingDouble((Integer id) -> -logits[offset + id]).thenComparing(id -> id));
        tokens.logprob[entry] = (float) (logits[offset + tokens.tokenId[entry]] - Math.log(sum));
        for (int rank = 0; rank < tokens.numAlternatives[entry]; rank++) {
            int at = entry * ScoredTokens.MAX_ALTERNATIVES + rank;
            tokens.alternativeId[at] = order[rank];
            tokens.alternativeLogprob[at] = (float) (logits[offset + order[rank]] - Math.log(sum));
        }
    }

    @Override
    public void read(Tensor tensor, int firstRow, int rows, float[] into) {
        for (int i = 0; i < rows * tensor.cols(); i++) {
            into[i] = (float) values(tensor)[firstRow * tensor.cols() + i];
        }
    }

    /** The unrounded numbers of a tensor of a reference backend, row-major, live: writing them writes the tensor. */
    public static double[] values(Tensor tensor) {
        return ((DoubleTensor) tensor).values;
    }

    @Override
    public void synchronize() {
        // Every op is done when its method returns.
    }

    @Override
    public void close() {
        // The garbage collector owns everything.
    }

    private static final class DoubleTensor implements Tensor {
        private final int rows;
        private final int cols;
        private final double[] values;

        DoubleTensor(int rows, int cols) {
            this.rows = rows;
            this.cols = cols;
            values = new double[Math.multiplyExact(rows, cols)];
        }

        @Override
        public int rows() {
            return rows;
        }

        @Override
        public int cols() {
            return cols;
        }
    }

    private static final class DoubleKvCache implements KvCache {
        private final KvLayout layout;
        private final double[][] k;
        private final double[][] v;

        DoubleKvCache(KvLayout layout) {
            this.layout = layout;
            int numbers =
                    Math.multiplyExact(layout.numSlots(), Math.multiplyExact(layout.numKvHeads(), layout.headDim()));
            k = new double[layout.numLayers()][numbers];
            v = new double[layout.numLayers()][numbers];
        }

        @Override
        public KvLayout layout() {
            return layout;
        }

        double rounded(double value) {
            return switch (layout.type()) {
                case FLOAT16 -> ReferenceWeights.roundToHalf(value);
                case FLOAT32 -> (float) value;
                case BFLOAT16 -> roundToBfloat16((float) value);
            };
        }

        /** To the nearest, of two equally near ones the even one. */
        private static double roundToBfloat16(float value) {
            int bits = Float.floatToRawIntBits(value);
            return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
        }
    }
}
