package io.radixflow.text.template;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Strings counted in code points, as Python counts them, and Python's idea of white space and line ends. */
final class CodePoints {

    private static final int UPPER_CHUNK_CHARS = 256;

    private CodePoints() {}

    /** In pieces: the JDK copies the whole text anew for each letter that becomes two, such as sharp s. */
    static String upper(String text) {
        if (text.length() <= UPPER_CHUNK_CHARS) {
            return text.toUpperCase(Locale.ROOT);
        }
        StringBuilder upper = new StringBuilder(text.length());
        for (int from = 0; from < text.length(); ) {
            int to = Math.min(text.length(), from + UPPER_CHUNK_CHARS);
            to -= to < text.length() && Character.isLowSurrogate(text.charAt(to)) ? 1 : 0;
            upper.append(text.substring(from, to).toUpperCase(Locale.ROOT));
            from = to;
        }
        return upper.toString();
    }

    /** Likewise: the one letter that becomes two, the dotted I, is exchanged before. Pieces would not know where a word ends. */
    static String lower(String text) {
        return text.replace("\u0130", "i\u0307").toLowerCase(Locale.ROOT);
    }

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** The code point at an index in {@code [0, length)}. */
    static String at(String text, int index) {
        int from = text.offsetByCodePoints(0, index);
        return text.substring(from, text.offsetByCodePoints(from, 1));
    }

    static boolean isSpace(int c) {
        return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || (c >= 0xa0 && Character.isSpaceChar(c));
    }

    static boolean isLineEnd(char c) {
        return (c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    /** Strips white space, or any of the given characters, from either end. */
    static String strip(String text, @Nullable String chars, boolean atStart, boolean atEnd) {
        int from = 0;
        int to = text.length();
        while (atStart && from < to && isStripped(text.codePointAt(from), chars)) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (atEnd && to > from && isStripped(text.codePointBefore(to), chars)) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return text.substring(from, to);
    }

    private static boolean isStripped(int c, @Nullable String chars) {
        return chars == null ? isSpace(c) : chars.indexOf(c) >= 0;
    }
}
