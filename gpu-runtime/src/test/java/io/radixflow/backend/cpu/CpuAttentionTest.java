package io.radixflow.backend.cpu;

import io.radixflow.backend.Backend;
import io.radixflow.testkit.AttentionContractTest;

final class CpuAttentionTest extends AttentionContractTest {

    @Override
    protected Backend open(int numThreads) {
        return new CpuBackend(numThreads, 1L << 30);
    }
}
