package io.radixflow.model;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Tensor;

/** A network whose weights lie on a backend: enqueues the ops of one forward step. Holds activations, no state of a request. */
public interface Model {

    /** Shape of the KV cache that this model needs, for a pool of {@code numSlots} slots. */
    KvLayout kvLayout(int numSlots, KvLayout.ElementType type);

    int vocabSize();

    /**
     * Enqueues one step.
     *
     * @return logits {@code [batch.numLogits, vocabSize]}, a buffer of the model that the next call overwrites
     */
    Tensor forward(ForwardBatch batch, KvCache cache);
}
