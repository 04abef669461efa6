package io.radixflow.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Byte-level decoders that were trained on this repository's texts, one for each architecture, and transformers' fp32 view of texts kept out (golden/trained-decoders). */
public final class TrainedDecoder {

    public static final List<String> ARCHITECTURES = List.of("llama", "qwen2", "qwen3");
    /** A token is a byte. */
    public static final int VOCAB_SIZE = 256;
    /** Of each sequence, and the models' context. */
    public static final int LEN = 128;

    /** Logits are kept at the last of so many positions. */
    private static final int LOGITS_STRIDE = 32;

    private static final String FOLDER = "/golden/trained-decoders/";

    private TrainedDecoder() {}

    /** Lays a model into {@code folder}. */
    public static Path write(String architecture, Path folder) {
        try {
            for (String name : List.of("config.json", "model.safetensors")) {
                Files.write(folder.resolve(name), bytes(architecture + "/" + name));
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Texts that no model has seen: {@code [sequences][LEN]}. */
    public static int[][] sequences() {
        byte[] bytes = bytes("sequences.bin");
        int[][] sequences = new int[bytes.length / LEN][LEN];
        for (int i = 0; i < bytes.length; i++) {
            sequences[i / LEN][i % LEN] = bytes[i] & 0xFF;
        }
        return sequences;
    }

    /** The likeliest token after each of those. */
    public static int[][] likeliest(String architecture) {
        byte[] bytes = bytes(architecture + "/likeliest.bin");
        int[][] likeliest = new int[bytes.length / LEN][LEN];
        for (int i = 0; i < bytes.length; i++) {
            likeliest[i / LEN][i % LEN] = bytes[i] & 0xFF;
        }
        return likeliest;
    }

    /** Whether {@link #logits} has that position of each sequence. */
    public static boolean hasLogits(int position) {
        return position % LOGITS_STRIDE == LOGITS_STRIDE - 1;
    }

    /** Logits of the positions that are kept, in order: {@code [sequences * LEN / stride][VOCAB_SIZE]}. */
    public static float[][] logits(String architecture) {
        ByteBuffer bytes = ByteBuffer.wrap(bytes(architecture + "/logits.bin")).order(ByteOrder.LITTLE_ENDIAN);
        float[][] logits = new float[bytes.remaining() / (Float.BYTES * VOCAB_SIZE)][VOCAB_SIZE];
        for (float[] row : logits) {
            bytes.asFloatBuffer().get(row);
            bytes.position(bytes.position() + Float.BYTES * VOCAB_SIZE);
        }
        return logits;
    }

    private static byte[] bytes(String name) {
        try (InputStream in = Objects.requireNonNull(TrainedDecoder.class.getResourceAsStream(FOLDER + name), name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
