package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.engine.SamplingParams;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every way to cut text into tokens, tried one by one. */
final class StreamDecoderSplitTest {

    private static final SamplingParams PLAIN = SamplingParams.builder().build();
    private static final TokenBytes SINGLE_BYTES = singleBytes();

    /** All of Unicode, each code point between two others and cut at each of its bytes. */
    @Test
    void emitsEachCodePointWithItsLastByte() {
        StreamDecoder decoder = new StreamDecoder(SINGLE_BYTES, PLAIN);
        int numCodePoints = 0;
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
                continue;
            }
            byte[] encoded = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < encoded.length; i++) {
                decoder.accept(encoded[i] & 0xFF);
                boolean isWhole = i + 1 == encoded.length;
                assertReady(decoder, codePoint, isWhole ? encoded : new byte[0]);
                decoder.consume();
            }
            numCodePoints++;
        }
        decoder.finish();
        assertThat(decoder.readyTo()).isEqualTo(decoder.readyFrom());
        assertThat(numCodePoints).isEqualTo(0x110000 - 0x800);
    }

    /** Plain loops: assertions on each of a million code points would take most of the time. */
    private static void assertReady(StreamDecoder decoder, int codePoint, byte[] expected) {
        if (!Arrays.equals(decoder.ready(), decoder.readyFrom(), decoder.readyTo(), expected, 0, expected.length)) {
            throw new AssertionError("U+" + Integer.toHexString(codePoint) + " comes out as "
                    + Arrays.toString(Arrays.copyOfRange(decoder.ready(), decoder.readyFrom(), decoder.readyTo())));
        }
    }

    /** Each of the 2^(bytes - 1) ways, with stops that overlap, are one another's parts, and end with or within the text. */
    @Test
    void findsStopsHoweverTheTextIsCut() {
        assertCutBefore("aé中😀b", List.of(), "aé中😀b");
        assertCutBefore("aé中😀b", List.of("中😀b"), "aé");
        assertCutBefore("😀😀b", List.of("😀b", "b"), "😀");
        assertCutBefore("ababacab", List.of("abac"), "ab");
        assertCutBefore("xabcdy", List.of("abcde", "bcd", "cdz"), "xa");
        assertCutBefore("x</stop>y", List.of("</stop>", "</s>"), "x");
        assertCutBefore("x</stop", List.of("</stop>", "stopp"), "x</stop");
        assertCutBefore("中国中国人", List.of("中国人"), "中国");
    }

    private static void assertCutBefore(String text, List<String> stops, String expected) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        SamplingParams params = SamplingParams.builder().stop(stops).build();
        for (int cuts = 0; cuts < 1 << (bytes.length - 1); cuts++) {
            byte[][] tokens = cut(bytes, cuts);
            StreamDecoder decoder = new StreamDecoder(new TokenBytes(tokens, new boolean[tokens.length]), params);
            ByteArrayOutputStream emitted = new ByteArrayOutputStream();
            for (int id = 0; id < tokens.length; id++) {
                decoder.accept(id);
                emitted.write(decoder.ready(), decoder.readyFrom(), decoder.readyTo() - decoder.readyFrom());
                decoder.consume();
                assertThat(expected).startsWith(emitted.toString(StandardCharsets.UTF_8));
            }
            decoder.finish();
            emitted.write(decoder.ready(), decoder.readyFrom(), decoder.readyTo() - decoder.readyFrom());
            assertThat(emitted.toString(StandardCharsets.UTF_8)).isEqualTo(expected);
            assertThat(decoder.isStopped()).isEqualTo(expected.length() < text.length());
        }
    }

    /** Bit i of {@code cuts} says whether a token ends after byte i. */
    private static byte[][] cut(byte[] bytes, int cuts) {
        byte[][] tokens = new byte[Integer.bitCount(cuts) + 1][];
        int from = 0;
        for (int id = 0; id < tokens.length; id++) {
            int to = from + 1;
            while (to < bytes.length && (cuts >> (to - 1) & 1) == 0) {
                to++;
            }
            tokens[id] = Arrays.copyOfRange(bytes, from, to);
            from = to;
        }
        return tokens;
    }

    private static TokenBytes singleBytes() {
        byte[][] tokens = new byte[256][];
        for (int b = 0; b < tokens.length; b++) {
            tokens[b] = new byte[] {(byte) b};
        }
        return new TokenBytes(tokens, new boolean[tokens.length]);
    }
}
