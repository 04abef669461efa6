package io.radixflow.loop;

import io.radixflow.engine.Engine;
import io.radixflow.engine.EngineConfig;
import io.radixflow.text.TextModel;

/** The way into the engine: starts one from a configuration, or loads a model's text side alone. */
public final class Engines {

    private Engines() {}

    /**
     * Loads the model, plans memory, starts the engine thread. Logs the facts of the start, one line each.
     *
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION with one line that says what to do
     */
    public static Engine start(EngineConfig config) {
        throw new UnsupportedOperationException(config.toString());
    }

    /** Loads tokenizer and chat template only: what the tokenising operator needs. */
    public static TextModel loadText(EngineConfig config) {
        throw new UnsupportedOperationException(config.toString());
    }
}
