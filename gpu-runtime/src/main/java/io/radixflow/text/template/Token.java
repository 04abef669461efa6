package io.radixflow.text.template;

/**
 * A piece of template source.
 *
 * @param text the characters, a string's without quotes and escapes
 * @param line counted from 1
 */
record Token(Kind kind, String text, int line) {

    /** What a token is. */
    enum Kind {
        DATA("text"),
        VARIABLE_BEGIN("'{{'"),
        VARIABLE_END("'}}'"),
        BLOCK_BEGIN("'{%'"),
        BLOCK_END("'%}'"),
        NAME("a name"),
        STRING("a string"),
        INTEGER("a number"),
        FLOAT("a number"),
        OPERATOR("an operator"),
        END("the end of the template");

        final String words;

        Kind(String words) {
            this.words = words;
        }
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    String words() {
        return kind == Kind.NAME || kind == Kind.OPERATOR ? "'" + text + "'" : kind.words;
    }
}
