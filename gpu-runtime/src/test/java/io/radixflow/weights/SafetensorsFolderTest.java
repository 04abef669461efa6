package io.radixflow.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.EngineException;
import io.radixflow.testkit.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFolderTest {

    private static final String FIRST = "model-00001-of-00002.safetensors";
    private static final String SECOND = "model-00002-of-00002.safetensors";

    @TempDir
    Path folder;

    @BeforeEach
    void writeShards() {
        new SafetensorsWriter()
                .tensor("a", new float[] {1, 2}, 2)
                .tensor("b", new float[] {3}, 1)
                .write(folder.resolve(FIRST));
        new SafetensorsWriter().tensor("c", new float[] {4, 5}, 2, 1).write(folder.resolve(SECOND));
    }

    @Test
    void readsTensorsOfAllShards() throws IOException {
        index("{\"metadata\":{\"total_size\":20},\"weight_map\":{\"a\":\"" + FIRST + "\",\"c\":\"" + SECOND
                + "\",\"b\":\"" + FIRST + "\"}}");
        assertThat(SafetensorsFolder.isIn(folder)).isTrue();
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            assertThat(tensors.path()).isEqualTo(folder);
            assertThat(tensors.names()).containsExactly("a", "c", "b");
            assertThat(tensors.has("b")).isTrue();
            assertThat(tensors.has("d")).isFalse();
            assertThat(TensorDecoder.decode(tensors.tensor("a"))).containsExactly(1, 2);
            assertThat(TensorDecoder.decode(tensors.tensor("c"))).containsExactly(4, 5);
            assertThatThrownBy(() -> tensors.tensor("d"))
                    .hasMessage(folder + " lacks tensor 'd'; fetch or convert the" + " model again");
        }
    }

    @Test
    void readsAFolderOfOneFile() {
        new SafetensorsWriter().tensor("a", new float[] {1, 2}, 2).write(folder.resolve("model.safetensors"));
        assertThat(SafetensorsFolder.isIn(folder)).isTrue();
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            assertThat(tensors.names()).containsExactly("a");
            assertThat(TensorDecoder.decode(tensors.tensor("a"))).containsExactly(1, 2);
        }
    }

    @Test
    void refusesAFolderWithoutThem() {
        assertThat(SafetensorsFolder.isIn(folder)).isFalse();
        assertRefused("holds neither model.safetensors.index.json nor model.safetensors");
    }

    @Test
    void refusesAnIndexThatItsShardsContradict() throws IOException {
        String map = "\"a\":\"" + FIRST + "\",\"b\":\"" + FIRST + "\"";
        index("{\"weight_map\":{" + map + ",\"c\":\"" + FIRST + "\"}}");
        assertRefused(FIRST + " lacks tensor 'c' that model.safetensors.index.json places in it");
        index("{\"weight_map\":{" + map + ",\"a\":\"" + FIRST + "\"}}");
        assertRefused("tensor 'a' is there twice");
        index("{\"weight_map\":{\"a\":\"" + FIRST + "\"}}");
        assertRefused(FIRST + " has tensor 'b' that model.safetensors.index.json doesn't place in it");
        index("{\"weight_map\":{" + map + ",\"c\":\"model-00003.safetensors\"}}");
        assertRefused("model-00003.safetensors doesn't exist");
    }

    @Test
    void refusesADamagedIndex() throws IOException {
        index("{\"weight_map\":{\"a\":\"../secret.safetensors\"}}");
        assertRefused("lies in '../secret.safetensors', which is no name of a .safetensors file");
        index("{\"weight_map\":{\"a\":\"weights.bin\"}}");
        assertRefused("'weights.bin'");
        index("{\"weight_map\":{\"a\":\"\\uD800.safetensors\"}}");
        assertRefused("which is no name of a .safetensors file");
        index("{\"weight_map\":{\"a\":1}}");
        assertRefused("the shard of tensor 'a' is not a string");
        index("{\"weight_map\":[]}");
        assertRefused("weight_map is not an object");
        index("{}");
        assertRefused("names no tensors");
        index("");
        assertRefused("its text is not an object");
        index("{\"weight_map\"");
        assertRefused("JSON can't be read");
    }

    private void index(String json) throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), json);
    }

    private void assertRefused(String why) {
        assertThatThrownBy(() -> SafetensorsFolder.open(folder).close())
                .isInstanceOf(EngineException.class)
                .hasFieldOrPropertyWithValue("category", EngineException.Category.CONFIGURATION)
                .hasMessageStartingWith(folder.toString())
                .hasMessageContaining(why)
                .hasMessageMatching(".{1,500}");
    }
}
