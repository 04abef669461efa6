package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.Weight;
import io.radixflow.weights.TensorData;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights of a llama network on a backend.
 *
 * @param embedding {@code [vocabSize, hidden]}
 * @param layers in order
 * @param outputNorm {@code [1, hidden]}
 * @param output {@code [vocabSize, hidden]}; the embedding itself if tied
 */
record LlamaWeights(Weight embedding, List<Layer> layers, Tensor outputNorm, Weight output) {

    /**
     * One layer's weights.
     *
     * @param attentionNorm {@code [1, hidden]}
     * @param qkv {@code [queryDim + 2 * kvDim, hidden]}
     * @param attentionOutput {@code [hidden, queryDim]}
     * @param ffnNorm {@code [1, hidden]}
     * @param gateUp {@code [2 * ffn, hidden]}
     * @param down {@code [hidden, ffn]}
     */
    record Layer(
            Tensor attentionNorm, Weight qkv, Weight attentionOutput, Tensor ffnNorm, Weight gateUp, Weight down) {}

    LlamaWeights {
        layers = List.copyOf(layers);
    }

    /**
     * Uploads all tensors, by the names that GGUF gives them.
     *
     * @throws io.radixflow.engine.EngineException of category CONFIGURATION naming a tensor that is missing, odd or unexpected
     */
    static LlamaWeights upload(ModelConfig config, ModelTensors tensors, Backend backend) {
        int hidden = config.hidden();
        TensorData embedding = tensors.matrix(GgufConfig.EMBEDDING, config.vocabSize(), hidden);
        TensorData output =
                config.hasTiedEmbedding() ? embedding : tensors.matrix(GgufConfig.OUTPUT, config.vocabSize(), hidden);
        float[] outputNorm = tensors.vector("output_norm.weight", hidden);
        // not sized by the file's word for it: the first missing tensor ends the loop
        List<Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < config.numLayers(); layer++) {
            layers.add(layer(config, tensors, backend, "blk." + layer + "."));
        }
        tensors.requireAllTaken();
        Weight embeddingWeight = backend.upload(List.of(embedding));
        return new LlamaWeights(
                embeddingWeight,
                layers,
                backend.upload(outputNorm, 1, hidden),
                config.hasTiedEmbedding() ? embeddingWeight : backend.upload(List.of(output)));
    }

    private static Layer layer(ModelConfig config, ModelTensors tensors, Backend backend, String prefix) {
        int hidden = config.hidden();
        int ffn = config.ffn();
        return new Layer(
                backend.upload(tensors.vector(prefix + "attn_norm.weight", hidden), 1, hidden),
                backend.upload(List.of(
                        tensors.matrix(prefix + "attn_q.weight", config.queryDim(), hidden),
                        tensors.matrix(prefix + "attn_k.weight", config.kvDim(), hidden),
                        tensors.matrix(prefix + "attn_v.weight", config.kvDim(), hidden))),
                backend.upload(List.of(tensors.matrix(prefix + "attn_output.weight", hidden, config.queryDim()))),
                backend.upload(tensors.vector(prefix + "ffn_norm.weight", hidden), 1, hidden),
                backend.upload(List.of(
                        tensors.matrix(prefix + "ffn_gate.weight", ffn, hidden),
                        tensors.matrix(prefix + "ffn_up.weight", ffn, hidden))),
                backend.upload(List.of(tensors.matrix(prefix + "ffn_down.weight", hidden, ffn))));
    }
}
