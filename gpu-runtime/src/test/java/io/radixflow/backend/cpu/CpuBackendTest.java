package io.radixflow.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.Backend;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.testkit.BackendContractTest;
import org.junit.jupiter.api.Test;

final class CpuBackendTest extends BackendContractTest {

    private static final long BUDGET = 1L << 30;

    @Override
    protected Backend open(int numThreads) {
        return new CpuBackend(numThreads, BUDGET);
    }

    @Override
    protected int[] outputFeatures() {
        return new int[] {1, Lanes.STRIP - 1, Lanes.STRIP, Lanes.STRIP + 1, 5 * Lanes.STRIP + 3};
    }

    @Test
    void countsWhatItAllocates() {
        try (CpuBackend backend = new CpuBackend(1, 10_000_000)) {
            assertThat(backend.availableBytes()).isEqualTo(10_000_000);
            backend.allocate(1000, 1000);
            assertThat(backend.availableBytes()).isEqualTo(6_000_000);
            backend.allocateKvCache(new KvLayout(2, 100, 2, 2, 64, ElementType.FLOAT16));
            assertThat(backend.availableBytes()).isEqualTo(6_000_000 - 2 * 100 * 2 * 2 * 64 * 2);
        }
    }

    @Test
    void saysWhatItRunsOn() {
        try (CpuBackend backend = new CpuBackend(2, BUDGET)) {
            assertThat(backend.description())
                    .contains("Vector API", Lanes.FLOATS.vectorBitSize() + "-bit", "2 threads");
        }
    }
}
