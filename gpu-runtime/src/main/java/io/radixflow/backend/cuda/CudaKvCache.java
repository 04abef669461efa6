package io.radixflow.backend.cuda;

import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;

/**
 * K and V in one allocation: {@code [layers][k, v][numSlots + 1, kvHeads, headDim]} bf16. The slot behind the last is where rows that only
 * pad a batch write.
 */
record CudaKvCache(KvLayout layout, DevicePointer memory) implements KvCache {

    static CudaKvCache of(KvCache cache) {
        if (cache instanceof CudaKvCache cuda) {
            return cuda;
        }
        throw new IllegalArgumentException("a KV cache of another backend");
    }

    static long bytes(KvLayout layout) {
        return 2L * layout.numLayers() * planeBytes(layout);
    }

    private static long planeBytes(KvLayout layout) {
        return (layout.numSlots() + 1L)
                * layout.numKvHeads()
                * layout.headDim()
                * layout.type().bytes();
    }

    int paddingSlot() {
        return layout.numSlots();
    }

    long keyAddress(int layer) {
        return memory.address() + 2L * layer * planeBytes(layout);
    }

    long valueAddress(int layer) {
        return keyAddress(layer) + planeBytes(layout);
    }
}
