package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Whole answers: {@code chat.completion} and {@code text_completion} objects as OpenAI's clients read them. */
public final class CompletionWriter {

    private CompletionWriter() {}

    /** UTF-8 JSON. {@code metadataJson} is an object's JSON text and is copied, or null. */
    public static byte[] write(
            AnswerHead head, String text, CompletionFinish finish, Usage usage, @Nullable String metadataJson) {
        boolean isChat = head.kind() == PromptRecord.Kind.CHAT;
        return AnswerJson.write(head, isChat ? "chat.completion" : "text_completion", out -> {
            out.writeArrayFieldStart("choices");
            writeChoice(out, isChat, text, finish);
            out.writeEndArray();
            AnswerJson.writeUsage(out, usage);
            out.writeStringField("custom_id", head.customId());
            if (metadataJson != null) {
                out.writeFieldName("metadata");
                out.writeRawValue(metadataJson);
            }
        });
    }

    private static void writeChoice(JsonGenerator out, boolean isChat, String text, CompletionFinish finish)
            throws IOException {
        out.writeStartObject();
        out.writeNumberField("index", 0);
        if (isChat) {
            out.writeObjectFieldStart("message");
            out.writeStringField("role", "assistant");
            out.writeStringField("content", text);
            out.writeEndObject();
        } else {
            out.writeStringField("text", text);
        }
        out.writeNullField("logprobs");
        out.writeStringField("finish_reason", finish.wireName());
        out.writeEndObject();
    }
}
