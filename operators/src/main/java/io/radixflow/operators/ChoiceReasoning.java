package io.radixflow.operators;

import io.radixflow.text.ReasoningParser;
import io.radixflow.text.ReasoningSplit;
import io.radixflow.text.ReasoningStart;

/**
 * Tells the reasoning of one answer from its content as the text comes, and keeps what no chunk has carried yet. What comes out
 * of the parser depends on the text alone, so a restored answer gives it the text again. Owned by the task thread.
 */
final class ChoiceReasoning {

    static final int UNKNOWN = -1;

    private final ReasoningParser parser;
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder content = new StringBuilder();
    private boolean hasReasoned;
    private int len;

    /** @param len tokens before the content, or {@link #UNKNOWN} while none has come */
    ChoiceReasoning(ReasoningStart start, int len) {
        parser = new ReasoningParser(start);
        this.len = len;
    }

    /** Goes on after text that chunks have carried and text that they have not. */
    void restore(String chunked, String unchunked) {
        add(parser.accept(chunked));
        reasoning.setLength(0);
        content.setLength(0);
        add(parser.accept(unchunked));
    }

    /** Takes the text of the newest token; {@code outputLen} counts it. */
    void accept(String text, int outputLen) {
        add(parser.accept(text));
        if (len == UNKNOWN && !content.isEmpty()) {
            len = hasReasoned ? outputLen - 1 : 0;
        }
    }

    void finish() {
        add(parser.finish());
    }

    private void add(ReasoningSplit split) {
        hasReasoned |= !split.reasoning().isEmpty();
        reasoning.append(split.reasoning());
        content.append(split.content());
    }

    String takeReasoning() {
        return take(reasoning);
    }

    String takeContent() {
        return take(content);
    }

    private static String take(StringBuilder pending) {
        String text = pending.toString();
        pending.setLength(0);
        return text;
    }

    /** Tokens before the content, or {@link #UNKNOWN} while none has come. */
    int len() {
        return len;
    }

    /** Of an answer of so many tokens, those spent on reasoning. */
    int lenOf(int outputLen) {
        if (len != UNKNOWN) {
            return len;
        }
        return hasReasoned ? outputLen : 0;
    }
}
