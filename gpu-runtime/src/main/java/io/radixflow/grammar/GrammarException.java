package io.radixflow.grammar;

/** A grammar that can't be compiled or run: unreadable, not enforceable, beyond a limit, or without a match. */
public final class GrammarException extends RuntimeException {

    /** Grammars are quoted in messages, and may be long. */
    private static final int MAX_CHARS = 360;

    public GrammarException(String message) {
        super(message.length() <= MAX_CHARS ? message : message.substring(0, MAX_CHARS) + "…");
    }
}
