package io.radixflow.text.template;

import io.radixflow.text.template.Token.Kind;
import java.util.List;

/** A cursor over tokens for the parsers, which also counts nesting. */
final class TokenStream {

    private final List<Token> tokens;
    private int position;
    private int nesting;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(position);
    }

    Token lookAhead() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(position);
        if (position < tokens.size() - 1) {
            position++;
        }
        return token;
    }

    boolean isAt(Kind kind) {
        return current().kind() == kind;
    }

    boolean isAtOperator(String operator) {
        return current().isOperator(operator);
    }

    boolean isAtName(String name) {
        return current().isName(name);
    }

    boolean skipOperator(String operator) {
        if (!isAtOperator(operator)) {
            return false;
        }
        next();
        return true;
    }

    boolean skipName(String name) {
        if (!isAtName(name)) {
            return false;
        }
        next();
        return true;
    }

    Token expect(Kind kind, String construct) {
        if (!isAt(kind)) {
            throw unexpected(kind.words, construct);
        }
        return next();
    }

    void expectOperator(String operator, String construct) {
        if (!skipOperator(operator)) {
            throw unexpected("'" + operator + "'", construct);
        }
    }

    Fault unexpected(String wanted, String construct) {
        return Fault.at(
                current().line(),
                construct,
                "expected " + wanted + ", found " + current().words());
    }

    void enter(String construct) {
        if (++nesting > Limits.NESTING) {
            throw Fault.at(current().line(), construct, "nested deeper than the limit of " + Limits.NESTING);
        }
    }

    void leave() {
        nesting--;
    }
}
