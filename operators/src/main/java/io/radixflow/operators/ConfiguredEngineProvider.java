package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineException;
import io.radixflow.engine.EngineOptions;
import io.radixflow.loop.EngineRegistry;
import io.radixflow.loop.Engines;
import io.radixflow.text.TextModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Leases engines by option texts, the same on every machine, from the registry of the task manager's JVM. */
public final class ConfiguredEngineProvider implements EngineProvider {

    private static final long serialVersionUID = 1L;

    private final HashMap<String, String> options;

    /**
     * @param options as of {@link EngineConfig#asMap()}
     * @throws EngineException of category CONFIGURATION if an option is wrong, here and not only on the task manager
     */
    public ConfiguredEngineProvider(Map<String, String> options) {
        EngineConfig config = EngineConfig.of(options);
        if (config.get(EngineOptions.SIMULATED_CLOCK).equals("virtual")) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    "--simulated-clock virtual is for bench: a job's deadlines and checkpoints pass in real time; leave it out");
        }
        this.options = new HashMap<>(config.asMap());
    }

    @Override
    public Engine startEngine(List<Integer> gpus) {
        return EngineRegistry.ofThisJvm().lease(EngineConfig.of(options), gpus);
    }

    @Override
    public TextModel loadText() {
        return Engines.loadText(EngineConfig.of(options));
    }
}
