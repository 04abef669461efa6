package io.radixflow.backend;

/**
 * Rotary position embedding: precomputed tables and how the two numbers of a rotated pair lie in a head.
 *
 * @param cos {@code [maxPositions, headDim / 2]}
 * @param sin alike
 * @param pairing how pairs are formed
 */
public record Rope(Tensor cos, Tensor sin, Pairing pairing) {

    /** Which two numbers of a head rotate together. */
    public enum Pairing {
        /** (2i, 2i + 1): llama's own order, and rows permuted for it as in GGUF files of the llama architecture. */
        ADJACENT,
        /** (i, i + headDim / 2): Hugging Face's order, Qwen. */
        HALVES
    }
}
