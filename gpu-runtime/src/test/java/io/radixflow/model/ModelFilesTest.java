package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.backend.Rope;
import io.radixflow.engine.EngineException;
import io.radixflow.testkit.GgufWriter;
import io.radixflow.testkit.ReferenceBackend;
import io.radixflow.testkit.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFilesTest {

    @TempDir
    Path folder;

    @Test
    void opensAFileOrTheOnlyOneInAFolder() throws IOException {
        Path file = TinyModel.gguf(TinyModel.F32, folder);
        Files.writeString(folder.resolve("README.md"), "words");
        try (ModelFiles byFile = ModelFiles.open(file);
                ModelFiles byFolder = ModelFiles.open(folder)) {
            assertThat(byFile.name()).isEqualTo("tied-f32");
            assertThat(byFolder.name()).isEqualTo(folder.getFileName().toString());
            assertThat(byFolder.path()).isEqualTo(file);
        }
    }

    @Test
    void refusesFoldersWithoutOrWithSeveralModels() {
        assertThatThrownBy(() -> ModelFiles.open(folder))
                .hasMessageContaining("holds no .gguf file and no config.json");
        TinyModel.gguf("tied-q4_0", folder);
        TinyModel.gguf("tied-q4_1", folder);
        assertThatThrownBy(() -> ModelFiles.open(folder))
                .hasMessageContaining("holds 2 .gguf files (tied-q4_0.gguf, tied-q4_1.gguf); give one of them");
    }

    @Test
    void readsTheConfigurationOfALlama() {
        try (ModelFiles files = ModelFiles.open(TinyModel.gguf("untied-f16", folder))) {
            assertThat(files.config())
                    .isEqualTo(new ModelConfig(
                            "llama",
                            2,
                            64,
                            96,
                            4,
                            2,
                            16,
                            new RopeConfig(500000f, Rope.Pairing.ADJACENT, new RopeScaling.Default()),
                            1e-5f,
                            512,
                            264,
                            false,
                            false,
                            false));
        }
    }

    @Test
    void readsTheVocabularyAsPlainValues() {
        try (ModelFiles files = ModelFiles.open(TinyModel.gguf(TinyModel.F32, folder))) {
            TextFiles text = files.text();
            Vocabulary vocabulary = Objects.requireNonNull(text.vocabulary());
            assertThat(vocabulary.kind()).isEqualTo("gpt2");
            assertThat(vocabulary.pre()).isEqualTo("smollm");
            assertThat(vocabulary.tokens()).hasSize(264).startsWith("<|endoftext|>", "<|im_start|>", "<|im_end|>");
            assertThat(vocabulary.types()).startsWith(Vocabulary.CONTROL, Vocabulary.CONTROL, Vocabulary.CONTROL, 1);
            assertThat(vocabulary.merges()).containsExactly("Ġ t", "h e", "i n", "Ġt he", "e r");
            assertThat(text.bosToken()).isEqualTo("<|im_start|>");
            assertThat(text.eosToken()).isEqualTo("<|im_end|>");
            assertThat(text.endIds()).containsExactly(2);
            assertThat(text.chatTemplate()).startsWith("{% for message in messages %}");
        }
    }

    @Test
    void endIdsAreAllThatTheFileNamesOnceEach() {
        GgufWriter writer = new GgufWriter()
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.tokens", List.of("a", "b", "c"))
                .put("tokenizer.ggml.eos_token_id", 2)
                .put("tokenizer.ggml.eot_token_id", 2)
                .put("tokenizer.ggml.eom_token_id", 0);
        try (ModelFiles files = ModelFiles.open(writer.write(folder.resolve("x.gguf")))) {
            assertThat(files.text().endIds()).containsExactly(2, 0);
            assertThat(files.text().bosToken()).isEmpty();
        }
    }

    @Test
    void namesTheArchitecturesThatItKnows() {
        assertConfigRefused(
                new GgufWriter().put("general.architecture", "mamba"),
                "has the architecture 'mamba', which isn't supported; take one of llama, qwen2, qwen3");
        assertConfigRefused(new GgufWriter(), "lacks metadata key 'general.architecture'");
    }

    @Test
    void namesTheKeyThatIsMissingOrWrong() {
        assertConfigRefused(new GgufWriter().put("general.architecture", "llama"), "'llama.embedding_length'");
        assertConfigRefused(llama().put("llama.block_count", 0), "llama.block_count 0, which must be positive");
        assertConfigRefused(
                llama().put("llama.block_count", 1).put("llama.rope.scaling.type", "yarn"),
                "factor 0.0, which must be a number of at least 1");
        assertConfigRefused(
                llama().put("llama.block_count", 1).put("llama.rope.scaling.type", "longrope"),
                "llama.rope.scaling.type 'longrope', which isn't supported");
        assertConfigRefused(
                llama().put("llama.block_count", 1).put("llama.attention.sliding_window", 8),
                "llama.attention.sliding_window 8, which isn't supported yet");
        assertConfigRefused(llama().put("llama.block_count", 1).put("llama.rope.dimension_count", 4), "full rotation");
        assertConfigRefused(llama().put("llama.block_count", 1).put("llama.expert_count", 8), "llama.expert_count");
        assertConfigRefused(
                llama().put("llama.block_count", 1).put("llama.attention.head_count_kv", 3),
                "4 heads are no multiple of 3 KV heads");
    }

    @Test
    void namesTensorsThatAreMissingOddOrUnexpected() {
        GgufWriter bare = llama().put("llama.block_count", 1).put("llama.attention.head_count_kv", 2);
        assertLoadRefused(bare, "lacks tensor 'token_embd.weight'");
        bare.tensor("token_embd.weight", 4, 32, new float[128]);
        assertLoadRefused(bare, "lacks tensor 'output_norm.weight'");
        bare.tensor("output_norm.weight", 0, 16, new float[16]);
        assertLoadRefused(bare, "has tensor 'output_norm.weight' of shape [1, 16], its configuration needs [1, 32]");
    }

    @Test
    void refusesContextsThatTheModelDoesNotAllow() {
        try (ModelFiles files = ModelFiles.open(TinyModel.gguf(TinyModel.F32, folder));
                ReferenceBackend backend = new ReferenceBackend()) {
            assertThatThrownBy(() -> Models.load(files, backend, 2, 2, 513))
                    .hasMessageContaining("--context-length 513 is outside 1 to 512");
        }
    }

    private static GgufWriter llama() {
        return new GgufWriter()
                .put("general.architecture", "llama")
                .put("llama.context_length", 16)
                .put("llama.vocab_size", 4)
                .put("llama.embedding_length", 32)
                .put("llama.feed_forward_length", 64)
                .put("llama.attention.head_count", 4)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    }

    private void assertConfigRefused(GgufWriter writer, String why) {
        try (ModelFiles files = ModelFiles.open(writer.write(folder.resolve("x.gguf")))) {
            assertThatThrownBy(files::config)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining(why);
        }
    }

    private void assertLoadRefused(GgufWriter writer, String why) {
        try (ModelFiles files = ModelFiles.open(writer.write(folder.resolve("x.gguf")));
                ReferenceBackend backend = new ReferenceBackend()) {
            assertThatThrownBy(() -> Models.load(files, backend, 2, 2))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining(why);
        }
    }
}
