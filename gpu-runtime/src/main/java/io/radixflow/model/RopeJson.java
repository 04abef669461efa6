package io.radixflow.model;

import io.radixflow.engine.EngineException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads rope settings as transformers writes them: {@code rope_parameters} since its version 5, {@code rope_scaling} before. */
final class RopeJson {

    static final String PARAMETERS = "rope_parameters";
    static final String SCALING = "rope_scaling";
    static final String BASE = "rope_theta";
    static final String TRAINED_LEN = "max_position_embeddings";

    private static final String FACTOR = "factor";
    private static final String ORIGINAL_LEN = "original_max_position_embeddings";
    private static final String PARTIAL = "partial_rotary_factor";
    private static final Set<String> KNOWN = Set.of(
            "rope_type",
            "type",
            BASE,
            FACTOR,
            ORIGINAL_LEN,
            PARTIAL,
            "attention_factor",
            "mscale",
            "mscale_all_dim",
            "beta_fast",
            "beta_slow",
            "truncate",
            "low_freq_factor",
            "high_freq_factor",
            "finetuned");

    private final ConfigJson config;
    private final ConfigJson rope;
    private final int trainedLen;

    private RopeJson(ConfigJson config, ConfigJson rope, int trainedLen) {
        this.config = config;
        this.rope = rope;
        this.trainedLen = trainedLen;
    }

    /** @throws EngineException of category CONFIGURATION that names the field */
    static RopeScaling scaling(ConfigJson config, int trainedLen) {
        refusePartial(config);
        ConfigJson rope = settings(config);
        return rope == null ? new RopeScaling.Default() : new RopeJson(config, rope, trainedLen).scaling();
    }

    /** @throws EngineException of category CONFIGURATION that names the field */
    static float base(ConfigJson config, float otherwise) {
        ConfigJson rope = settings(config);
        double outer = config.number(BASE, otherwise);
        return (float) (rope == null ? outer : rope.number(BASE, outer));
    }

    private static @Nullable ConfigJson settings(ConfigJson config) {
        return config.has(PARAMETERS) ? config.findObject(PARAMETERS) : config.findObject(SCALING);
    }

    private RopeScaling scaling() {
        for (String field : rope.fields()) {
            if (!KNOWN.contains(field)) {
                throw rope.refusal("has the rope setting '" + field + "', which isn't known; check its spelling");
            }
        }
        refusePartial(rope);
        String oldType = rope.findString("type");
        String type = rope.findString("rope_type");
        try {
            return scaling(type != null ? type : oldType != null ? oldType : "default");
        } catch (IllegalArgumentException e) {
            throw rope.refusal("has the rope setting " + e.getMessage());
        }
    }

    private RopeScaling scaling(String type) {
        return switch (type) {
            case "default" -> new RopeScaling.Default();
            case "linear" -> new RopeScaling.Linear(rope.number(FACTOR), rope.positive(ORIGINAL_LEN, 0));
            case "dynamic" -> new RopeScaling.Dynamic(rope.number(FACTOR), trainedLen);
            case "yarn" -> yarn();
            case "llama3" ->
                new RopeScaling.Llama3(
                        rope.number(FACTOR),
                        rope.number("low_freq_factor"),
                        rope.number("high_freq_factor"),
                        originalLen());
            default ->
                throw rope.refusal("has the rope type '" + type
                        + "', which isn't supported; take one of default, dynamic, linear, llama3, yarn");
        };
    }

    private RopeScaling yarn() {
        int originalLen = originalLen();
        double factor =
                rope.has(FACTOR) || originalLen == trainedLen ? rope.number(FACTOR) : (double) trainedLen / originalLen;
        double betaFast = rope.number("beta_fast", 0);
        double betaSlow = rope.number("beta_slow", 0);
        return new RopeScaling.Yarn(
                factor,
                originalLen,
                attentionFactor(factor),
                betaFast == 0 ? RopeScaling.Yarn.BETA_FAST : betaFast,
                betaSlow == 0 ? RopeScaling.Yarn.BETA_SLOW : betaSlow,
                rope.bool("truncate", true));
    }

    private double attentionFactor(double factor) {
        if (rope.has("attention_factor")) {
            return rope.number("attention_factor");
        }
        double mscale = rope.number("mscale", 0);
        double mscaleAllDim = rope.number("mscale_all_dim", 0);
        return mscale != 0 && mscaleAllDim != 0
                ? RopeScaling.Yarn.attentionFactor(factor, mscale)
                        / RopeScaling.Yarn.attentionFactor(factor, mscaleAllDim)
                : RopeScaling.Yarn.attentionFactor(factor, 1);
    }

    /** Some models say it beside the rope settings, which then counts. */
    private int originalLen() {
        return config.positive(ORIGINAL_LEN, rope.positive(ORIGINAL_LEN, trainedLen));
    }

    private static void refusePartial(ConfigJson json) {
        if (json.number(PARTIAL, 1) != 1) {
            throw json.wrong(PARTIAL, "1: only full rotation is supported");
        }
    }
}
