package io.radixflow.model;

import io.radixflow.backend.Rope;
import io.radixflow.engine.EngineException;
import io.radixflow.weights.GgufFile;
import io.radixflow.weights.GgufMetadata;
import io.radixflow.weights.TensorData;
import io.radixflow.weights.TensorDecoder;
import org.jspecify.annotations.Nullable;

/** Reads rope settings from a GGUF file's metadata, or from the user's overrides where those speak of them. */
final class GgufRope {

    /** Divisors of the frequencies: how converters write llama3's scaling. */
    static final String DIVISORS = "rope_freqs.weight";

    private static final float DEFAULT_BASE = 10_000f;

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final ConfigJson overrides;

    GgufRope(GgufFile file, ConfigJson overrides) {
        this.file = file;
        this.metadata = file.metadata();
        this.overrides = overrides;
    }

    /**
     * @throws EngineException of category CONFIGURATION that names the key
     * @throws IllegalArgumentException naming what is impossible
     */
    RopeConfig read(String architecture, Rope.Pairing pairing, int headDim, int trainedLen) {
        String prefix = architecture + ".rope.";
        float base = (float) metadata.number(prefix + "freq_base", DEFAULT_BASE);
        boolean isOverridden = overrides.mentions(RopeJson.SCALING) || overrides.mentions(RopeJson.PARAMETERS);
        RopeScaling scaling =
                isOverridden ? RopeJson.scaling(overrides, trainedLen) : scaling(prefix, headDim, trainedLen);
        return new RopeConfig(RopeJson.base(overrides, base), pairing, scaling);
    }

    private RopeScaling scaling(String prefix, int headDim, int trainedLen) {
        float[] divisors = divisors(headDim);
        String typeKey = prefix + "scaling.type";
        String type = metadata.findString(typeKey);
        double factor = metadata.number(prefix + "scaling.factor", metadata.number(prefix + "scale_linear", 0));
        if (type == null) {
            type = factor == 0 || factor == 1 ? "none" : "linear";
        }
        if (divisors != null && !type.equals("none")) {
            throw refusal("has both " + typeKey + " '" + type + "' and tensor '" + DIVISORS + "'");
        }
        return switch (type) {
            case "none" -> divisors == null ? new RopeScaling.Default() : new RopeScaling.Divided(divisors);
            case "linear" ->
                new RopeScaling.Linear(factor, metadata.integer(prefix + "scaling.original_context_length", 0));
            case "yarn" -> yarn(prefix + "scaling.", factor, trainedLen);
            default -> throw refusal("has " + typeKey + " '" + type + "', which isn't supported");
        };
    }

    private RopeScaling yarn(String prefix, double factor, int trainedLen) {
        // what these two do to other architectures isn't transformers' yarn
        double extrapolation = metadata.number(prefix + "yarn_ext_factor", 1);
        if (metadata.number(prefix + "yarn_log_multiplier", 0) != 0 || !(extrapolation == 1 || extrapolation < 0)) {
            throw refusal("has " + prefix + "yarn_log_multiplier or yarn_ext_factor, which isn't supported");
        }
        double attention = metadata.number(prefix + "yarn_attn_factor", metadata.number(prefix + "attn_factor", 1));
        return new RopeScaling.Yarn(
                factor,
                metadata.integer(prefix + "original_context_length", trainedLen),
                attention * RopeScaling.Yarn.attentionFactor(factor, 1),
                metadata.number(prefix + "yarn_beta_fast", RopeScaling.Yarn.BETA_FAST),
                metadata.number(prefix + "yarn_beta_slow", RopeScaling.Yarn.BETA_SLOW),
                true);
    }

    private float @Nullable [] divisors(int headDim) {
        if (file.find(DIVISORS) == null) {
            return null;
        }
        TensorData tensor = file.tensor(DIVISORS);
        if (tensor.rows() != 1 || tensor.cols() != headDim / 2) {
            throw refusal("has tensor '" + DIVISORS + "' of shape [" + tensor.rows() + ", " + tensor.cols()
                    + "], heads of " + headDim + " need [1, " + headDim / 2 + "]");
        }
        float[] divisors = TensorDecoder.decode(tensor);
        for (float divisor : divisors) {
            if (!(divisor > 0)) {
                throw refusal("has " + divisor + " in tensor '" + DIVISORS + "', which must be positive");
            }
        }
        return divisors;
    }

    private EngineException refusal(String what) {
        return new EngineException(
                EngineException.Category.CONFIGURATION,
                file.path() + " " + what + "; fetch or convert the model again");
    }
}
