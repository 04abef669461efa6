package io.radixflow.testkit;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Random llamas of two layers in this test jar, with a byte-level vocabulary of 264 tokens and a chat template, and the logits that
 * transformers computes from their stored weights (golden/tiny-llama).
 */
public final class TinyModel {

    public static final String F32 = "tied-f32";
    public static final List<String> VARIANTS = List.of(F32, "untied-f16", "tied-q8_0", "tied-q4_0", "tied-q4_1");
    public static final int VOCAB_SIZE = 264;
    public static final int CONTEXT_LEN = 512;

    private static final String FOLDER = "/golden/tiny-llama/";

    private TinyModel() {}

    /** Writes a variant's GGUF file into {@code folder}. */
    public static Path gguf(String variant, Path folder) {
        try {
            return Files.write(folder.resolve(variant + ".gguf"), resource(variant + ".gguf"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The token ids that the golden logits belong to. */
    public static int[][] sequences() {
        try {
            return new ObjectMapper().readValue(resource("sequences.json"), int[][].class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Golden logits of all positions of all {@link #sequences()}, one after the other: {@code [positions][VOCAB_SIZE]}. */
    public static float[][] logits(String variant) {
        ByteBuffer bytes = ByteBuffer.wrap(resource(variant + ".logits")).order(ByteOrder.LITTLE_ENDIAN);
        float[][] logits = new float[bytes.remaining() / (4 * VOCAB_SIZE)][VOCAB_SIZE];
        for (float[] row : logits) {
            for (int i = 0; i < row.length; i++) {
                row[i] = bytes.getFloat();
            }
        }
        return logits;
    }

    private static byte[] resource(String name) {
        try (InputStream in = Objects.requireNonNull(TinyModel.class.getResourceAsStream(FOLDER + name), name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
