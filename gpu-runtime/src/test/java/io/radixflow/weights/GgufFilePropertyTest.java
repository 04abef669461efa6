package io.radixflow.weights;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.EngineException;
import io.radixflow.model.ModelConfig;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Models;
import io.radixflow.testkit.GgufWriter;
import io.radixflow.testkit.ReferenceBackend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Damaged files end in the one kind of exception, with one line that names the file, or in values; never in anything else. */
class GgufFilePropertyTest {

    private static final int HIDDEN = 32;
    private static final int FFN = 64;
    private static final int VOCAB_SIZE = 8;
    private static final int HEADER_BYTES = 1400;
    private static final long[] NASTY = {0, 1, -1, 7, Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE, 1L << 40};

    private static final byte[] WHOLE = tinyLlama().toBytes();
    private static Path file = Path.of("");

    @BeforeContainer
    static void createFile() throws IOException {
        file = Files.createTempFile("damaged", ".gguf");
    }

    @AfterContainer
    static void deleteFile() throws IOException {
        Files.delete(file);
    }

    @Property(tries = 4)
    void theWholeFileIsRead(@ForAll @IntRange(max = 3) int unusedTail) throws IOException {
        Files.write(file, Arrays.copyOf(WHOLE, WHOLE.length + unusedTail));
        assertThat(useEverything()).isTrue();
    }

    @Property(tries = 200)
    void truncatedFilesAreRefused(@ForAll @IntRange(max = 1 << 20) int length) throws IOException {
        Files.write(file, Arrays.copyOf(WHOLE, length % WHOLE.length));
        assertThat(useEverything()).isFalse();
    }

    @Property(tries = 500)
    void changedBytesAreReadOrRefused(@ForAll @IntRange(min = 1, max = 4) int numChanges, @ForAll long seed)
            throws IOException {
        Random random = new Random(seed);
        byte[] bytes = WHOLE.clone();
        for (int i = 0; i < numChanges; i++) {
            bytes[random.nextInt(HEADER_BYTES)] = (byte) random.nextInt(256);
        }
        Files.write(file, bytes);
        useEverything();
    }

    @Property(tries = 500)
    void nastyNumbersAreReadOrRefused(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        byte[] bytes = WHOLE.clone();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int at = random.nextInt(HEADER_BYTES);
        long number = NASTY[random.nextInt(NASTY.length)];
        if (random.nextBoolean()) {
            buffer.putInt(at, (int) number);
        } else {
            buffer.putLong(at, number);
        }
        Files.write(file, bytes);
        useEverything();
    }

    /** Reads all there is and loads the network; false if something was refused, in the proper words. */
    private static boolean useEverything() {
        try (GgufFile gguf = GgufFile.open(file);
                ModelFiles files = ModelFiles.open(file);
                ReferenceBackend backend = new ReferenceBackend()) {
            GgufMetadata metadata = gguf.metadata();
            metadata.keys().forEach(metadata::describe);
            files.text();
            ModelConfig config = files.config();
            for (GgufTensorInfo info : gguf.tensors()) {
                TensorDecoder.decode(gguf.tensor(info.name()));
            }
            Models.load(files, backend, 2, 2, Math.min(config.contextLen(), 4));
            return true;
        } catch (EngineException e) {
            assertThat(e.category()).isEqualTo(EngineException.Category.CONFIGURATION);
            assertThat(e.getMessage())
                    .startsWith(file.toString())
                    .hasLineCount(1)
                    .hasSizeLessThan(700);
            return false;
        }
    }

    private static GgufWriter tinyLlama() {
        GgufWriter writer = new GgufWriter()
                .put("general.architecture", "llama")
                .put("general.alignment", 32)
                .put("llama.block_count", 1)
                .put("llama.context_length", 16)
                .put("llama.embedding_length", HIDDEN)
                .put("llama.feed_forward_length", FFN)
                .put("llama.attention.head_count", 4)
                .put("llama.attention.head_count_kv", 2)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("llama.rope.freq_base", 1e4f)
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.tokens", List.of("a", "b", "c", "d", "e", "f", "ab", "<end>"))
                .put("tokenizer.ggml.token_type", new int[] {1, 1, 1, 1, 1, 1, 1, 3})
                .put("tokenizer.ggml.merges", List.of("a b"))
                .put("tokenizer.ggml.eos_token_id", 7)
                .put("tokenizer.chat_template", "{{ messages }}");
        matrix(writer, "token_embd", VOCAB_SIZE, HIDDEN);
        matrix(writer, "output_norm", 0, HIDDEN);
        matrix(writer, "blk.0.attn_norm", 0, HIDDEN);
        matrix(writer, "blk.0.attn_q", HIDDEN, HIDDEN);
        matrix(writer, "blk.0.attn_k", HIDDEN / 2, HIDDEN);
        matrix(writer, "blk.0.attn_v", HIDDEN / 2, HIDDEN);
        matrix(writer, "blk.0.attn_output", HIDDEN, HIDDEN);
        matrix(writer, "blk.0.ffn_norm", 0, HIDDEN);
        matrix(writer, "blk.0.ffn_gate", FFN, HIDDEN);
        matrix(writer, "blk.0.ffn_up", FFN, HIDDEN);
        matrix(writer, "blk.0.ffn_down", HIDDEN, FFN);
        return writer;
    }

    private static void matrix(GgufWriter writer, String name, int rows, int cols) {
        writer.tensor(name + ".weight", rows, cols, new float[Math.max(1, rows) * cols]);
    }
}
