package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class RopeTablesTest {

    @Test
    void frequenciesFallGeometricallyFromOne() {
        float[] frequencies = RopeTables.frequencies(10_000f, 8);
        assertThat(frequencies).containsExactly(new float[] {1f, 0.1f, 0.01f, 0.001f}, within());
    }

    private static Offset<Float> within() {
        return Offset.offset(1e-8f);
    }
}
