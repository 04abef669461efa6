package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of an answer: {@code chat.completion.chunk} objects (for completions {@code text_completion}): one with the role,
 * then texts, then one with the finish reason and the usage.
 */
public final class ChunkWriter {

    private ChunkWriter() {}

    /** The chunk that opens an answer: the role and no text. */
    public static byte[] first(AnswerHead head) {
        return write(head, true, "", null, null);
    }

    /** A chunk with the next text. */
    public static byte[] delta(AnswerHead head, String text) {
        return write(head, false, text, null, null);
    }

    /** The chunk that ends an answer; usage is null if the client does not want it. */
    public static byte[] last(AnswerHead head, CompletionFinish finish, @Nullable Usage usage) {
        return write(head, false, null, finish, usage);
    }

    private static byte[] write(
            AnswerHead head,
            boolean hasRole,
            @Nullable String text,
            @Nullable CompletionFinish finish,
            @Nullable Usage usage) {
        boolean isChat = head.kind() == PromptRecord.Kind.CHAT;
        return AnswerJson.write(head, isChat ? "chat.completion.chunk" : "text_completion", out -> {
            out.writeArrayFieldStart("choices");
            out.writeStartObject();
            out.writeNumberField("index", 0);
            if (isChat) {
                writeDelta(out, hasRole, text);
            } else {
                out.writeStringField("text", text == null ? "" : text);
            }
            out.writeNullField("logprobs");
            out.writeStringField("finish_reason", finish == null ? null : finish.wireName());
            out.writeEndObject();
            out.writeEndArray();
            if (usage != null) {
                AnswerJson.writeUsage(out, usage);
            }
            out.writeStringField("custom_id", head.customId());
        });
    }

    private static void writeDelta(JsonGenerator out, boolean hasRole, @Nullable String text) throws IOException {
        out.writeObjectFieldStart("delta");
        if (hasRole) {
            out.writeStringField("role", "assistant");
        }
        if (text != null) {
            out.writeStringField("content", text);
        }
        out.writeEndObject();
    }
}
