package io.radixflow.operators;

import io.radixflow.engine.Engine;
import io.radixflow.text.TextModel;
import java.io.Serializable;
import java.util.List;

/** How a subtask gets its engine and the model's text side. Shipped to the task managers; the caller closes what it gets. */
public interface EngineProvider extends Serializable {

    /**
     * Starts the engine of one subtask, or takes up one that an earlier job left.
     *
     * @param gpus indexes of the GPUs that the task manager has for its subtasks, of which one is claimed; empty if Flink knows of none
     * @throws io.radixflow.engine.EngineException with one line that says what to do
     */
    Engine startEngine(List<Integer> gpus);

    /** Loads tokenizer and chat template, without weights. */
    TextModel loadText();
}
