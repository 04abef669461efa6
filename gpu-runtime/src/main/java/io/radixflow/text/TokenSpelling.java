package io.radixflow.text;

import java.nio.charset.StandardCharsets;

/**
 * How a vocabulary spells the bytes of a token. Tokens are taken one by one, so the blank that SentencePiece writes before the first word of
 * a text stays when that word begins an answer, as it does in an answer streamed by SGLang.
 */
enum TokenSpelling {
    /** Each byte is a visible character. */
    BYTE_LEVEL {
        @Override
        byte[] bytesOf(String token) {
            return ByteLevel.bytesOf(token);
        }
    },
    /** Text, with {@code ▁} for a blank. */
    METASPACE {
        @Override
        byte[] bytesOf(String token) {
            return token.replace(BLANK, ' ').getBytes(StandardCharsets.UTF_8);
        }
    },
    /** Like that, and bytes of characters that have no token are spelled {@code <0xE2>}. */
    METASPACE_WITH_BYTES {
        @Override
        byte[] bytesOf(String token) {
            int value = byteValue(token);
            return value < 0 ? METASPACE.bytesOf(token) : new byte[] {(byte) value};
        }
    };

    static final char BLANK = '\u2581';

    abstract byte[] bytesOf(String token);

    /** The byte that {@code <0xE2>} stands for, or -1 if the token is none of those. */
    private static int byteValue(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }
}
