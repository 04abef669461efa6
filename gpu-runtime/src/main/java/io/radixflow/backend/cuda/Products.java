package io.radixflow.backend.cuda;

import io.radixflow.backend.NormedPair;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which kernel makes a product: on Hopper {@link FewRows}, {@link StreamedGemm} for more rows, cuBLASLt for the rest; deterministic inference takes
 * {@link InvariantGemms} alone. One thread.
 */
final class Products implements AutoCloseable {

    private final Gemms gemms;
    private final @Nullable InvariantGemms invariant;
    private final @Nullable FewRows fewRows;
    private final @Nullable StreamedGemm streamed;

    /** @param gemms closed with this */
    Products(CudaDevice device, Kernels kernels, Gemms gemms, boolean isDeterministic) {
        this.gemms = gemms;
        invariant = isDeterministic ? new InvariantGemms(device, kernels, gemms) : null;
        boolean isOwn = kernels.isHopper() && !isDeterministic;
        fewRows = isOwn ? new FewRows(device, kernels) : null;
        streamed = isOwn ? new StreamedGemm(device, kernels) : null;
    }

    /** Before the first product, of these weights; {@code vocabSize} columns of the last one. */
    void choose(List<CudaWeight> weights, int vocabSize) {
        if (invariant != null) {
            invariant.choose(weights, vocabSize);
        }
    }

    /** Rows that a tensor needs for products of {@code rows}. */
    int capacity(int rows) {
        return invariant == null ? rows : InvariantGemms.capacity(rows);
    }

    void multiply(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        if (invariant != null) {
            invariant.multiply(w, x, rows, y);
        } else if (fewRows != null && FewRows.takes(w, rows)) {
            fewRows.multiply(w, x, rows, y);
        } else if (streamed != null && streamed.takes(w, rows, y)) {
            streamed.multiply(w, x, rows, y);
        } else {
            gemms.multiply(w, x, rows, y);
        }
    }

    /** Whether both products of a pair are made by {@link #multiplyPair}, the norm between them on the way. */
    boolean takesPair(NormedPair pair, int rows) {
        return fewRows != null
                && FewRows.takes(CudaWeight.of(pair.first()), rows)
                && FewRows.takesNormed(CudaWeight.of(pair.second()), rows);
    }

    void multiplyPair(NormedPair pair, CudaTensor x, int rows, CudaTensor residual, CudaTensor y) {
        if (fewRows == null) {
            throw new IllegalStateException("pairs are not taken");
        }
        fewRows.multiplyAndAdd(CudaWeight.of(pair.first()), x, rows, residual);
        fewRows.normAndMultiply(
                CudaWeight.of(pair.second()), residual, CudaTensor.of(pair.norm()), pair.eps(), rows, y);
    }

    /** Whether gates are applied where they are made, by {@link #multiplyGated}. */
    boolean takesGated(CudaWeight w, int rows) {
        return streamed != null && streamed.takesGated(w, rows);
    }

    void multiplyGated(CudaWeight w, CudaTensor x, int rows, CudaTensor y) {
        if (streamed == null) {
            throw new IllegalStateException("gates are not taken");
        }
        streamed.multiplyGated(w, x, rows, y);
    }

    @Override
    public void close() {
        if (invariant != null) {
            invariant.close();
        }
        gemms.close();
    }
}
