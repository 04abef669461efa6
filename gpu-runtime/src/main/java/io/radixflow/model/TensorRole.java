package io.radixflow.model;

import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/** The tensors of a decoder: what each format calls it, its shape, and which networks have it. */
enum TensorRole {
    EMBEDDING("token_embd.weight", "model.embed_tokens.weight", ModelConfig::vocabSize, ModelConfig::hidden),
    OUTPUT_NORM("output_norm.weight", "model.norm.weight", config -> 1, ModelConfig::hidden),
    OUTPUT(
            "output.weight",
            "lm_head.weight",
            ModelConfig::vocabSize,
            ModelConfig::hidden,
            config -> !config.hasTiedEmbedding()),
    ATTENTION_NORM("blk.#.attn_norm.weight", "model.layers.#.input_layernorm.weight", config -> 1, ModelConfig::hidden),
    Q("blk.#.attn_q.weight", "model.layers.#.self_attn.q_proj.weight", ModelConfig::queryDim, ModelConfig::hidden),
    K("blk.#.attn_k.weight", "model.layers.#.self_attn.k_proj.weight", ModelConfig::kvDim, ModelConfig::hidden),
    V("blk.#.attn_v.weight", "model.layers.#.self_attn.v_proj.weight", ModelConfig::kvDim, ModelConfig::hidden),
    Q_BIAS(
            "blk.#.attn_q.bias",
            "model.layers.#.self_attn.q_proj.bias",
            config -> 1,
            ModelConfig::queryDim,
            ModelConfig::hasQkvBias),
    K_BIAS(
            "blk.#.attn_k.bias",
            "model.layers.#.self_attn.k_proj.bias",
            config -> 1,
            ModelConfig::kvDim,
            ModelConfig::hasQkvBias),
    V_BIAS(
            "blk.#.attn_v.bias",
            "model.layers.#.self_attn.v_proj.bias",
            config -> 1,
            ModelConfig::kvDim,
            ModelConfig::hasQkvBias),
    Q_NORM(
            "blk.#.attn_q_norm.weight",
            "model.layers.#.self_attn.q_norm.weight",
            config -> 1,
            ModelConfig::headDim,
            ModelConfig::hasHeadNorms),
    K_NORM(
            "blk.#.attn_k_norm.weight",
            "model.layers.#.self_attn.k_norm.weight",
            config -> 1,
            ModelConfig::headDim,
            ModelConfig::hasHeadNorms),
    ATTENTION_OUTPUT(
            "blk.#.attn_output.weight",
            "model.layers.#.self_attn.o_proj.weight",
            ModelConfig::hidden,
            ModelConfig::queryDim),
    FFN_NORM(
            "blk.#.ffn_norm.weight",
            "model.layers.#.post_attention_layernorm.weight",
            config -> 1,
            ModelConfig::hidden),
    GATE("blk.#.ffn_gate.weight", "model.layers.#.mlp.gate_proj.weight", ModelConfig::ffn, ModelConfig::hidden),
    UP("blk.#.ffn_up.weight", "model.layers.#.mlp.up_proj.weight", ModelConfig::ffn, ModelConfig::hidden),
    DOWN("blk.#.ffn_down.weight", "model.layers.#.mlp.down_proj.weight", ModelConfig::hidden, ModelConfig::ffn);

    /** Whose names a model's files use. */
    enum Naming {
        GGUF,
        HUGGING_FACE
    }

    private static final String LAYER = "#";

    private final String ggufName;
    private final String huggingFaceName;

    @SuppressWarnings("ImmutableEnumChecker") // functions without state, as the next two
    private final ToIntFunction<ModelConfig> rows;

    @SuppressWarnings("ImmutableEnumChecker")
    private final ToIntFunction<ModelConfig> cols;

    @SuppressWarnings("ImmutableEnumChecker")
    private final Predicate<ModelConfig> isPresent;

    TensorRole(
            String ggufName, String huggingFaceName, ToIntFunction<ModelConfig> rows, ToIntFunction<ModelConfig> cols) {
        this(ggufName, huggingFaceName, rows, cols, config -> true);
    }

    TensorRole(
            String ggufName,
            String huggingFaceName,
            ToIntFunction<ModelConfig> rows,
            ToIntFunction<ModelConfig> cols,
            Predicate<ModelConfig> isPresent) {
        this.ggufName = ggufName;
        this.huggingFaceName = huggingFaceName;
        this.rows = rows;
        this.cols = cols;
        this.isPresent = isPresent;
    }

    /** @param layer ignored for a tensor that is there once */
    String name(Naming naming, int layer) {
        String name = switch (naming) {
            case GGUF -> ggufName;
            case HUGGING_FACE -> huggingFaceName;
        };
        return name.replace(LAYER, Integer.toString(layer));
    }

    /** Whether each layer has one. */
    boolean isOfLayer() {
        return ggufName.contains(LAYER);
    }

    boolean isIn(ModelConfig config) {
        return isPresent.test(config);
    }

    /** 1 for vectors. */
    int rows(ModelConfig config) {
        return rows.applyAsInt(config);
    }

    int cols(ModelConfig config) {
        return cols.applyAsInt(config);
    }
}
