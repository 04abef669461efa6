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

    /** Most rows of one {@link #logits} call. */
    int maxLogitRows();

    /** Enqueues one step, up to what {@link #logits} needs. */
    void forward(ForwardBatch batch, KvCache cache);

    /**
     * Enqueues the logits of the last step's wanted tokens {@code [firstRow, firstRow + rows)}. A step may want more than fit into the
     * buffer at once; each piece is used before the next one is asked for.
     *
     * @return {@code [rows, vocabSize]}, a buffer of the model that the next call overwrites
     */
    Tensor logits(int firstRow, int rows);
}
