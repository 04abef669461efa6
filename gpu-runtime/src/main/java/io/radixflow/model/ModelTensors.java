package io.radixflow.model;

import io.radixflow.engine.EngineException;
import io.radixflow.weights.GgufFile;
import io.radixflow.weights.GgufTensorInfo;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import java.util.HashSet;
import java.util.Set;

/** Hands out a model's tensors by name, with the shape that its architecture expects, and knows which nobody asked for. */
final class ModelTensors {

    private final GgufFile file;
    private final Set<String> taken = new HashSet<>();

    ModelTensors(GgufFile file) {
        this.file = file;
    }

    /** @throws EngineException of category CONFIGURATION if it is missing, of another shape, or can't be read */
    TensorData matrix(String name, int rows, int cols) {
        TensorData tensor = file.tensor(name);
        if (tensor.rows() != rows || tensor.cols() != cols) {
            throw refusal("has tensor '" + name + "' of shape [" + tensor.rows() + ", " + tensor.cols()
                    + "], its metadata needs [" + rows + ", " + cols + "]");
        }
        taken.add(name);
        return tensor;
    }

    /** A vector as fp32. */
    float[] vector(String name, int length) {
        return TensorDecoder.decode(matrix(name, 1, length));
    }

    /** @throws EngineException if the file has a tensor that nobody took: the network would be another than the one built */
    void requireAllTaken() {
        for (GgufTensorInfo info : file.tensors()) {
            if (!taken.contains(info.name())) {
                throw refusal("has tensor '" + info.name() + "', which this architecture doesn't use here");
            }
        }
    }

    private EngineException refusal(String what) {
        return new EngineException(
                EngineException.Category.CONFIGURATION,
                file.path() + " " + what + "; take another file of the model or convert it again");
    }
}
