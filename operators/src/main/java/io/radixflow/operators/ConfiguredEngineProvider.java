package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.loop.Engines;
import io.radixflow.text.TextModel;
import java.util.HashMap;
import java.util.Map;

/** Starts engines from option texts; the same texts on every machine. */
public final class ConfiguredEngineProvider implements EngineProvider {

    private static final long serialVersionUID = 1L;

    private final HashMap<String, String> options;

    /**
     * @param options as of {@link EngineConfig#asMap()}
     * @throws io.radixflow.engine.EngineException if an option is wrong, here and not only on the task manager
     */
    public ConfiguredEngineProvider(Map<String, String> options) {
        this.options = new HashMap<>(EngineConfig.of(options).asMap());
    }

    @Override
    public Engine startEngine() {
        return Engines.start(EngineConfig.of(options));
    }

    @Override
    public TextModel loadText() {
        return Engines.loadText(EngineConfig.of(options));
    }
}
