package io.radixflow.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The alphabet of byte-level BPE, which writes every byte as a visible character: printable Latin-1 as itself, the 68 other bytes as the
 * characters from U+0100 on [1].
 *
 * <p>[1] Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.
 */
final class ByteLevel {

    private static final int LIMIT = 0x144;
    private static final short[] BYTE_OF_CHAR = byteOfChar();

    private ByteLevel() {}

    private static short[] byteOfChar() {
        short[] bytes = new short[LIMIT];
        Arrays.fill(bytes, (short) -1);
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean isItself = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xFF && b != 0xAD);
            bytes[isItself ? b : next++] = (short) b;
        }
        return bytes;
    }

    /** The bytes that a token stands for; a token with a character outside the alphabet stands for its own UTF-8. */
    static byte[] bytesOf(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = token.charAt(i);
            if (c >= LIMIT || BYTE_OF_CHAR[c] < 0) {
                return token.getBytes(StandardCharsets.UTF_8);
            }
            bytes[i] = (byte) BYTE_OF_CHAR[c];
        }
        return bytes;
    }
}
