package io.radixflow.grammar;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The intermediate grammar that every front end writes: bytes, put together into the bodies of numbered {@link Rules}. Immutable; nobody writes the
 * arrays.
 */
sealed interface Expr {

    int UNBOUNDED = Integer.MAX_VALUE;

    Expr EMPTY = new Literal(new byte[0]);

    /** Exactly these bytes. */
    record Literal(byte[] bytes) implements Expr {}

    /** One after the other. */
    record Sequence(List<Expr> parts) implements Expr {}

    /** Any one of them; none matches nothing at all. */
    record Choice(List<Expr> options) implements Expr {}

    /** {@code min} to {@code max} times in a row. */
    record Repeat(Expr body, int min, int max) implements Expr {}

    /** What the rule matches. */
    record Reference(int rule) implements Expr {}

    /** What the rule matches, {@code min} to {@code max} times in a row, counted at run time rather than by states. */
    record Counted(int rule, int min, int max) implements Expr {}

    /** An automaton over bytes. */
    record Automaton(Dfa dfa) implements Expr {}

    /** A path from state 0 to the last state, each edge read by its expression. */
    record Network(int numStates, List<Edge> edges) implements Expr {}

    /** A part of a {@link Network}. */
    record Edge(int from, int to, Expr label) {}

    static Expr text(String text) {
        return new Literal(text.getBytes(StandardCharsets.UTF_8));
    }

    static Expr sequence(Expr... parts) {
        return new Sequence(List.of(parts));
    }

    static Expr choice(Expr... options) {
        return new Choice(List.of(options));
    }

    static Expr optional(Expr body) {
        return new Repeat(body, 0, 1);
    }
}
