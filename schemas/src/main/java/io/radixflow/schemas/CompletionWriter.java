package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * Whole answers in the form of their request's record: a {@code chat.completion} or {@code text_completion} object as OpenAI's
 * clients read it, the same in a line of a Batch output file, or Avro's {@code CompletionRecord}.
 */
public final class CompletionWriter {

    private static final int OK = 200;

    private CompletionWriter() {}

    /** The record's value. */
    public static byte[] write(AnswerHead head, List<AnswerChoice> choices, Usage usage) {
        return switch (head.envelope()) {
            case BODY ->
                AnswerJson.write(out -> {
                    writeBody(out, head, choices, usage);
                    out.writeStringField("custom_id", head.customId());
                    writeMetadata(out, head);
                });
            case BATCH_LINE -> AnswerJson.write(out -> writeBatchLine(out, head, choices, usage));
            case AVRO -> AvroAnswers.encode(head, choices, usage);
        };
    }

    private static void writeBatchLine(JsonGenerator out, AnswerHead head, List<AnswerChoice> choices, Usage usage)
            throws IOException {
        out.writeStringField("id", "batch_req_" + head.digest());
        out.writeStringField("custom_id", head.customId());
        out.writeObjectFieldStart("response");
        out.writeNumberField("status_code", OK);
        out.writeStringField("request_id", "req_" + head.digest());
        out.writeObjectFieldStart("body");
        writeBody(out, head, choices, usage);
        writeMetadata(out, head);
        out.writeEndObject();
        out.writeEndObject();
        out.writeNullField("error");
    }

    private static void writeBody(JsonGenerator out, AnswerHead head, List<AnswerChoice> choices, Usage usage)
            throws IOException {
        AnswerJson.writeHead(out, head, head.object());
        out.writeArrayFieldStart("choices");
        for (AnswerChoice choice : choices) {
            writeChoice(out, head.isChat(), choice);
        }
        out.writeEndArray();
        AnswerJson.writeUsage(out, usage);
    }

    private static void writeChoice(JsonGenerator out, boolean isChat, AnswerChoice choice) throws IOException {
        out.writeStartObject();
        out.writeNumberField("index", choice.index());
        if (isChat) {
            out.writeObjectFieldStart("message");
            out.writeStringField("role", "assistant");
            out.writeStringField("content", choice.text());
            if (choice.reasoning() != null) {
                out.writeStringField("reasoning_content", choice.reasoning());
            }
            out.writeEndObject();
        } else {
            out.writeStringField("text", choice.text());
        }
        ScoresJson.write(out, isChat, choice.scores(), 0);
        if (choice.promptScores() != null) {
            ScoresJson.writePrompt(out, choice.promptScores());
        }
        AnswerJson.writeFinish(out, choice.finish(), choice.stop());
        out.writeEndObject();
    }

    private static void writeMetadata(JsonGenerator out, AnswerHead head) throws IOException {
        if (head.metadataJson() != null) {
            out.writeFieldName("metadata");
            out.writeRawValue(head.metadataJson());
        }
    }
}
