package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.weights.TensorData;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Weights of a decoder on a backend.
 *
 * @param embedding {@code [vocabSize, hidden]}
 * @param layers in order
 * @param outputNorm {@code [1, hidden]}
 * @param output {@code [vocabSize, hidden]}; the embedding itself if tied
 */
record DecoderWeights(Weight embedding, List<Layer> layers, Tensor outputNorm, Weight output) {

    /**
     * One layer's weights.
     *
     * @param attentionNorm {@code [1, hidden]}
     * @param qkv {@code [queryDim + 2 * kvDim, hidden]}
     * @param qkvBias {@code [1, queryDim + 2 * kvDim]}, or null
     * @param queryNorm {@code [1, headDim]}, or null
     * @param keyNorm {@code [1, headDim]}, or null
     * @param attentionOutput {@code [hidden, queryDim]}
     * @param ffnNorm {@code [1, hidden]}
     * @param gateUp {@code [2 * ffn, hidden]}
     * @param down {@code [hidden, ffn]}
     */
    record Layer(
            Tensor attentionNorm,
            Weight qkv,
            @Nullable Tensor qkvBias,
            @Nullable Tensor queryNorm,
            @Nullable Tensor keyNorm,
            Weight attentionOutput,
            Tensor ffnNorm,
            Weight gateUp,
            Weight down) {}

    DecoderWeights {
        layers = List.copyOf(layers);
    }

    /**
     * Uploads all tensors.
     *
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION naming a tensor that is missing, odd or unexpected
     */
    static DecoderWeights upload(ModelConfig config, ModelTensors tensors, Backend backend) {
        TensorData embedding = tensors.matrix(TensorRole.EMBEDDING, 0);
        TensorData output = config.hasTiedEmbedding() ? embedding : tensors.matrix(TensorRole.OUTPUT, 0);
        float[] outputNorm = tensors.vector(TensorRole.OUTPUT_NORM, 0);
        // not sized by the file's word for it: the first missing tensor ends the loop
        List<Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < config.numLayers(); layer++) {
            layers.add(layer(config, tensors, backend, layer));
        }
        tensors.requireAllTaken();
        Weight embeddingWeight = backend.upload(List.of(embedding));
        return new DecoderWeights(
                embeddingWeight,
                layers,
                row(backend, outputNorm),
                config.hasTiedEmbedding() ? embeddingWeight : backend.upload(List.of(output)));
    }

    private static Layer layer(ModelConfig config, ModelTensors tensors, Backend backend, int layer) {
        return new Layer(
                row(backend, tensors.vector(TensorRole.ATTENTION_NORM, layer)),
                backend.upload(List.of(
                        tensors.matrix(TensorRole.Q, layer),
                        tensors.matrix(TensorRole.K, layer),
                        tensors.matrix(TensorRole.V, layer))),
                config.hasQkvBias() ? row(backend, qkvBias(config, tensors, layer)) : null,
                config.hasHeadNorms() ? row(backend, tensors.vector(TensorRole.Q_NORM, layer)) : null,
                config.hasHeadNorms() ? row(backend, tensors.vector(TensorRole.K_NORM, layer)) : null,
                backend.upload(List.of(tensors.matrix(TensorRole.ATTENTION_OUTPUT, layer))),
                row(backend, tensors.vector(TensorRole.FFN_NORM, layer)),
                backend.upload(List.of(tensors.matrix(TensorRole.GATE, layer), tensors.matrix(TensorRole.UP, layer))),
                backend.upload(List.of(tensors.matrix(TensorRole.DOWN, layer))));
    }

    private static float[] qkvBias(ModelConfig config, ModelTensors tensors, int layer) {
        float[] bias = new float[config.qkvDim()];
        int at = 0;
        for (TensorRole role : List.of(TensorRole.Q_BIAS, TensorRole.K_BIAS, TensorRole.V_BIAS)) {
            float[] part = tensors.vector(role, layer);
            System.arraycopy(part, 0, bias, at, part.length);
            at += part.length;
        }
        return bias;
    }

    private static Tensor row(Backend backend, float[] values) {
        return backend.upload(values, 1, values.length);
    }
}
