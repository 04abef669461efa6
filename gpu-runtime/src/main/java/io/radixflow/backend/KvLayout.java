package io.radixflow.backend;

/**
 * Shape of a KV cache: {@code [layers][slots, kvHeads, headDim]}, K and V apart.
 *
 * @param numLayers transformer layers
 * @param numSlots KV slots; slot indices are in {@code [0, numSlots)}
 * @param numHeads query heads, a multiple of {@code numKvHeads}
 * @param numKvHeads heads of K and V
 * @param headDim numbers in one head, even
 * @param type element type
 */
public record KvLayout(int numLayers, int numSlots, int numHeads, int numKvHeads, int headDim, ElementType type) {

    /** Element types of a KV cache. */
    public enum ElementType {
        FLOAT32(4),
        FLOAT16(2),
        BFLOAT16(2);

        private final int bytes;

        ElementType(int bytes) {
            this.bytes = bytes;
        }

        public int bytes() {
            return bytes;
        }
    }

    public KvLayout {
        if (numLayers < 1
                || numSlots < 1
                || numKvHeads < 1
                || numHeads % numKvHeads != 0
                || headDim < 2
                || headDim % 2 != 0) {
            throw new IllegalArgumentException("impossible KV layout: layers " + numLayers + ", slots " + numSlots
                    + ", heads " + numHeads + ", KV heads " + numKvHeads + ", head dim " + headDim);
        }
    }

    /** Bytes of one token's K and V over all layers. */
    public long bytesPerSlot() {
        return 2L * numLayers * numKvHeads * headDim * type.bytes();
    }
}
