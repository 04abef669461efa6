package io.radixflow.text.template;

/** Arithmetic operators, as written. */
enum BinaryOperator {
    ADD("+"),
    SUBTRACT("-"),
    MULTIPLY("*"),
    DIVIDE("/"),
    FLOOR_DIVIDE("//"),
    MODULO("%"),
    POWER("**");

    final String symbol;

    BinaryOperator(String symbol) {
        this.symbol = symbol;
    }
}
