package io.radixflow.operators;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfiguredEngineProviderTest {

    private static final String TIME_MODEL = Path.of(System.getProperty("radixflow.models"))
            .resolveSibling("bench/time-models/h100-qwen3-0.6b.json")
            .toString();

    @Test
    void refusesAVirtualClockInAJob() {
        Map<String, String> options =
                Map.of("device", "simulated", "time-model", TIME_MODEL, "simulated-clock", "virtual");
        assertThatThrownBy(() -> new ConfiguredEngineProvider(options))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("--simulated-clock virtual is for bench");
    }

    @Test
    void leasesAnEngineThatEndsWithTheLease() {
        ConfiguredEngineProvider provider =
                new ConfiguredEngineProvider(Map.of("device", "simulated", "time-model", TIME_MODEL));
        Engine engine = provider.startEngine(List.of());
        assertThat(engine.isRunning()).isTrue();
        engine.close();
        assertThat(engine.isRunning()).isFalse();
    }
}
