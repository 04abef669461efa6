package io.radixflow.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/**
 * What transformers predicts after each token of ordinary texts (golden/smollm2/teacher.bin.gz).
 *
 * @param documents in the file's order
 */
public record TeacherGolden(List<Document> documents) {

    /**
     * One text.
     *
     * @param ids its tokens
     * @param topIds {@code [positions][top]} likeliest next tokens, the likeliest first
     * @param topLogprobs {@code [positions][top]} their natural logarithms of probability
     */
    public record Document(int[] ids, int[][] topIds, float[][] topLogprobs) {}

    public static TeacherGolden read() {
        String name = "/golden/smollm2/teacher.bin.gz";
        try (InputStream in =
                new GZIPInputStream(Objects.requireNonNull(TeacherGolden.class.getResourceAsStream(name), name))) {
            ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
            int numDocuments = bytes.getInt();
            int numPositions = bytes.getInt();
            int top = bytes.getInt();
            List<Document> documents = new ArrayList<>();
            for (int i = 0; i < numDocuments; i++) {
                documents.add(document(bytes, numPositions, top));
            }
            return new TeacherGolden(documents);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Logprobs of each document's tokens after the first, given those before (golden/smollm2/next.bin): {@code [documents][len - 1]}. */
    public static float[][] nextLogprobs() {
        List<Document> documents = read().documents();
        String name = "/golden/smollm2/next.bin";
        try (InputStream in = Objects.requireNonNull(TeacherGolden.class.getResourceAsStream(name), name)) {
            ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
            float[][] logprobs = new float[documents.size()][];
            for (int i = 0; i < logprobs.length; i++) {
                logprobs[i] = new float[documents.get(i).ids().length - 1];
                for (int j = 0; j < logprobs[i].length; j++) {
                    logprobs[i][j] = bytes.getFloat();
                }
            }
            return logprobs;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Document document(ByteBuffer bytes, int numPositions, int top) {
        int[] ids = new int[numPositions];
        for (int i = 0; i < numPositions; i++) {
            ids[i] = bytes.getInt();
        }
        int[][] topIds = new int[numPositions][top];
        float[][] topLogprobs = new float[numPositions][top];
        for (int i = 0; i < numPositions; i++) {
            for (int j = 0; j < top; j++) {
                topIds[i][j] = bytes.getInt();
            }
            for (int j = 0; j < top; j++) {
                topLogprobs[i][j] = bytes.getFloat();
            }
        }
        return new Document(ids, topIds, topLogprobs);
    }
}
