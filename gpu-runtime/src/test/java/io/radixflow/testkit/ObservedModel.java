package io.radixflow.testkit;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Tensor;
import io.radixflow.model.Model;
import java.util.function.Consumer;

/** A model whose steps a test sees first: it may let them fail or wait. */
public final class ObservedModel implements Model {

    private final Model model;
    private final Consumer<ForwardBatch> beforeStep;

    public ObservedModel(Model model, Consumer<ForwardBatch> beforeStep) {
        this.model = model;
        this.beforeStep = beforeStep;
    }

    @Override
    public KvLayout kvLayout(int numSlots, KvLayout.ElementType type) {
        return model.kvLayout(numSlots, type);
    }

    @Override
    public int vocabSize() {
        return model.vocabSize();
    }

    @Override
    public int maxLogitRows() {
        return model.maxLogitRows();
    }

    @Override
    public void forward(ForwardBatch batch, KvCache cache) {
        beforeStep.accept(batch);
        model.forward(batch, cache);
    }

    @Override
    public Tensor logits(int firstRow, int rows) {
        return model.logits(firstRow, rows);
    }
}
