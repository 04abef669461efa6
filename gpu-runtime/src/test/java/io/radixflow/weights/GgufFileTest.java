package io.radixflow.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.EngineException;
import io.radixflow.testkit.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufFileTest {

    private static final int IQ4_XS = 23;

    @TempDir
    Path folder;

    @Test
    void readsMetadataOfEveryKind() {
        GgufWriter writer = new GgufWriter()
                .put("text", "grüezi")
                .put("int", 7)
                .put("float", 0.5f)
                .put("flag", true)
                .put("words", List.of("a", "", "Ġb"))
                .put("ids", new int[] {3, -1});
        try (GgufFile file = GgufFile.open(write(writer))) {
            GgufMetadata metadata = file.metadata();
            assertThat(metadata.keys()).containsExactly("text", "int", "float", "flag", "words", "ids");
            assertThat(metadata.string("text")).isEqualTo("grüezi");
            assertThat(metadata.integer("int")).isEqualTo(7);
            assertThat(metadata.number("int")).isEqualTo(7);
            assertThat(metadata.number("float")).isEqualTo(0.5);
            assertThat(metadata.bool("flag", false)).isTrue();
            assertThat(metadata.strings("words")).containsExactly("a", "", "Ġb");
            assertThat(metadata.integers("ids")).containsExactly(3, -1);
            assertThat(metadata.findString("missing")).isNull();
            assertThat(metadata.integer("missing", 5)).isEqualTo(5);
            assertThat(metadata.describe("words")).isEqualTo("array of 3 string");
            assertThat(metadata.describe("text")).isEqualTo("'grüezi'");
        }
    }

    @Test
    void metadataNamesFileAndKeyOfWhatItLacks() {
        try (GgufFile file = GgufFile.open(write(new GgufWriter().put("int", 7).put("ids", new int[] {1})))) {
            GgufMetadata metadata = file.metadata();
            assertThatThrownBy(() -> metadata.string("name")).hasMessageContaining("x.gguf lacks metadata key 'name'");
            assertThatThrownBy(() -> metadata.string("int"))
                    .hasMessageContaining("has uint32 in metadata key 'int' where a string belongs");
            assertThatThrownBy(() -> metadata.integer("ids"))
                    .hasMessageContaining("has array of int32 in metadata key 'ids' where an integer belongs");
        }
    }

    @Test
    void readsTensorsWithReversedDimensions() {
        GgufWriter writer = new GgufWriter()
                .tensor("matrix", 2, 3, new float[] {1, 2, 3, 4, 5, 6})
                .tensor("vector", 0, 2, new float[] {7, 8});
        try (GgufFile file = GgufFile.open(write(writer))) {
            TensorData matrix = file.tensor("matrix");
            assertThat(matrix.rows()).isEqualTo(2);
            assertThat(matrix.cols()).isEqualTo(3);
            assertThat(TensorDecoder.decode(matrix)).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(file.tensor("vector").rows()).isEqualTo(1);
            assertThat(file.tensors()).extracting(GgufTensorInfo::name).containsExactly("matrix", "vector");
        }
    }

    @Test
    void tensorsStayReadableAfterClose() {
        GgufFile file = GgufFile.open(write(new GgufWriter().tensor("vector", 0, 2, new float[] {7, 8})));
        TensorData vector = file.tensor("vector");
        file.close();
        assertThat(TensorDecoder.decode(vector)).containsExactly(7, 8);
    }

    @Test
    void listsTensorsOfOtherTypesAndRefusesThemOnlyWhenRead() {
        GgufWriter writer = new GgufWriter().tensor("odd", new long[] {256, 1}, IQ4_XS, new byte[136]);
        try (GgufFile file = GgufFile.open(write(writer))) {
            assertThat(file.tensors()).extracting(GgufTensorInfo::typeName).containsExactly("IQ4_XS");
            assertRefused(() -> file.tensor("odd"))
                    .hasMessageContaining(
                            "tensor 'odd' as IQ4_XS, which isn't supported; take a model in F32, F16, Q4_0");
            assertRefused(() -> file.tensor("missing")).hasMessageContaining("lacks tensor 'missing'");
        }
    }

    @Test
    void refusesATensorOfTwoGibibytes() throws IOException {
        long cols = 1L << 29;
        Path path = write(new GgufWriter().entry("huge", new long[] {cols}, TensorType.F32.ggmlId(), 0));
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), channel.size() + 4 * cols);
        }
        try (GgufFile file = GgufFile.open(path)) {
            assertRefused(() -> file.tensor("huge")).hasMessageContaining("2 GiB is the limit");
        }
    }

    @Test
    void refusesATruncatedFileWithItsSizes() throws IOException {
        byte[] whole = new GgufWriter().tensor("vector", 0, 64, new float[64]).toBytes();
        Path path = Files.write(folder.resolve("x.gguf"), Arrays.copyOf(whole, whole.length - 1));
        assertRefused(() -> GgufFile.open(path))
                .hasMessage(path + " is truncated: needs " + whole.length + " bytes, has " + (whole.length - 1)
                        + "; fetch it again");
    }

    @Test
    void refusesEveryPrefixOfAFile() throws IOException {
        byte[] whole = new GgufWriter()
                .put("words", List.of("a", "b"))
                .put("int", 1)
                .tensor("vector", 0, 2, new float[2])
                .toBytes();
        for (int length = 0; length < whole.length; length++) {
            Path path = Files.write(folder.resolve("x.gguf"), Arrays.copyOf(whole, length));
            assertRefused(() -> GgufFile.open(path));
        }
    }

    @Test
    void refusesForeignFilesAndVersions() throws IOException {
        Path text = Files.writeString(folder.resolve("x.gguf"), "{\"a\": 1}");
        assertRefused(() -> GgufFile.open(text)).hasMessageContaining("is no GGUF file");
        assertRefused(() -> GgufFile.open(folder.resolve("none.gguf"))).hasMessageContaining("doesn't exist");
        assertRefused(() -> GgufFile.open(folder)).hasMessageContaining("is a folder");
        assertRefused(() -> GgufFile.open(write(new GgufWriter().version(2)))).hasMessageContaining("GGUF version 2");
        assertRefused(() -> GgufFile.open(write(new GgufWriter().version(3 << 24))))
                .hasMessageContaining("big-endian");
    }

    @Test
    void refusesImpossibleTensors() {
        int f32 = TensorType.F32.ggmlId();
        long[] two = {2};
        assertRefusedEntry(new GgufWriter().entry("t", new long[] {0}, f32, 0), "impossible dimension 0");
        assertRefusedEntry(
                new GgufWriter().entry("t", new long[] {1L << 40, 1L << 40}, f32, 0), "impossible dimension");
        assertRefusedEntry(new GgufWriter().entry("t", new long[] {-1}, f32, 0), "impossible dimension");
        assertRefusedEntry(new GgufWriter().entry("t", new long[5], f32, 0), "has 5 dimensions");
        assertRefusedEntry(new GgufWriter().entry("t", two, f32, 4), "no multiple of the alignment 32");
        assertRefusedEntry(new GgufWriter().entry("t", two, f32, -32), "no multiple of the alignment 32");
        assertRefusedEntry(new GgufWriter().entry("t", two, f32, Long.MAX_VALUE - 31), "offset");
        assertRefusedEntry(new GgufWriter().entry("t", two, TensorType.Q8_0.ggmlId(), 0), "multiple of 32");
        assertRefusedEntry(
                new GgufWriter().entry("t", new long[] {96}, TensorType.Q6_K.ggmlId(), 0),
                "Q6_K needs a multiple of 256");
        assertRefusedEntry(
                new GgufWriter().tensor("t", 0, 2, new float[2]).tensor("t", 0, 2, new float[2]), "is there twice");
        assertRefusedEntry(new GgufWriter().tensor("t", 0, 16, new float[16]).entry("u", two, f32, 32), "overlap");
    }

    @Test
    void refusesImpossibleMetadata() {
        assertRefusedEntry(new GgufWriter().put("a", 1).put("a", 2), "'a' is there twice");
        assertRefusedEntry(new GgufWriter().put("a", 13, new byte[8]), "unknown type 13");
        byte[] hugeArray = {4, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, 127};
        assertRefusedEntry(new GgufWriter().put("a", 9, hugeArray), "claims 9223372036854775807 of elements");
        byte[] nested = {9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        assertRefusedEntry(new GgufWriter().put("a", 9, nested), "arrays of arrays");
        assertRefusedEntry(new GgufWriter().put("general.alignment", 0), "impossible alignment 0");
    }

    @Test
    void messagesStayOneLineWhateverTheFileSays() {
        assertRefusedEntry(new GgufWriter().put("a\nb".repeat(100), 13, new byte[8]), "unknown type 13");
    }

    private void assertRefusedEntry(GgufWriter writer, String why) {
        Path path = write(writer);
        assertRefused(() -> GgufFile.open(path)).hasMessageContaining(why);
    }

    private Path write(GgufWriter writer) {
        return writer.write(folder.resolve("x.gguf"));
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(ThrowingCallable call) {
        return assertThatThrownBy(call)
                .isInstanceOf(EngineException.class)
                .hasFieldOrPropertyWithValue("category", EngineException.Category.CONFIGURATION)
                .hasMessageNotContaining("\n")
                .hasMessageMatching(".{1,500}");
    }
}
