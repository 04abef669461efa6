package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.NormedPair;
import io.radixflow.backend.QkvTransform;
import io.radixflow.backend.Rope;
import io.radixflow.backend.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Decoders of the llama family [1]: RMS norms before attention and feed-forward part, rotary positions, grouped queries [2], SwiGLU; with
 * a bias on q, k and v (Qwen2) or norms of q and k heads (Qwen3) where the configuration says so.
 *
 * <p>Owned by the engine thread. Activations are allocated once, to the limits given at start; {@link #forward} allocates nothing. From the
 * last layer's attention on, only the tokens whose logits are wanted are computed.
 *
 * <p>[1] Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023. [2] Ainslie et al., "GQA", 2023.
 */
final class Decoder implements Model {

    private final ModelConfig config;
    private final DecoderWeights weights;
    private final Backend backend;
    private final List<QkvTransform> transforms; // [numLayers]
    private final List<NormedPair> intoFfn; // [numLayers] output of attention, gate and up
    private final List<NormedPair> intoLayer; // [numLayers - 1] down, and the next layer's q, k and v

    private final Tensor residual; // [maxTokens, hidden]
    private final Tensor normed; // [maxTokens, hidden]
    private final Tensor qkv; // [maxTokens, queryDim + 2 * kvDim]
    private final Tensor heads; // [maxTokens, queryDim] output of attention
    private final Tensor delta; // [maxTokens, hidden] what a half of a layer adds to the residual
    private final Tensor gateUp; // [maxTokens, 2 * ffn]
    private final Tensor activated; // [maxTokens, ffn]
    private final Tensor wantedResidual; // [maxTokens, hidden] rows whose logits are wanted
    private final Tensor wantedHeads; // [maxTokens, queryDim]
    private final int[] pieceRows; // [maxLogitRows]
    private final Tensor piece; // [maxLogitRows, hidden]
    private final Tensor logits; // [maxLogitRows, vocabSize]

    /** @param maxTokens most tokens of one step, at least {@code maxLogitRows} */
    Decoder(ModelConfig config, DecoderWeights weights, Rope rope, Backend backend, int maxTokens, int maxLogitRows) {
        if (maxLogitRows < 1 || maxTokens < maxLogitRows) {
            throw new IllegalArgumentException(
                    "a step of " + maxTokens + " tokens can't have " + maxLogitRows + " rows of logits");
        }
        this.config = config;
        this.weights = weights;
        transforms = transforms(config, weights, rope);
        intoFfn = intoFfn(config, weights);
        intoLayer = intoLayer(config, weights);
        this.backend = backend;
        residual = backend.allocate(maxTokens, config.hidden());
        normed = backend.allocate(maxTokens, config.hidden());
        qkv = backend.allocate(maxTokens, config.qkvDim());
        heads = backend.allocate(maxTokens, config.queryDim());
        delta = backend.allocate(maxTokens, config.hidden());
        gateUp = backend.allocate(maxTokens, 2 * config.ffn());
        activated = backend.allocate(maxTokens, config.ffn());
        wantedResidual = backend.allocate(maxTokens, config.hidden());
        wantedHeads = backend.allocate(maxTokens, config.queryDim());
        pieceRows = new int[maxLogitRows];
        piece = backend.allocate(maxLogitRows, config.hidden());
        logits = backend.allocateLogits(maxLogitRows, config.vocabSize());
    }

    private static List<QkvTransform> transforms(ModelConfig config, DecoderWeights weights, Rope rope) {
        List<QkvTransform> transforms = new ArrayList<>(config.numLayers());
        for (DecoderWeights.Layer layer : weights.layers()) {
            transforms.add(
                    new QkvTransform(layer.qkvBias(), layer.queryNorm(), layer.keyNorm(), config.rmsEps(), rope));
        }
        return transforms;
    }

    private static List<NormedPair> intoFfn(ModelConfig config, DecoderWeights weights) {
        List<NormedPair> pairs = new ArrayList<>(config.numLayers());
        for (DecoderWeights.Layer layer : weights.layers()) {
            pairs.add(new NormedPair(layer.attentionOutput(), layer.ffnNorm(), config.rmsEps(), layer.gateUp()));
        }
        return pairs;
    }

    private static List<NormedPair> intoLayer(ModelConfig config, DecoderWeights weights) {
        List<NormedPair> pairs = new ArrayList<>(config.numLayers());
        for (int index = 1; index < config.numLayers(); index++) {
            DecoderWeights.Layer next = weights.layers().get(index);
            pairs.add(new NormedPair(
                    weights.layers().get(index - 1).down(), next.attentionNorm(), config.rmsEps(), next.qkv()));
        }
        return pairs;
    }

    @Override
    public KvLayout kvLayout(int numSlots, KvLayout.ElementType type) {
        return new KvLayout(
                config.numLayers(), numSlots, config.numHeads(), config.numKvHeads(), config.headDim(), type);
    }

    @Override
    public int vocabSize() {
        return config.vocabSize();
    }

    @Override
    public int maxLogitRows() {
        return logits.rows();
    }

    @Override
    public void forward(ForwardBatch batch, KvCache cache) {
        int numTokens = batch.numTokens;
        int lastLayer = config.numLayers() - 1;
        float eps = config.rmsEps();
        backend.embed(weights.embedding(), batch, residual);
        backend.rmsNorm(residual, weights.layers().get(0).attentionNorm(), eps, numTokens, normed);
        backend.linear(weights.layers().get(0).qkv(), normed, numTokens, qkv);
        for (int index = 0; index < lastLayer; index++) {
            backend.transformAndWriteKv(qkv, transforms.get(index), cache, index, batch);
            backend.attention(qkv, cache, index, batch, heads);
            feedForward(index, heads, numTokens, residual);
            backend.linearPair(intoLayer.get(index), activated, numTokens, residual, delta, normed, qkv);
        }
        backend.transformAndWriteKv(qkv, transforms.get(lastLayer), cache, lastLayer, batch);
        if (batch.numLogits == 0) {
            return;
        }
        backend.attention(qkv, cache, lastLayer, batch, heads);
        backend.gatherRows(residual, batch.logitToken, batch.numLogits, wantedResidual);
        backend.gatherRows(heads, batch.logitToken, batch.numLogits, wantedHeads);
        feedForward(lastLayer, wantedHeads, batch.numLogits, wantedResidual);
        backend.linear(weights.layers().get(lastLayer).down(), activated, batch.numLogits, delta);
        backend.addRmsNorm(wantedResidual, delta, weights.outputNorm(), eps, batch.numLogits, normed);
    }

    /** Adds attention's output projection to {@code stream}, and activates its feed-forward part. */
    private void feedForward(int layer, Tensor attended, int rows, Tensor stream) {
        backend.gatedPair(intoFfn.get(layer), attended, rows, stream, delta, normed, gateUp, activated);
    }

    @Override
    public Tensor logits(int firstRow, int rows) {
        Tensor wanted = normed;
        if (firstRow > 0) {
            for (int i = 0; i < rows; i++) {
                pieceRows[i] = firstRow + i;
            }
            backend.gatherRows(normed, pieceRows, rows, piece);
            wanted = piece;
        }
        backend.linear(weights.output(), wanted, rows, logits);
        return logits;
    }
}
