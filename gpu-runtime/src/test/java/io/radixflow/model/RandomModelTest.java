package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.backend.KvLayout;
import io.radixflow.engine.EngineException;
import io.radixflow.testkit.ReferenceBackend;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.weights.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomModelTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(
            value = RandomShape.class,
            names = {"TINY_LLAMA", "TINY_QWEN2", "TINY_QWEN3"})
    void isTheModelThatDummyWeightsMake(RandomShape shape) {
        List<Long> progress = new ArrayList<>();
        RandomModel model = new RandomModel(shape, TensorType.BF16, 0);
        model.write(folder, progress::add);
        assertThat(progress).isSorted().endsWith(model.numBytes());
        assertThat(logits(LoadFormat.AUTO)).isDeepEqualTo(logits(LoadFormat.DUMMY));
    }

    @ParameterizedTest
    @EnumSource(
            value = TensorType.class,
            names = {"F32", "F16", "BF16"})
    void everyTypeIsReadAgain(TensorType type) {
        new RandomModel(RandomShape.TINY_QWEN3, type, 5).write(folder, done -> {});
        try (ModelFiles files = ModelFiles.open(folder)) {
            assertThat(files.storedTensors())
                    .allMatch(tensor -> tensor.typeName().equals(type.toString()));
        }
        assertThat(logits(LoadFormat.AUTO)).isNotEqualTo(logits(LoadFormat.DUMMY)); // of another seed
    }

    @Test
    void largeModelsComeInShards() throws IOException {
        RandomModel single = new RandomModel(RandomShape.TINY_LLAMA, TensorType.F16, 3);
        single.write(folder.resolve("single"), done -> {});
        new RandomModel(RandomShape.TINY_LLAMA, TensorType.F16, 3, 100_000).write(folder.resolve("shards"), done -> {});
        try (Stream<Path> files = Files.list(folder.resolve("shards"))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .contains("model-00001-of-00004.safetensors", "model.safetensors.index.json");
        }
        assertThat(logits(folder.resolve("shards"), LoadFormat.AUTO))
                .isDeepEqualTo(logits(folder.resolve("single"), LoadFormat.AUTO));
    }

    @Test
    void shapesArePublishedOnes() {
        // 596,049,920 parameters, 8,190,735,360 and 32,762,123,264: what the models' pages call 0.6B, 8.2B and 32.8B
        assertThat(new RandomModel(RandomShape.QWEN3_0_6B, TensorType.BF16, 0).numBytes())
                .isEqualTo(2 * 596_049_920L);
        assertThat(new RandomModel(RandomShape.QWEN3_8B, TensorType.BF16, 0).numBytes())
                .isEqualTo(2 * 8_190_735_360L);
        assertThat(new RandomModel(RandomShape.QWEN3_32B, TensorType.BF16, 0).numBytes())
                .isEqualTo(2 * 32_762_123_264L);
        assertThat(RandomShape.find("qwen3-8b")).isEqualTo(RandomShape.QWEN3_8B);
        assertThat(RandomShape.find("qwen9")).isNull();
    }

    @Test
    void takesEmptyFoldersOnly() throws IOException {
        Files.writeString(folder.resolve("notes"), "words");
        RandomModel model = new RandomModel(RandomShape.TINY_LLAMA, TensorType.F16, 3);
        assertThatThrownBy(() -> model.write(folder, done -> {}))
                .isInstanceOf(EngineException.class)
                .hasMessage(folder + " is not empty; give a new folder");
    }

    private float[][] logits(LoadFormat format) {
        return logits(folder, format);
    }

    private static float[][] logits(Path path, LoadFormat format) {
        try (ModelFiles files = ModelFiles.open(path, format, null);
                ReferenceBackend backend = new ReferenceBackend()) {
            Model model = Models.load(files, backend, 4, 4, 64);
            return new SequenceRunner(model, backend, 4, 64, KvLayout.ElementType.FLOAT32)
                    .append(new int[] {1, 2, 3, 500}, 4);
        }
    }
}
