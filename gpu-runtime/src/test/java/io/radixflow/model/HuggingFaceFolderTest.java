package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.backend.KvLayout;
import io.radixflow.backend.Rope;
import io.radixflow.engine.EngineException;
import io.radixflow.testkit.ReferenceBackend;
import io.radixflow.testkit.SafetensorsWriter;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.testkit.TinyDecoder;
import io.radixflow.testkit.TinyModel;
import io.radixflow.weights.SafetensorsFolder;
import io.radixflow.weights.TensorDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceFolderTest {

    private static final String QWEN3 = """
            {"model_type": "qwen3", "vocab_size": 50, "hidden_size": 8, "intermediate_size": 16,
             "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
             "max_position_embeddings": 40960, "rms_norm_eps": 1e-06, "rope_theta": 1000000,
             "tie_word_embeddings": true, "eos_token_id": 45, "rope_scaling": null, "torch_dtype": "bfloat16"}
            """;
    /** The example of FEATURES, which users of SGLang carry over. */
    private static final String YARN = """
            {"rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32768}}
            """;

    @TempDir
    Path folder;

    @Test
    void readsTheConfigurationOfEachArchitecture() throws IOException {
        RopeConfig rope = new RopeConfig(1e6f, Rope.Pairing.HALVES, new RopeScaling.Default());
        ModelConfig qwen3 = new ModelConfig("qwen3", 2, 8, 16, 4, 2, 4, rope, 1e-6f, 40_960, 50, true, false, true);
        assertThat(config(QWEN3)).isEqualTo(qwen3);
        ModelConfig qwen2 = config(QWEN3.replace("qwen3", "qwen2"));
        assertThat(qwen2.hasQkvBias()).isTrue();
        assertThat(qwen2.hasHeadNorms()).isFalse();
        ModelConfig llama = config(QWEN3.replace("qwen3", "llama").replace("\"head_dim\": 4,", ""));
        assertThat(llama.hasQkvBias()).isFalse();
        assertThat(llama.headDim()).isEqualTo(2);
    }

    @Test
    void namesTheFieldThatIsMissingOrNotServed() {
        assertRefused(
                QWEN3.replace("qwen3", "mamba"), "'mamba', which isn't supported; take one of llama, qwen2, qwen3");
        assertRefused(QWEN3.replace("\"hidden_size\": 8,", ""), "lacks hidden_size");
        assertRefused(
                QWEN3.replace("\"hidden_size\": 8", "\"hidden_size\": -8"), "has -8 in hidden_size where a positive");
        assertRefused(with("\"hidden_act\": \"gelu\""), "has \"gelu\" in hidden_act where \"silu\"");
        assertRefused(with("\"attention_bias\": true"), "has true in attention_bias where false");
        assertRefused(with("\"use_sliding_window\": true, \"max_window_layers\": 1"), "use_sliding_window");
        assertRefused(with("\"quantization_config\": {}"), "quantization_config, which isn't supported yet");
        assertRefused(
                QWEN3.replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 3"), "3 heads are no multiple");
        assertRefused("[]", "is no JSON object");
        assertRefused("{", "is no JSON: ");
    }

    @Test
    void overridesExtendTheContextByYarn() throws IOException {
        write("config.json", QWEN3);
        try (ModelFiles files = ModelFiles.open(folder, LoadFormat.DUMMY, YARN)) {
            assertThat(files.config().rope().scaling())
                    .isEqualTo(new RopeScaling.Yarn(4, 32_768, 0.1 * Math.log(4) + 1, 32, 1, true));
            assertThat(files.config().rope().base()).isEqualTo(1e6f);
            assertThat(files.config().contextLen()).isEqualTo(131_072);
            Models.checkContextLen(files, 131_072);
            assertThatThrownBy(() -> Models.checkContextLen(files, 131_073))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("--context-length 131073 is outside 1 to 131072, what " + folder)
                    .hasMessageContaining("trained for 40960, positions yarn by 4.0 of 32768 tokens");
        }
    }

    @Test
    void overridesCountWhicheverSpellingTheFileHas() throws IOException {
        String parameters = "\"rope_parameters\": {\"rope_type\": \"linear\", \"factor\": 2, \"rope_theta\": 7}";
        write("config.json", QWEN3.replace("\"rope_theta\": 1000000", parameters));
        assertOverridden(YARN, 7, "yarn");
        assertOverridden("{\"rope_scaling\": null}", 7, "default");
        assertOverridden("{\"rope_theta\": 9}", 9, "linear");
        assertOverridden("{\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 9}}", 9, "default");
        assertThatThrownBy(() -> ModelFiles.open(folder, LoadFormat.AUTO, "yarn"))
                .hasMessageContaining("--json-model-override-args is no JSON: ");
    }

    private void assertOverridden(String overrides, float base, String kind) {
        try (ModelFiles files = ModelFiles.open(folder, LoadFormat.DUMMY, overrides)) {
            assertThat(files.config().rope().base()).as(overrides).isEqualTo(base);
            assertThat(files.config().rope().scaling().kind()).as(overrides).isEqualTo(kind);
        }
    }

    @Test
    void overridesOfGgufFilesAreTheRopeSettings() {
        Path gguf = TinyModel.gguf(TinyModel.F32, folder);
        String yarn = "{\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2}, \"rope_theta\": 5}";
        try (ModelFiles files = ModelFiles.open(gguf, LoadFormat.GGUF, yarn)) {
            assertThat(files.config().contextLen()).isEqualTo(2 * TinyModel.CONTEXT_LEN);
            assertThat(files.config().rope().base()).isEqualTo(5);
        }
        try (ModelFiles files = ModelFiles.open(gguf, LoadFormat.GGUF, "{\"hidden_size\": 2}")) {
            assertThatThrownBy(files::config)
                    .hasMessageContaining(
                            "has 'hidden_size', which means nothing for a GGUF file; it takes max_position");
        }
    }

    @Test
    void readsTheTextSideFromAllOfItsFiles() throws IOException {
        write("config.json", QWEN3);
        write("generation_config.json", "{\"eos_token_id\": [45, 43]}");
        write(
                "tokenizer_config.json",
                "{\"bos_token\": null, \"eos_token\": {\"content\": \"<end>\"}, \"chat_template\": \"old\"}");
        TextFiles text = text();
        assertThat(text.endIds()).containsExactly(45, 43);
        assertThat(text.bosToken()).isEmpty();
        assertThat(text.eosToken()).isEqualTo("<end>");
        assertThat(text.chatTemplate()).isEqualTo("old");
        assertThat(text.hasTokenizer()).isFalse();

        write("chat_template.jinja", "new");
        write("tokenizer.json", "{}");
        assertThat(text().chatTemplate()).isEqualTo("new");
        assertThat(text().tokenizerJson()).isEqualTo(folder.resolve("tokenizer.json"));

        Files.delete(folder.resolve("chat_template.jinja"));
        write(
                "tokenizer_config.json",
                "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"a\"}, {\"name\": \"default\", \"template\": \"b\"}]}");
        assertThat(text().chatTemplate()).isEqualTo("b");
        write("generation_config.json", "{\"eos_token_id\": 50}");
        assertThatThrownBy(this::text).hasMessageContaining("has 50 in eos_token_id where token ids below 50 belongs");
    }

    @Test
    void aTokenizerPathCountsBeforeTheModelsOwn() throws IOException {
        write("config.json", QWEN3);
        TextFiles base = text();
        TextFiles gguf = TextFiles.open(TinyModel.gguf(TinyModel.F32, folder)).over(base);
        assertThat(gguf.vocabulary()).isNotNull();
        assertThat(gguf.endIds()).containsExactly(45, 2);
        assertThat(gguf.eosToken()).isEqualTo("<|im_end|>");
        TextFiles bare = TextFiles.open(write("other.json", "{}")).over(gguf);
        assertThat(bare.vocabulary()).isNull();
        assertThat(bare.tokenizerJson()).isEqualTo(folder.resolve("other.json"));
        assertThat(bare.chatTemplate()).isEqualTo(gguf.chatTemplate());
    }

    @Test
    void weightsAreTakenAsTheLoadFormatSays() throws IOException {
        assertThatThrownBy(() -> ModelFiles.open(folder, LoadFormat.SAFETENSORS, null))
                .hasMessageContaining("is no folder with a config.json, which --load-format safetensors needs");
        write("config.json", QWEN3);
        assertThatThrownBy(this::load)
                .hasMessageContaining(
                        "has a config.json but no weights; fetch its safetensors, or give --load-format dummy");
        TinyModel.gguf(TinyModel.F32, folder);
        assertArchitecture(LoadFormat.AUTO, "llama");
        assertArchitecture(LoadFormat.SAFETENSORS, "qwen3");
        assertArchitecture(LoadFormat.DUMMY, "qwen3");
        TinyDecoder.write("qwen2", "default", folder);
        assertArchitecture(LoadFormat.AUTO, "qwen2");
        assertArchitecture(LoadFormat.GGUF, "llama");
    }

    private void assertArchitecture(LoadFormat format, String architecture) {
        try (ModelFiles files = ModelFiles.open(folder, format, null)) {
            assertThat(files.config().architecture()).isEqualTo(architecture);
        }
    }

    @Test
    void tensorsThatNobodyUsesAreRefusedButForOldHabits() throws IOException {
        TinyDecoder.write("qwen3", "default", folder);
        addTensor("lm_head.weight");
        addTensor("model.layers.0.self_attn.rotary_emb.inv_freq");
        load();
        addTensor("model.layers.0.self_attn.q_proj.bias");
        assertThatThrownBy(this::load)
                .hasMessageContaining(
                        "has tensor 'model.layers.0.self_attn.q_proj.bias', which the architecture qwen3");
    }

    private void addTensor(String name) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            for (String old : tensors.names()) {
                float[] values = TensorDecoder.decode(tensors.tensor(old));
                int rows = tensors.tensor(old).rows();
                writer.tensor(old, values, rows, values.length / rows);
            }
        }
        writer.tensor(name, new float[1], 1).write(folder.resolve("model.safetensors"));
    }

    @Test
    void dummyWeightsAreTheSameEachTimeAndNotDegenerate() throws IOException {
        write("config.json", QWEN3);
        float[][] first = dummyLogits();
        assertThat(dummyLogits()).isDeepEqualTo(first);
        double squares = 0;
        for (float logit : first[3]) {
            squares += logit * logit;
        }
        assertThat(Math.sqrt(squares / first[3].length)).isBetween(0.3, 3.0);
        assertThat(first[3]).isNotEqualTo(first[2]);
    }

    private float[][] dummyLogits() {
        try (ModelFiles files = ModelFiles.open(folder, LoadFormat.DUMMY, null);
                ReferenceBackend backend = new ReferenceBackend()) {
            Model model = Models.load(files, backend, 4, 4, 64);
            return new SequenceRunner(model, backend, 4, 64, KvLayout.ElementType.FLOAT32)
                    .append(new int[] {1, 2, 3, 4}, 4);
        }
    }

    private void load() {
        try (ModelFiles files = ModelFiles.open(folder);
                ReferenceBackend backend = new ReferenceBackend()) {
            Models.load(files, backend, 2, 2, 8);
        }
    }

    private static String with(String field) {
        return QWEN3.replace("\"vocab_size\": 50", "\"vocab_size\": 50, " + field);
    }

    private ModelConfig config(String json) throws IOException {
        write("config.json", json);
        try (ModelFiles files = ModelFiles.open(folder)) {
            return files.config();
        }
    }

    private TextFiles text() {
        try (ModelFiles files = ModelFiles.open(folder)) {
            return files.text();
        }
    }

    private void assertRefused(String json, String why) {
        ThrowingCallable read = () -> config(json);
        assertThatThrownBy(read)
                .isInstanceOf(EngineException.class)
                .hasMessageContaining(why)
                .hasMessageStartingWith(folder.resolve("config.json").toString());
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
