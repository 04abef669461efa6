package io.radixflow.grammar;

/** A grammar that can't be compiled or run: unreadable, not enforceable, beyond a limit, or without a match. */
public final class GrammarException extends RuntimeException {

    public GrammarException(String message) {
        super(message);
    }
}
