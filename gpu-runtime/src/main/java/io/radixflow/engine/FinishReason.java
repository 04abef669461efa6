package io.radixflow.engine;

/** Why a sequence ended. */
public enum FinishReason {
    /** An end-of-sequence token, a stop token id or a stop string. */
    STOP,
    /** {@code max_tokens} or the context length was reached. */
    LENGTH,
    /** Aborted by its client or because it alone outgrew the KV cache. */
    ABORT,
    /** Its deadline passed, waiting or running. */
    TIMEOUT,
    /** The request itself can't go on; {@link StepOutput#error} says why. Others are not affected. */
    ERROR,
    /** The request's grammar can't be compiled; {@link StepOutput#error} says why. Nothing was computed. */
    INVALID_GRAMMAR
}
