package io.radixflow.loop;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.engine.EngineOptions;
import io.radixflow.model.LoadFormat;
import io.radixflow.model.ModelFiles;
import io.radixflow.text.TextModel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.LongSupplier;

/** The way into the engine: starts one from a configuration, or loads a model's text side alone. */
public final class Engines {

    private Engines() {}

    /**
     * Loads the model, plans memory, starts the engine thread. Logs the facts of the start, one line each.
     *
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION with one line that says what to do
     */
    public static Engine start(EngineConfig config) {
        if (SimulatedLoader.isAskedFor(config)) {
            return SimulatedLoader.start(config);
        }
        try (ModelFiles files = open(config)) {
            EngineParts parts = new PartsLoader(config, files).load();
            return start(parts, System::nanoTime, files.name(), config.get(EngineOptions.WATCHDOG_TIMEOUT));
        }
    }

    /**
     * Starts an engine from parts made elsewhere, which it owns from now on.
     *
     * @param nanoClock as {@link System#nanoTime()}; for deadlines, queue times and rates
     */
    public static Engine start(EngineParts parts, LongSupplier nanoClock, String name) {
        return start(parts, nanoClock, name, Double.parseDouble(EngineOptions.WATCHDOG_TIMEOUT.defaultValue()));
    }

    /** Likewise, with another patience for hung steps. */
    public static Engine start(EngineParts parts, LongSupplier nanoClock, String name, double watchdogSeconds) {
        RunningEngine engine = new RunningEngine(parts, nanoClock, name, watchdogSeconds);
        try {
            engine.start();
        } catch (RuntimeException | Error e) {
            parts.close();
            throw e;
        }
        return engine;
    }

    /** Loads tokenizer and chat template only: what the tokenising operator needs. Needs {@code --model-path} on every device. */
    public static TextModel loadText(EngineConfig config) {
        try (ModelFiles files = open(config)) {
            return TextLoader.load(config, files);
        }
    }

    static ModelFiles open(EngineConfig config) {
        return ModelFiles.open(
                Path.of(config.get(EngineOptions.MODEL_PATH)),
                LoadFormat.valueOf(config.get(EngineOptions.LOAD_FORMAT).toUpperCase(Locale.ROOT)),
                config.find(EngineOptions.JSON_MODEL_OVERRIDE_ARGS).orElse(null));
    }
}
