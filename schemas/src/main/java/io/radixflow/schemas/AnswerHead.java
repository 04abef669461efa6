package io.radixflow.schemas;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What every object about one answer carries. Made from the request alone, so that a replay gives the same bytes.
 *
 * @param kind of the request
 * @param envelope the form of the request's record
 * @param customId of the request, or the record's identity
 * @param model that answered
 * @param createdSeconds since the epoch: when the record came in
 * @param metadataJson an object as JSON text, copied from the request, or null
 */
public record AnswerHead(
        Prompt.Kind kind,
        Prompt.Envelope envelope,
        String customId,
        String model,
        long createdSeconds,
        @Nullable String metadataJson) {

    private static final int ID_BYTES = 12;

    public AnswerHead {
        Objects.requireNonNull(customId, "customId");
        Objects.requireNonNull(model, "model");
    }

    boolean isChat() {
        return kind == Prompt.Kind.CHAT;
    }

    /** The answer's id: always the same for the same {@code custom_id}. */
    public String id() {
        return (isChat() ? "chatcmpl-" : "cmpl-") + digest();
    }

    /** Of a whole answer. */
    String object() {
        return isChat() ? "chat.completion" : "text_completion";
    }

    /** Hexadecimal digits that follow from the {@code custom_id}. */
    String digest() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(customId.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, ID_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
