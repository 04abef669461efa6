package io.radixflow.backend;

import org.jspecify.annotations.Nullable;

/** Enqueues the ops of one step on a backend. */
@FunctionalInterface
public interface StepOps {

    /** The logits that tokens are drawn from, or null if the step draws none. */
    @Nullable
    Tensor enqueue();
}
