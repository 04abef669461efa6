package io.radixflow.schemas;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

/**
 * What every object about one answer carries. Made from the request alone, so that a replay gives the same bytes.
 *
 * @param kind of the request
 * @param customId of the request, or the record's identity
 * @param model that answered
 * @param createdSeconds since the epoch: when the record came in
 */
public record AnswerHead(PromptRecord.Kind kind, String customId, String model, long createdSeconds) {

    private static final int ID_BYTES = 12;

    public AnswerHead {
        Objects.requireNonNull(customId, "customId");
        Objects.requireNonNull(model, "model");
    }

    /** The answer's id: always the same for the same {@code custom_id}. */
    public String id() {
        String prefix = kind == PromptRecord.Kind.CHAT ? "chatcmpl-" : "cmpl-";
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(customId.getBytes(StandardCharsets.UTF_8));
            return prefix + HexFormat.of().formatHex(digest, 0, ID_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
