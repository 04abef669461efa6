package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class CostFitTest {

    @Test
    void findsTheCostsThatTheGainsWereMadeOf() {
        double[] costs = {1.5, 300, 0, 9000};
        CostFit fit = new CostFit(4);
        Random random = new Random(5);
        for (int i = 0; i < 12; i++) {
            double[] factors = {1000 * random.nextInt(1, 60), -random.nextInt(2, 64), -random.nextInt(1, 16), -1};
            double gain = 0;
            for (int u = 0; u < 4; u++) {
                gain += factors[u] * costs[u];
            }
            fit.add(factors, gain, 1 / (1000 + Math.abs(gain)));
        }
        double[] found = fit.solve();
        for (int u = 0; u < 4; u++) {
            assertThat(found[u]).isCloseTo(costs[u], within(1e-6 * (1 + costs[u])));
        }
    }

    @Test
    void noCostIsNegative() {
        CostFit fit = new CostFit(2);
        fit.add(new double[] {1, 1}, 1, 1);
        fit.add(new double[] {2, 1}, 3, 1);
        fit.add(new double[] {3, 1}, 5, 1);
        double[] found = fit.solve(); // 2 x - 1 without the bound
        assertThat(found[0]).isCloseTo(22.0 / 14, within(1e-9));
        assertThat(found[1]).isZero();
    }
}
