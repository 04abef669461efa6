package io.radixflow.schemas;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Log-probabilities in the three shapes that clients know: of chats, of completions, and vLLM's of prompts. */
final class ScoresJson {

    private ScoresJson() {}

    /** The field {@code logprobs} of a choice; a completion's text offsets count code points from {@code firstOffset} on. */
    static void write(JsonGenerator out, boolean isChat, @Nullable List<TokenScore> scores, int firstOffset)
            throws IOException {
        if (scores == null) {
            out.writeNullField("logprobs");
        } else if (isChat) {
            writeChat(out, scores);
        } else {
            writeCompletion(out, scores, firstOffset);
        }
    }

    private static void writeChat(JsonGenerator out, List<TokenScore> scores) throws IOException {
        out.writeObjectFieldStart("logprobs");
        out.writeArrayFieldStart("content");
        for (TokenScore score : scores) {
            out.writeStartObject();
            writeToken(out, score.bytes(), logprob(score));
            out.writeArrayFieldStart("top_logprobs");
            for (TokenScore.TopScore top : score.top()) {
                out.writeStartObject();
                writeToken(out, top.bytes(), top.logprob());
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private static void writeToken(JsonGenerator out, byte[] bytes, float logprob) throws IOException {
        out.writeStringField("token", TokenScore.text(bytes));
        out.writeNumberField("logprob", finite(logprob));
        out.writeArrayFieldStart("bytes");
        for (byte b : bytes) {
            out.writeNumber(b & 0xff);
        }
        out.writeEndArray();
    }

    private static void writeCompletion(JsonGenerator out, List<TokenScore> scores, int firstOffset)
            throws IOException {
        out.writeObjectFieldStart("logprobs");
        out.writeArrayFieldStart("tokens");
        for (TokenScore score : scores) {
            out.writeString(score.text());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("token_logprobs");
        for (TokenScore score : scores) {
            out.writeNumber(logprob(score));
        }
        out.writeEndArray();
        out.writeArrayFieldStart("top_logprobs");
        for (TokenScore score : scores) {
            out.writeStartObject();
            Set<String> named = new HashSet<>();
            for (TokenScore.TopScore top : score.top()) {
                String text = TokenScore.text(top.bytes());
                if (named.add(text)) { // two tokens may be written alike; the likelier one counts
                    out.writeNumberField(text, finite(top.logprob()));
                }
            }
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeArrayFieldStart("text_offset");
        int offset = firstOffset;
        for (TokenScore score : scores) {
            out.writeNumber(offset);
            offset += TokenScore.numCodePoints(score.bytes());
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    /** The field {@code prompt_logprobs}: for each token null or an object from token id to its log-probability. */
    static void writePrompt(JsonGenerator out, List<TokenScore> scores) throws IOException {
        out.writeArrayFieldStart("prompt_logprobs");
        for (TokenScore score : scores) {
            if (score.logprob() == null) {
                out.writeNull();
            } else {
                writePromptToken(out, score, score.logprob());
            }
        }
        out.writeEndArray();
    }

    private static void writePromptToken(JsonGenerator out, TokenScore score, float logprob) throws IOException {
        out.writeStartObject();
        boolean isAmongTop = false;
        for (int i = 0; i < score.top().size(); i++) {
            TokenScore.TopScore top = score.top().get(i);
            isAmongTop |= top.tokenId() == score.tokenId();
            out.writeObjectFieldStart(Integer.toString(top.tokenId()));
            out.writeNumberField("logprob", finite(top.logprob()));
            out.writeNumberField("rank", i + 1);
            out.writeStringField("decoded_token", TokenScore.text(top.bytes()));
            out.writeEndObject();
        }
        if (!isAmongTop) {
            out.writeObjectFieldStart(Integer.toString(score.tokenId()));
            out.writeNumberField("logprob", finite(logprob));
            out.writeNullField("rank");
            out.writeStringField("decoded_token", score.text());
            out.writeEndObject();
        }
        out.writeEndObject();
    }

    private static float logprob(TokenScore score) {
        return score.logprob() == null ? TokenScore.LEAST_LOGPROB : finite(score.logprob());
    }

    private static float finite(float logprob) {
        return Math.max(logprob, TokenScore.LEAST_LOGPROB);
    }
}
