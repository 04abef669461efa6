package io.radixflow.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.weights.Float16;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.junit.jupiter.api.Test;

final class LanesTest {

    @Test
    void exponentiatesWithinTwoTenMillionths() {
        for (float x = -86; x <= 88; x += 0.0123f) {
            float expected = (float) Math.exp(x);
            float lane = Lanes.exp(Lanes.broadcast(x)).lane(Lanes.LANES - 1);
            assertThat(Math.abs(lane - Math.exp(x)) / expected)
                    .as("exp(" + x + ")")
                    .isLessThan(2e-7);
            assertThat(Lanes.exp(x)).isEqualTo(lane);
        }
        assertThat(Lanes.exp(0f)).isEqualTo(1f);
        assertThat(Lanes.exp(Float.NEGATIVE_INFINITY)).isLessThan(5e-38f);
        assertThat(Lanes.exp(Lanes.broadcast(Float.NaN)).lane(0)).isNaN();
    }

    @Test
    void readsEveryHalf() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float expected = Float16.toFloat((short) bits);
            if (Float.isNaN(expected)) {
                continue; // becomes an infinity
            }
            assertThat(Lanes.allLowHalves(IntVector.broadcast(Lanes.INTS, bits)).lane(0))
                    .isEqualTo(expected);
            assertThat(Lanes.allHighHalves(IntVector.broadcast(Lanes.INTS, bits << 16))
                            .lane(0))
                    .isEqualTo(expected);
        }
    }

    @Test
    void sumsLanesInOrder() {
        float[] values = new float[Lanes.LANES];
        FloatVector.broadcast(Lanes.FLOATS, 0.1f).intoArray(values, 0);
        float expected = values[0];
        for (int i = 1; i < values.length; i++) {
            expected += values[i];
        }
        assertThat(Lanes.sum(values, 0)).isEqualTo(expected);
    }
}
