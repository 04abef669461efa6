package io.radixflow.weights;

import static io.radixflow.testkit.SafetensorsWriter.entry;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.radixflow.engine.EngineException;
import io.radixflow.testkit.GgufWriter;
import io.radixflow.testkit.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {

    private static final long GIB = 1L << 30;

    @TempDir
    Path folder;

    @Test
    void readsMatricesVectorsAndScalars() {
        SafetensorsWriter writer = new SafetensorsWriter()
                .entry("\"__metadata__\":{\"format\":\"pt\"}")
                .tensor("matrix", new float[] {1, 2, 3, 4, 5, 6}, 2, 3)
                .tensor("vector", new float[] {7, 8}, 2)
                .tensor("scalar", new float[] {9})
                .tensor("cube", new float[] {1, 2, 3, 4}, 2, 1, 2);
        try (SafetensorsFile file = SafetensorsFile.open(write(writer))) {
            assertThat(file.names()).containsExactly("matrix", "vector", "scalar", "cube");
            assertThat(file.has("vector")).isTrue();
            assertThat(file.has("__metadata__")).isFalse();
            assertTensor(file.tensor("matrix"), 2, 3, 1, 2, 3, 4, 5, 6);
            assertTensor(file.tensor("vector"), 1, 2, 7, 8);
            assertTensor(file.tensor("scalar"), 1, 1, 9);
            assertTensor(file.tensor("cube"), 2, 2, 1, 2, 3, 4);
        }
    }

    @Test
    void readsHalfPrecisionOfBothKinds() {
        SafetensorsWriter writer = new SafetensorsWriter()
                .tensor("half", "F16", new byte[] {0, 0x3C, 0, (byte) 0xC0}, 2)
                .tensor("brain", "BF16", new byte[] {(byte) 0x80, 0x3F, (byte) 0xA0, (byte) 0xC0}, 2);
        try (SafetensorsFile file = SafetensorsFile.open(write(writer))) {
            assertTensor(file.tensor("half"), 1, 2, 1, -2);
            assertTensor(file.tensor("brain"), 1, 2, 1, -5);
        }
    }

    @Test
    void tensorsStayReadableAfterClose() {
        SafetensorsFile file = SafetensorsFile.open(write(new SafetensorsWriter().tensor("t", new float[] {7, 8}, 2)));
        TensorData tensor = file.tensor("t");
        file.close();
        assertTensor(tensor, 1, 2, 7, 8);
    }

    @Test
    void listsTensorsOfOtherDtypesAndRefusesThemOnlyWhenRead() {
        SafetensorsWriter writer = new SafetensorsWriter()
                .tensor("int", "I64", new byte[8], 1)
                .tensor("new", "F4", new byte[1], 2)
                .tensor("empty", new float[0], 3, 0);
        try (SafetensorsFile file = SafetensorsFile.open(write(writer))) {
            assertThat(file.names()).containsExactly("int", "new", "empty");
            assertRefused(() -> file.tensor("int"))
                    .hasMessageContaining("tensor 'int' as 'I64', which isn't supported; take a model in F32, F16 or");
            assertRefused(() -> file.tensor("new")).hasMessageContaining("tensor 'new' as 'F4'");
            assertRefused(() -> file.tensor("empty")).hasMessageContaining("has nothing in tensor 'empty'");
            assertRefused(() -> file.tensor("missing")).hasMessageContaining("lacks tensor 'missing'");
        }
    }

    @Test
    void readsTensorsBeyondFourGibibytesAndRefusesOneOfTwo() throws IOException {
        long end = 5 * GIB;
        byte[] head = SafetensorsWriter.file(
                "{\"huge\":" + entry("BF16", 0, end, end / 2) + ",\"last\":" + entry("F32", end, end + 8, 2) + "}",
                new byte[0]);
        Path path = Files.write(folder.resolve("x.safetensors"), head);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) { // a sparse file
            ByteBuffer last = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            channel.write(last.putFloat(1.5f).putFloat(-2).flip(), head.length + end);
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertTensor(file.tensor("last"), 1, 2, 1.5f, -2);
            assertRefused(() -> file.tensor("huge")).hasMessageContaining("2 GiB is the limit");
        }
    }

    @Test
    void refusesEveryPrefixAndEveryTail() throws IOException {
        byte[] whole = new SafetensorsWriter()
                .tensor("t", new float[] {7, 8}, 2)
                .tensor("u", new float[3], 3)
                .toBytes();
        for (int length = 0; length < whole.length; length++) {
            assertRefused(Arrays.copyOf(whole, length), "; ");
        }
        assertRefused(Arrays.copyOf(whole, whole.length - 1), "is truncated: its tensors need 20 bytes, 19 follow");
        assertRefused(Arrays.copyOf(whole, whole.length + 5), "5 bytes follow its last tensor");
    }

    @Test
    void refusesForeignFilesWithWhatToDo() throws IOException {
        assertRefused("{\"a\": 1, \"b\": 2}".getBytes(UTF_8), "is no safetensors file");
        assertRefused(new GgufWriter().put("a", 1).toBytes(), "is no safetensors file");
        assertRefused("PK\003\004 and more of a zip file".getBytes(UTF_8), "give a .safetensors file");
        assertRefused("version https://git-lfs.github.com/spec/v1\n".getBytes(UTF_8), "is a Git LFS pointer");
        assertRefused(() -> SafetensorsFile.open(folder)).hasMessageContaining("is a folder; give a .safetensors file");
        assertRefused(() -> SafetensorsFile.open(folder.resolve("none"))).hasMessageContaining("doesn't exist");
    }

    @Test
    void refusesOverlapsGapsAndDuplicates() throws IOException {
        String first = "\"t\":" + entry("F32", 0, 8, 2);
        assertRefusedHeader("{" + first + ",\"u\":" + entry("F32", 4, 12, 2) + "}", 12, "ends at 8 (overlap)");
        assertRefusedHeader("{" + first + ",\"u\":" + entry("F32", 0, 8, 2) + "}", 8, "(overlap)");
        assertRefusedHeader("{" + first + ",\"u\":" + entry("F32", 12, 20, 2) + "}", 20, "ends at 8 (gap)");
        assertRefusedHeader("{\"t\":" + entry("F32", 4, 12, 2) + "}", 12, "ends at 0 (gap)");
        assertRefusedHeader("{" + first + "," + first + "}", 8, "tensor 't' is there twice");
        assertRefusedHeader("{\"__metadata__\":{},\"__metadata__\":{}," + first + "}", 8, "is there twice");
    }

    @Test
    void refusesImpossibleTensors() throws IOException {
        assertRefusedHeader("{\"t\":" + entry("F32", 0, 8, 3) + "}", 8, "of shape [3] and dtype 'F32' lies in bytes 0");
        assertRefusedHeader("{\"t\":" + entry("BF16", 0, 8, 2) + "}", 8, "of shape [2] and dtype 'BF16'");
        assertRefusedHeader("{\"t\":" + entry("F32", 8, 0, 2) + "}", 8, "lies in bytes 8 to 0");
        assertRefusedHeader("{\"t\":" + entry("F32", 0, 8, 1L << 40, 1L << 40) + "}", 8, "impossible shape");
        assertRefusedHeader("{\"t\":" + entry("F32", 0, 8, -2) + "}", 8, "the shape of tensor 't' has -2");
        assertRefusedHeader("{\"t\":" + entry("F32", 0, 4, new long[9]) + "}", 4, "more than 8 numbers");
        assertRefusedHeader("{\"t\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "lacks dtype, shape or two data_offsets");
        assertRefusedHeader("{\"t\":{\"shape\":2}}", 8, "is not an array");
        assertRefusedHeader("{\"t\":{\"shape\":[2.5]}}", 8, "no integer");
        assertRefusedHeader("{\"t\":{\"shape\":[99999999999999999999]}}", 8, "can't be read");
        assertRefusedHeader("{\"t\":{\"data_offsets\":[0,4,8]}}", 8, "more than 2 numbers");
        assertRefusedHeader("{\"t\":{\"strides\":[1]}}", 8, "unknown field 'strides'");
        assertRefusedHeader("{\"t\":[]}", 0, "tensor 't' is not an object");
    }

    @Test
    void refusesDamagedJson() throws IOException {
        assertRefusedHeader("{\"t\":", 0, "JSON can't be read");
        assertRefusedHeader("{} {}", 0, "something follows its header");
        assertRefusedHeader("{\"a\":" + "[".repeat(100_000), 0, "is not an object");
        assertRefusedHeader("{\"__metadata__\":" + "[".repeat(100_000), 0, "JSON can't be read");
        assertRefusedHeader("{\"" + "n".repeat(1 << 20) + "\":1}", 0, "JSON can't be read");
        byte[] latin1 = new SafetensorsWriter().tensor("t?", new float[1], 1).toBytes();
        latin1[8 + 3] = (byte) 0xE9;
        assertRefused(latin1, "JSON is not UTF-8");
        byte[] utf16 = SafetensorsWriter.file("{\0\"\0t\0\"\0:\0", new byte[0]);
        assertRefused(utf16, "JSON can't be read");
    }

    @Test
    void messagesStayOneLineWhateverTheFileSays() throws IOException {
        assertRefusedHeader("{\"" + "a\\nb".repeat(100) + "\":" + entry("F32", 0, 8, 3) + "}", 8, "is damaged");
        assertRefusedHeader("{\"t\":{\"dtype\":\"" + "x\\r\\n".repeat(100) + "\",\"a\":1}}", 8, "unknown field");
    }

    private void assertRefusedHeader(String header, int dataBytes, String why) throws IOException {
        assertRefused(SafetensorsWriter.file(header, new byte[dataBytes]), why);
    }

    private void assertRefused(byte[] bytes, String why) throws IOException {
        Path path = Files.write(folder.resolve("x.safetensors"), bytes);
        assertRefused(() -> SafetensorsFile.open(path).close())
                .hasMessageStartingWith(path.toString())
                .hasMessageContaining(why);
    }

    private Path write(SafetensorsWriter writer) {
        return writer.write(folder.resolve("x.safetensors"));
    }

    private static void assertTensor(TensorData tensor, int rows, int cols, float... weights) {
        assertThat(tensor.rows()).isEqualTo(rows);
        assertThat(tensor.cols()).isEqualTo(cols);
        assertThat(TensorDecoder.decode(tensor)).containsExactly(weights);
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(ThrowingCallable call) {
        return assertThatThrownBy(call)
                .isInstanceOf(EngineException.class)
                .hasFieldOrPropertyWithValue("category", EngineException.Category.CONFIGURATION)
                .hasMessageNotContaining("\n")
                .hasMessageMatching(".{1,500}");
    }
}
