package io.radixflow.text;

import java.nio.charset.StandardCharsets;

/** Java strings to UTF-8. */
final class Utf8 {

    static final char REPLACEMENT = '\uFFFD';

    private Utf8() {}

    /**
     * The text with each lone surrogate replaced by U+FFFD; the same object if there is none. UTF-8 can't hold lone surrogates: Java would
     * write a question mark, the native tokenizer would read garbage.
     */
    static String wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                int width = Character.charCount(text.codePointAt(i));
                if (width == 1) {
                    return replaceLoneSurrogates(text, i);
                }
                i++;
            }
        }
        return text;
    }

    private static String replaceLoneSurrogates(String text, int from) {
        StringBuilder out = new StringBuilder(text.length()).append(text, 0, from);
        for (int i = from; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            int width = Character.charCount(codePoint);
            boolean isLone = width == 1 && Character.isSurrogate((char) codePoint);
            out.appendCodePoint(isLone ? REPLACEMENT : codePoint);
            i += width;
        }
        return out.toString();
    }

    static byte[] bytesOf(String text) {
        return wellFormed(text).getBytes(StandardCharsets.UTF_8);
    }
}
