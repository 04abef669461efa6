package io.radixflow.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineStats;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@link PressureSoak}, shortened for CI; the simulated model's tokens depend on every slot that a sequence reads. */
class PressureSoakTest {

    @Test
    void accountsAreExactAndAnswersTheSameAfterManyRetractions() throws Exception {
        Path times = Path.of(System.getProperty("radixflow.models"))
                .resolveSibling("bench/time-models/h100-qwen3-0.6b.json");
        EngineStats stats = PressureSoak.run(
                8 * PressureSoak.WAVE_LEN,
                Map.of("device", "simulated", "simulated-clock", "virtual", "time-model", times.toString()));
        assertThat(stats.numRetractedReqs()).isGreaterThan(50);
        assertThat(stats.numAbortedRequestsTotal()).isGreaterThan(20);
        assertThat(stats.cacheHitRate()).isGreaterThan(0.3);
    }
}
