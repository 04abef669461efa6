package io.radixflow.model;

import io.radixflow.engine.EngineException;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import java.util.HashSet;
import java.util.Set;

/** Hands out a model's tensors by role, with the shape that its configuration expects, and knows which nobody asked for. */
final class ModelTensors {

    private final ModelConfig config;
    private final TensorSource source;
    private final Set<String> taken = new HashSet<>();

    ModelTensors(ModelConfig config, TensorSource source) {
        this.config = config;
        this.source = source;
    }

    /** @throws EngineException of category CONFIGURATION if it is missing, of another shape, or can't be read */
    TensorData matrix(TensorRole role, int layer) {
        String name = role.name(source.naming(), layer);
        int rows = role.rows(config);
        int cols = role.cols(config);
        TensorData tensor = source.tensor(name, rows, cols);
        if (tensor.rows() != rows || tensor.cols() != cols) {
            throw refusal("has tensor '" + name + "' of shape [" + tensor.rows() + ", " + tensor.cols()
                    + "], its configuration needs [" + rows + ", " + cols + "]");
        }
        taken.add(name);
        return tensor;
    }

    /** A vector as fp32. */
    float[] vector(TensorRole role, int layer) {
        return TensorDecoder.decode(matrix(role, layer));
    }

    /** @throws EngineException if there is a tensor that nobody took: the network would be another than the one built */
    void requireAllTaken() {
        for (String name : source.names()) {
            if (!taken.contains(name)) {
                throw refusal("has tensor '" + name + "', which the architecture " + config.architecture()
                        + " doesn't use here");
            }
        }
    }

    private EngineException refusal(String what) {
        return new EngineException(
                EngineException.Category.CONFIGURATION,
                source.path() + " " + what + "; take another file of the model or convert it again");
    }
}
