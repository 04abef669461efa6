package io.radixflow.schemas;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How likely one token was; nobody writes the array.
 *
 * @param tokenId of the token
 * @param bytes of its text; one token need not be whole characters
 * @param logprob natural logarithm of its probability; null for a prompt's first token, which nothing predicts
 * @param top the most likely tokens in its place, best first
 */
public record TokenScore(
        int tokenId, byte[] bytes, @Nullable Float logprob, List<TopScore> top) {

    /** Where JSON can't say minus infinity; OpenAI's own stand-in. */
    static final float LEAST_LOGPROB = -9999f;

    public TokenScore {
        top = List.copyOf(top);
    }

    /** One of the most likely tokens; nobody writes the array. */
    public record TopScore(int tokenId, byte[] bytes, float logprob) {}

    /** Code points that begin in these bytes. */
    public static int numCodePoints(byte[] bytes) {
        int number = 0;
        for (byte b : bytes) {
            number += (b & 0xc0) == 0x80 ? 0 : 1;
        }
        return number;
    }

    String text() {
        return text(bytes);
    }

    /** The token's text; bytes that are no whole characters as OpenAI writes them: {@code bytes:\xe2\x80}. */
    static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            StringBuilder text = new StringBuilder("bytes:");
            for (byte b : bytes) {
                text.append("\\x").append(Character.forDigit((b >> 4) & 15, 16)).append(Character.forDigit(b & 15, 16));
            }
            return text.toString();
        }
    }
}
