package io.radixflow.text.template;

import java.util.Locale;

/** Integer literals of a template. */
final class Numerals {

    private Numerals() {}

    static Long integer(Token token) {
        try {
            return parse(token.text().replace("_", "").toLowerCase(Locale.ROOT));
        } catch (NumberFormatException e) {
            throw Fault.at(token.line(), "number", "an integer beyond 64 bits");
        }
    }

    private static Long parse(String digits) {
        if (digits.startsWith("0x")) {
            return Long.valueOf(digits.substring(2), 16);
        } else if (digits.startsWith("0o")) {
            return Long.valueOf(digits.substring(2), 8);
        } else if (digits.startsWith("0b")) {
            return Long.valueOf(digits.substring(2), 2);
        }
        return Long.valueOf(digits);
    }
}
