package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.Rope;
import io.radixflow.engine.EngineException;

/** Builds models from their files. */
public final class Models {

    /** Cosines and sines take 4 bytes for each of these: 1 GiB. */
    private static final long MAX_ROPE_ELEMENTS = 1L << 28;

    private Models() {}

    /** Loads for the context length that the model's files name. */
    public static Model load(ModelFiles files, Backend backend, int maxTokens, int maxLogitRows) {
        return load(files, backend, maxTokens, maxLogitRows, files.config().contextLen());
    }

    /**
     * Uploads a model's weights and allocates its activations on {@code backend}, which owns both.
     *
     * @param maxTokens most tokens of one step
     * @param maxLogitRows rows of logits that are computed at once, at least as many as sequences in a step; at most {@code maxTokens}
     * @param contextLen most tokens of one sequence; positions are in {@code [0, contextLen)}
     * @throws EngineException of category CONFIGURATION, one line naming the file and the key or tensor that is missing, odd or not
     *     supported
     */
    public static Model load(ModelFiles files, Backend backend, int maxTokens, int maxLogitRows, int contextLen) {
        ModelConfig config = files.config();
        checkContextLen(files, contextLen);
        if ((long) contextLen * config.headDim() > MAX_ROPE_ELEMENTS) {
            throw new EngineException(
                    EngineException.Category.CONFIGURATION,
                    files.path() + " wants a context of " + contextLen
                            + " tokens, too many for its position table; lower --context-length");
        }
        DecoderWeights weights;
        try (TensorSource tensors = files.tensors()) {
            weights = DecoderWeights.upload(config, new ModelTensors(config, tensors), backend);
        }
        Rope rope = RopeTables.upload(config.rope(), config.headDim(), contextLen, backend);
        return new Decoder(config, weights, rope, backend, maxTokens, maxLogitRows);
    }

    /** @throws EngineException of category CONFIGURATION if the model can't serve sequences of so many tokens */
    public static void checkContextLen(ModelFiles files, int contextLen) {
        ModelConfig config = files.config();
        if (contextLen >= 1 && contextLen <= config.maxContextLen()) {
            return;
        }
        throw new EngineException(
                EngineException.Category.CONFIGURATION,
                "--context-length " + contextLen + " is outside 1 to " + config.maxContextLen() + ", what "
                        + files.path()
                        + " allows (trained for " + config.trainedLen() + ", positions "
                        + config.rope().scaling().description()
                        + "); lower it, or extend the model with --json-model-override-args and a rope_scaling");
    }
}
