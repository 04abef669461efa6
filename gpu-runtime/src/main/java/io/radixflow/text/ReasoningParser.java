package io.radixflow.text;

/**
 * Tells the reasoning of one answer from its content, as the text comes: reasoning ends with the first {@code </think>}.
 *
 * <p>The tags belong to neither, nor does the white space around them: what follows {@code <think>}, what surrounds {@code </think>}.
 * So a {@code <think>} that may yet be one is withheld, and so is white space that {@code </think>} may follow, with as much of the tag as
 * has come; nothing else. An answer that ends within its reasoning has no content; white space at its end is left out. Tags further on are
 * content.
 *
 * <p>What has come out after some text depends on that text alone, however it was cut. So a parser is restored by giving a new one the text
 * so far, and {@link #split} equals all the deltas together. SGLang's streaming differs from its whole-text parsing in the white space, and
 * leaves out later tags too.
 *
 * <p>One per answer, used by one thread at a time. Work is linear in the text.
 */
public final class ReasoningParser {

    static final String OPENING_TAG = "<think>";
    private static final String CLOSING_TAG = "</think>"; // like the opening one, it has its first character only once

    private enum Phase {
        OPENING,
        REASONING,
        CLOSED,
        CONTENT
    }

    private final boolean isOpen; // reasoning begins without its tag
    private Phase phase;
    private final StringBuilder withheld =
            new StringBuilder(); // white space, then the first tagLen characters of a tag
    private int tagLen;
    private boolean hasReasoned;
    private final StringBuilder reasoning = new StringBuilder(); // not yet taken
    private final StringBuilder content = new StringBuilder();

    public ReasoningParser(ReasoningStart start) {
        isOpen = start == ReasoningStart.AT_ONCE;
        phase = start == ReasoningStart.NEVER ? Phase.CONTENT : Phase.OPENING;
    }

    /** Splits a whole answer. */
    public static ReasoningSplit split(ReasoningStart start, String answer) {
        ReasoningParser parser = new ReasoningParser(start);
        parser.read(answer);
        return parser.finish();
    }

    /** Takes the next part of the answer and gives what it adds to either side; both are empty if all of it is withheld. */
    public ReasoningSplit accept(String text) {
        read(text);
        return take();
    }

    /** Nothing follows: gives what was withheld and turned out to be no tag. */
    public ReasoningSplit finish() {
        if (phase == Phase.OPENING) {
            endOpening();
        }
        if (tagLen > 0) {
            releaseWithheld();
        }
        withheld.setLength(0);
        return take();
    }

    private void read(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (phase == Phase.CONTENT) {
                content.append(text, i, text.length());
                return;
            }
            read(text.charAt(i));
        }
    }

    private void read(char c) {
        switch (phase) {
            case OPENING -> readOpening(c);
            case REASONING -> readReasoning(c);
            case CLOSED -> {
                if (!Character.isWhitespace(c)) {
                    content.append(c);
                    phase = Phase.CONTENT;
                }
            }
            case CONTENT -> content.append(c);
        }
    }

    private void readOpening(char c) {
        if (c == OPENING_TAG.charAt(tagLen)) {
            withheld.append(c);
            if (++tagLen == OPENING_TAG.length()) {
                dropWithheld();
                phase = Phase.REASONING;
            }
        } else if (!isOpen || tagLen > 0 || !Character.isWhitespace(c)) {
            endOpening();
            read(c);
        }
    }

    /** The answer doesn't begin with the tag: what looked like it is text, of which reasoning may be the start of its closing tag. */
    private void endOpening() {
        String text = withheld.toString();
        dropWithheld();
        phase = isOpen ? Phase.REASONING : Phase.CONTENT;
        read(text);
    }

    private void readReasoning(char c) {
        if (tagLen > 0 && c != CLOSING_TAG.charAt(tagLen)) {
            releaseWithheld();
        }
        if (c == CLOSING_TAG.charAt(tagLen)) {
            withheld.append(c);
            if (++tagLen == CLOSING_TAG.length()) {
                dropWithheld();
                phase = Phase.CLOSED;
            }
        } else if (!Character.isWhitespace(c)) {
            releaseWithheld();
            reasoning.append(c);
            hasReasoned = true;
        } else if (hasReasoned) {
            withheld.append(c);
        }
    }

    private void releaseWithheld() {
        if (!withheld.isEmpty()) {
            reasoning.append(withheld);
            hasReasoned = true;
        }
        dropWithheld();
    }

    private void dropWithheld() {
        withheld.setLength(0);
        tagLen = 0;
    }

    private ReasoningSplit take() {
        ReasoningSplit split = new ReasoningSplit(reasoning.toString(), content.toString());
        reasoning.setLength(0);
        content.setLength(0);
        return split;
    }
}
