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
import org.jspecify.annotations.Nullable;

/** Random decoders of two layers as transformers writes them, one for each architecture, and what it computes from them (golden/tiny-decoders). */
public final class TinyDecoder {

    public static final List<String> ARCHITECTURES = List.of("llama", "qwen2", "qwen3");
    public static final List<String> ROPE_KINDS = List.of("default", "linear", "dynamic", "yarn", "llama3");
    public static final int VOCAB_SIZE = 96;
    /** The context of the configurations, but for llama3's. */
    public static final int TRAINED_LEN = 64;

    private static final String FOLDER = "/golden/tiny-decoders/";
    private static final List<String> WEIGHT_FILES = List.of(
            "model.safetensors",
            "model.safetensors.index.json",
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors");
    private static final int LOGITS_STRIDE = 4;

    private TinyDecoder() {}

    /** Lays a model into {@code folder}: config.json with that kind of rope, and the weights. */
    public static Path write(String architecture, String ropeKind, Path folder) {
        try {
            Files.write(folder.resolve("config.json"), required(architecture + "/" + ropeKind + ".json"));
            for (String name : WEIGHT_FILES) {
                byte[] bytes = find(architecture + "/" + name);
                if (bytes != null) {
                    Files.write(folder.resolve(name), bytes);
                }
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tokens that {@link #logits} belong to. */
    public static int[] ids(String architecture, String ropeKind) {
        try {
            return new ObjectMapper().readValue(required(architecture + "/" + ropeKind + ".ids.json"), int[].class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The golden logits at a position of {@link #ids}, or null if they aren't kept there. */
    public static float @Nullable [] logits(String architecture, String ropeKind, int position, int numPositions) {
        boolean isLast = position == numPositions - 1;
        if (position % LOGITS_STRIDE != 0 && !isLast) {
            return null;
        }
        int row = isLast ? (numPositions - 1) / LOGITS_STRIDE + 1 : position / LOGITS_STRIDE;
        ByteBuffer bytes = ByteBuffer.wrap(required(architecture + "/" + ropeKind + ".logits"))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] logits = new float[VOCAB_SIZE];
        for (int i = 0; i < VOCAB_SIZE; i++) {
            logits[i] = bytes.getFloat(4 * (row * VOCAB_SIZE + i));
        }
        return logits;
    }

    /** Of bf16 weights, {@code [3][positions]}: tokens in sequences of {@link #TRAINED_LEN}, fp32's and bf16's likeliest tokens after each. */
    public static int[][] bf16Argmax(String architecture) {
        byte[] bytes = required(architecture + "/bf16.argmax");
        int[][] columns = new int[3][bytes.length / 3];
        for (int i = 0; i < bytes.length; i++) {
            columns[i / columns[0].length][i % columns[0].length] = bytes[i] & 0xFF;
        }
        return columns;
    }

    private static byte[] required(String name) {
        return Objects.requireNonNull(find(name), name);
    }

    private static byte @Nullable [] find(String name) {
        try (InputStream in = TinyDecoder.class.getResourceAsStream(FOLDER + name)) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
