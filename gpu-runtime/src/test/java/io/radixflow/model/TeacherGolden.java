package io.radixflow.model;

import io.radixflow.testkit.SequenceRunner;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/**
 * What transformers predicts after each token of ordinary texts (teacher.bin.gz of a golden area).
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

    public static TeacherGolden read(String area) {
        String name = "/golden/" + area + "/teacher.bin.gz";
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

    /**
     * How a model that is fed these texts, {@code maxTokens} tokens a step, agrees with them.
     *
     * @param runner restarted for each text
     */
    Agreement compare(SequenceRunner runner, int maxTokens) {
        Agreement agreement = new Agreement();
        for (Document document : documents) {
            runner.restart();
            int[] ids = document.ids();
            for (int from = 0; from < ids.length; from += maxTokens) {
                int to = Math.min(ids.length, from + maxTokens);
                float[][] logits = runner.append(Arrays.copyOfRange(ids, from, to), maxTokens);
                for (int i = from; i < to; i++) {
                    agreement.add(logits[i - from], document.topIds()[i], document.topLogprobs()[i]);
                }
            }
        }
        return agreement;
    }

    /** Logprobs of each document's tokens after the first, given those before (golden/smollm2/next.bin): {@code [documents][len - 1]}. */
    public static float[][] nextLogprobs() {
        List<Document> documents = read("smollm2").documents();
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
