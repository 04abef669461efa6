package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of an answer: {@code chat.completion.chunk} objects (for completions {@code text_completion}), as JSON whatever the
 * request's form. Each choice has one with the role, then texts, then one with the finish reason; the last of all has the usage.
 */
public final class ChunkWriter {

    private ChunkWriter() {}

    /** The chunk that opens a choice: the role and no text. */
    public static byte[] first(AnswerHead head, int index) {
        return write(head, index, null, out -> {
            if (head.isChat()) {
                out.writeObjectFieldStart("delta");
                out.writeStringField("role", "assistant");
                out.writeStringField("content", "");
                out.writeEndObject();
            } else {
                out.writeStringField("text", "");
            }
            out.writeNullField("logprobs");
            AnswerJson.writeFinish(out, null, null);
        });
    }

    /** A chunk with the next text. */
    public static byte[] delta(AnswerHead head, AnswerPiece piece) {
        return write(head, piece.index(), null, out -> {
            if (head.isChat()) {
                writeDelta(out, piece);
            } else {
                out.writeStringField("text", piece.text());
            }
            ScoresJson.write(out, head.isChat(), piece.scores(), piece.scoredChars());
            AnswerJson.writeFinish(out, null, null);
        });
    }

    private static void writeDelta(JsonGenerator out, AnswerPiece piece) throws IOException {
        out.writeObjectFieldStart("delta");
        if (!piece.reasoning().isEmpty()) {
            out.writeStringField("reasoning_content", piece.reasoning());
        }
        if (!piece.text().isEmpty() || piece.reasoning().isEmpty()) {
            out.writeStringField("content", piece.text());
        }
        out.writeEndObject();
    }

    /** The chunk that ends a choice; usage is null unless it is the request's last and the client wants it. */
    public static byte[] last(
            AnswerHead head, int index, CompletionFinish finish, @Nullable StopMatch stop, @Nullable Usage usage) {
        return write(head, index, usage, out -> {
            if (head.isChat()) {
                out.writeObjectFieldStart("delta");
                out.writeEndObject();
            } else {
                out.writeStringField("text", "");
            }
            out.writeNullField("logprobs");
            AnswerJson.writeFinish(out, finish, stop);
        });
    }

    private static byte[] write(AnswerHead head, int index, @Nullable Usage usage, AnswerJson.Body choice) {
        return AnswerJson.write(out -> {
            AnswerJson.writeHead(out, head, head.isChat() ? "chat.completion.chunk" : "text_completion");
            out.writeArrayFieldStart("choices");
            out.writeStartObject();
            out.writeNumberField("index", index);
            choice.write(out);
            out.writeEndObject();
            out.writeEndArray();
            if (usage != null) {
                AnswerJson.writeUsage(out, usage);
            }
            out.writeStringField("custom_id", head.customId());
        });
    }
}
