package io.radixflow.weights;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineException;
import io.radixflow.testkit.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Damaged files and indices end in the one kind of exception, with one line that names the file, or in values; never in anything else, and
 * in no more memory than a small multiple of what was read.
 */
class SafetensorsPropertyTest {

    private static final long MAX_ALLOCATED_BYTES = 4 << 20;
    private static final String[] NASTY = {
        "0",
        "-1",
        "9223372036854775807",
        "18446744073709551616",
        "1e9",
        "null",
        "\"\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\0",
        "\\uD800",
        "\"t0\"",
        "[[[[[[[[["
    };

    private static final byte[] WHOLE = new SafetensorsWriter()
            .entry("\"__metadata__\":{\"format\":\"pt\"}")
            .tensor("t0", new float[] {1, 2, 3, 4, 5, 6}, 2, 3)
            .tensor("t1", "F16", new byte[8], 4)
            .tensor("t2", "BF16", new byte[12], 2, 3)
            .tensor("t3", "I64", new byte[8], 1)
            .toBytes();
    private static final int HEADER_END =
            8 + (int) ByteBuffer.wrap(WHOLE).order(ByteOrder.LITTLE_ENDIAN).getLong();
    private static final String INDEX = "{\"metadata\":{\"total_size\":52},\"weight_map\":{\"t0\":\"a.safetensors\","
            + "\"t1\":\"a.safetensors\",\"t2\":\"a.safetensors\",\"t3\":\"a.safetensors\"}}";

    private static Path folder = Path.of("");
    private static Path shard = Path.of("");
    private static Path index = Path.of("");

    @BeforeContainer
    static void createFolder() throws IOException {
        folder = Files.createTempDirectory("damaged");
        shard = folder.resolve("a.safetensors");
        index = folder.resolve("model.safetensors.index.json");
    }

    @AfterContainer
    static void deleteFolder() throws IOException {
        Files.deleteIfExists(shard);
        Files.deleteIfExists(index);
        Files.delete(folder);
    }

    @Property(tries = 1)
    void theWholeIsRead() throws IOException {
        assertThat(useEverything(WHOLE, INDEX)).isTrue();
    }

    @Property(tries = 300)
    void truncatedFilesAreRefused(@ForAll @IntRange(max = 1 << 20) int length) throws IOException {
        assertThat(useEverything(Arrays.copyOf(WHOLE, length % WHOLE.length), INDEX))
                .isFalse();
        assertThat(useEverything(WHOLE, INDEX.substring(0, length % INDEX.length())))
                .isFalse();
    }

    @Property(tries = 1000)
    void changedBytesAreReadOrRefused(@ForAll @IntRange(min = 1, max = 4) int numChanges, @ForAll long seed)
            throws IOException {
        Random random = new Random(seed);
        byte[] bytes = WHOLE.clone();
        for (int i = 0; i < numChanges; i++) {
            bytes[random.nextInt(HEADER_END)] = (byte) random.nextInt(256);
        }
        useEverything(bytes, INDEX);
    }

    @Property(tries = 1000)
    void nastyTextIsReadOrRefused(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        String header = new String(WHOLE, 8, HEADER_END - 8, StandardCharsets.UTF_8);
        byte[] data = Arrays.copyOfRange(WHOLE, HEADER_END, WHOLE.length);
        useEverything(SafetensorsWriter.file(damaged(header, random), data), INDEX);
        useEverything(WHOLE, damaged(INDEX, random));
    }

    @Property(tries = 200)
    void nastyLengthsAreRefused(@ForAll long length) throws IOException {
        byte[] bytes = WHOLE.clone();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        assertThat(useEverything(bytes, INDEX)).isEqualTo(length == HEADER_END - 8);
    }

    /** A piece is replaced by another that means something to JSON or to the format. */
    private static String damaged(String text, Random random) {
        int from = random.nextInt(text.length());
        int to = Math.min(text.length(), from + random.nextInt(6));
        return text.substring(0, from) + NASTY[random.nextInt(NASTY.length)] + text.substring(to);
    }

    /** Reads all there is; false if something was refused, in the proper words. */
    private static boolean useEverything(byte[] shardBytes, String indexText) throws IOException {
        Files.write(shard, shardBytes);
        Files.writeString(index, indexText);
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        boolean isRead = true;
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            for (String name : tensors.names()) {
                try {
                    TensorDecoder.decode(tensors.tensor(name));
                } catch (EngineException e) {
                    isRead &= name.equals("t3"); // int64
                    assertProper(e);
                }
            }
        } catch (EngineException e) {
            isRead = false;
            assertProper(e);
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(MAX_ALLOCATED_BYTES);
        return isRead;
    }

    private static void assertProper(EngineException e) {
        assertThat(e.category()).isEqualTo(EngineException.Category.CONFIGURATION);
        assertThat(e.getMessage()).startsWith(folder.toString()).hasLineCount(1).hasSizeLessThan(700);
    }
}
