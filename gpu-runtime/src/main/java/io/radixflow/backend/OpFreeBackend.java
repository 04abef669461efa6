package io.radixflow.backend;

import io.radixflow.weights.TensorData;
import java.util.List;

/** A backend whose models do their work as a whole, for schedulers and tests: it has no ops of layers, and refuses each. */
public abstract class OpFreeBackend implements Backend {

    @Override
    public Weight upload(List<TensorData> stackedRows) {
        throw noOps();
    }

    @Override
    public Tensor upload(float[] values, int rows, int cols) {
        throw noOps();
    }

    @Override
    public Tensor allocate(int rows, int cols) {
        throw noOps();
    }

    @Override
    public void embed(Weight table, ForwardBatch batch, Tensor out) {
        throw noOps();
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, int rows, Tensor out) {
        throw noOps();
    }

    @Override
    public void addRmsNorm(Tensor residual, Tensor delta, Tensor weight, float eps, int rows, Tensor out) {
        throw noOps();
    }

    @Override
    public void linear(Weight w, Tensor x, int rows, Tensor out) {
        throw noOps();
    }

    @Override
    public void transformAndWriteKv(Tensor qkv, QkvTransform transform, KvCache cache, int layer, ForwardBatch batch) {
        throw noOps();
    }

    @Override
    public void attention(Tensor qkv, KvCache cache, int layer, ForwardBatch batch, Tensor out) {
        throw noOps();
    }

    @Override
    public void siluMul(Tensor gateUp, int rows, Tensor out) {
        throw noOps();
    }

    @Override
    public void gatherRows(Tensor x, int[] index, int numRows, Tensor out) {
        throw noOps();
    }

    @Override
    public void read(Tensor tensor, int firstRow, int rows, float[] into) {
        throw noOps();
    }

    private UnsupportedOperationException noOps() {
        return new UnsupportedOperationException(description() + ": no arithmetic");
    }
}
