package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** The parts that whole answers and chunks have in common. Thread-safe. */
final class AnswerJson {

    private static final JsonFactory FACTORY = new JsonFactory();

    private AnswerJson() {}

    /** Writes the fields of one object. */
    interface Body {
        void write(JsonGenerator out) throws IOException;
    }

    /** One JSON object. */
    static byte[] write(Body fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
            out.writeStartObject();
            fields.write(out);
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    static void writeHead(JsonGenerator out, AnswerHead head, String object) throws IOException {
        out.writeStringField("id", head.id());
        out.writeStringField("object", object);
        out.writeNumberField("created", head.createdSeconds());
        out.writeStringField("model", head.model());
    }

    static void writeFinish(JsonGenerator out, @Nullable CompletionFinish finish, @Nullable StopMatch stop)
            throws IOException {
        out.writeStringField("finish_reason", finish == null ? null : finish.wireName());
        if (finish == null) {
            return;
        }
        if (stop == null) {
            out.writeNullField("matched_stop");
        } else if (stop.text() == null) {
            out.writeNumberField("matched_stop", stop.tokenId());
        } else {
            out.writeStringField("matched_stop", stop.text());
        }
    }

    static void writeUsage(JsonGenerator out, Usage usage) throws IOException {
        out.writeObjectFieldStart("usage");
        out.writeNumberField("prompt_tokens", usage.promptTokens());
        out.writeNumberField("completion_tokens", usage.completionTokens());
        out.writeNumberField("total_tokens", usage.promptTokens() + usage.completionTokens());
        out.writeObjectFieldStart("prompt_tokens_details");
        out.writeNumberField("cached_tokens", usage.cachedTokens());
        out.writeEndObject();
        if (usage.reasoningTokens() != null) {
            out.writeObjectFieldStart("completion_tokens_details");
            out.writeNumberField("reasoning_tokens", usage.reasoningTokens());
            out.writeEndObject();
        }
        out.writeEndObject();
    }
}
