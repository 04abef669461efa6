package io.radixflow.model;

import io.radixflow.weights.TensorType;
import java.nio.file.Path;
import java.util.List;

/** A model as one format lays it on disk, opened. Thread-safe; every method throws as {@link ModelFiles} says. */
interface ModelSource extends AutoCloseable {

    /** The file or folder that messages name. */
    Path path();

    ModelConfig config();

    TextFiles text();

    /** The weights; whoever asks closes them. */
    TensorSource tensors();

    /** What the files say about each tensor; empty if they have none. */
    List<StoredTensor> storedTensors();

    /** The type that random weights get. */
    TensorType floatType();

    @Override
    void close();
}
