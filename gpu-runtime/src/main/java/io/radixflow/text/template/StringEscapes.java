package io.radixflow.text.template;

import org.jspecify.annotations.Nullable;

/** Escapes in the string literals of a template, which are Python's; an unknown one stays as it is written. */
final class StringEscapes {

    private StringEscapes() {}

    static String decode(String text, int line) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        StringBuilder decoded = new StringBuilder(text.length());
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i++);
            if (c != '\\' || i == text.length()) {
                decoded.append(c);
                continue;
            }
            char escape = text.charAt(i++);
            String plain = plain(escape);
            if (plain != null) {
                decoded.append(plain);
            } else if (escape >= '0' && escape <= '7') {
                int end = i;
                while (end < text.length() && end < i + 2 && text.charAt(end) >= '0' && text.charAt(end) <= '7') {
                    end++;
                }
                decoded.appendCodePoint(Integer.parseInt(text.substring(i - 1, end), 8));
                i = end;
            } else if (escape == 'x' || escape == 'u' || escape == 'U') {
                int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
                decoded.appendCodePoint(hex(text, i, digits, line));
                i += digits;
            } else if (escape == 'N') {
                throw Fault.at(line, "string", "the escape \\N is not supported");
            } else {
                decoded.append('\\').append(escape);
            }
        }
        return decoded.toString();
    }

    private static @Nullable String plain(char escape) {
        return switch (escape) {
            case '\n' -> "";
            case '\\', '\'', '"' -> String.valueOf(escape);
            case 'a' -> "\u0007";
            case 'b' -> "\b";
            case 'f' -> "\f";
            case 'n' -> "\n";
            case 'r' -> "\r";
            case 't' -> "\t";
            case 'v' -> "\u000b";
            default -> null;
        };
    }

    private static int hex(String text, int from, int digits, int line) {
        int value = 0;
        for (int i = from; i < from + digits; i++) {
            int digit = i < text.length() ? hexDigit(text.charAt(i)) : -1;
            if (digit < 0 || value > Character.MAX_CODE_POINT >> 4) {
                throw Fault.at(line, "string", "an escape needs " + digits + " hexadecimal digits of a character");
            }
            value = value * 16 + digit;
        }
        return value;
    }

    private static int hexDigit(char c) {
        return c < 128 ? Character.digit(c, 16) : -1;
    }
}
