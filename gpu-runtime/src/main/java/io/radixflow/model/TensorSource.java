package io.radixflow.model;

import io.radixflow.weights.TensorData;
import java.nio.file.Path;
import java.util.Collection;

/** Where a model's tensors come from: files, or random numbers. Closing leaves tensors handed out valid. */
interface TensorSource extends AutoCloseable {

    /** For messages. */
    Path path();

    TensorRole.Naming naming();

    /** Names of the tensors that a network has to use. */
    Collection<String> names();

    /**
     * One tensor; a vector is one row. The shape is a wish: files give what they have.
     *
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION if it is missing or can't be read
     */
    TensorData tensor(String name, int rows, int cols);

    @Override
    void close();
}
