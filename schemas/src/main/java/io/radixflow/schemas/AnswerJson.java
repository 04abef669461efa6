package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** The parts that whole answers and chunks have in common. Thread-safe. */
final class AnswerJson {

    private static final JsonFactory FACTORY = new JsonFactory();

    private AnswerJson() {}

    /** Writes the fields of one object. */
    interface Body {
        void write(JsonGenerator out) throws IOException;
    }

    static byte[] write(AnswerHead head, String object, Body body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
            out.writeStartObject();
            out.writeStringField("id", head.id());
            out.writeStringField("object", object);
            out.writeNumberField("created", head.createdSeconds());
            out.writeStringField("model", head.model());
            body.write(out);
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    static void writeUsage(JsonGenerator out, Usage usage) throws IOException {
        out.writeObjectFieldStart("usage");
        out.writeNumberField("prompt_tokens", usage.promptTokens());
        out.writeNumberField("completion_tokens", usage.completionTokens());
        out.writeNumberField("total_tokens", usage.promptTokens() + usage.completionTokens());
        out.writeObjectFieldStart("prompt_tokens_details");
        out.writeNumberField("cached_tokens", usage.cachedTokens());
        out.writeEndObject();
        out.writeEndObject();
    }
}
