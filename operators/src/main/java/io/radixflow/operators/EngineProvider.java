package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.text.TextModel;
import java.io.Serializable;

/** How a subtask gets its engine and the model's text side. Shipped to the task managers; the caller closes what it gets. */
public interface EngineProvider extends Serializable {

    /**
     * Starts the engine of one subtask.
     *
     * @throws io.radixflow.engine.EngineException with one line that says what to do
     */
    Engine startEngine();

    /** Loads tokenizer and chat template, without weights. */
    TextModel loadText();
}
