package io.radixflow.text.template;

/**
 * Why a template can't be parsed or rendered, in one line. Code that works on values throws it without a place; the innermost node that it
 * passes adds line and construct. It quotes names and types, never the text of a message, so that it may be logged.
 */
final class Fault extends IllegalArgumentException {

    private static final int MAX_MESSAGE_CHARS = 500;

    private final boolean isPlaced;

    Fault(String message) {
        this(message, false);
    }

    private Fault(String message, boolean isPlaced) {
        super(message);
        this.isPlaced = isPlaced;
    }

    static Fault at(int line, String construct, String message) {
        String oneLine = message.replaceAll("\\s+", " ").strip();
        String shown =
                oneLine.length() <= MAX_MESSAGE_CHARS ? oneLine : oneLine.substring(0, MAX_MESSAGE_CHARS) + "...";
        return new Fault("chat template line " + line + ", " + construct + ": " + shown, true);
    }

    /** This fault if it has a place already, else one placed at the node. */
    Fault placed(Node node) {
        return isPlaced ? this : at(node.line(), node.construct(), String.valueOf(getMessage()));
    }
}
