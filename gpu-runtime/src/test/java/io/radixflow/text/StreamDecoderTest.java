package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.radixflow.engine.SamplingParams;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StreamDecoderTest {

    @Test
    void withholdsACodePointUntilItsLastByte() {
        byte[] emoji = "😀".getBytes(StandardCharsets.UTF_8);
        byte[][] tokens = {{emoji[0]}, {emoji[1]}, {emoji[2]}, {emoji[3]}};
        assertThat(deltas(tokens, SamplingParams.builder().build())).containsExactly("", "", "", "😀", "");
    }

    @Test
    void flushesAnUnfinishedCodePointAsOneReplacementCharacter() {
        assertThat(deltas(
                        new byte[][] {{'a'}, {(byte) 0xF0, (byte) 0x9F}, {(byte) 0x98}},
                        SamplingParams.builder().build()))
                .containsExactly("a", "", "", "\uFFFD");
    }

    @Test
    void leaksNothingOfAStopThatIsSplitOverEightTokens() {
        assertThat(deltas(tokens("x", "<", "/", "s", "t", "o", "p", "s", ">"), stop("</stops>")))
                .containsExactly("x", "", "", "", "", "", "", "", "", "");
    }

    @Test
    void releasesWhatTurnsOutToBeNoStop() {
        assertThat(deltas(tokens("ab", "ab", "a", "x", "ab"), stop("abac")))
                .containsExactly("", "ab", "", "abax", "", "ab");
    }

    @Test
    void cutsTheTextBeforeTheStopAndIgnoresTheRest() {
        assertThat(deltas(tokens("one\n", "Us", "er: two", "three"), stop("\nUser:")))
                .containsExactly("one", "", "", "", "");
    }

    @Test
    void prefersTheStopThatIsCompleteFirstThenTheLongest() {
        assertThat(deltas(tokens("abcd"), stop("bcd", "c"))).containsExactly("ab", "");
        assertThat(deltas(tokens("abcd"), stop("c", "abc", "bc"))).containsExactly("", "");
    }

    @Test
    void countsAStopOnlyAfterMinTokens() {
        SamplingParams params =
                SamplingParams.builder().stop(List.of("end")).minTokens(2).build();
        assertThat(deltas(tokens("end", "x", "end", "y"), params)).containsExactly("end", "x", "", "", "");
        assertThat(deltas(tokens("x", "en", "d", "y"), params)).containsExactly("x", "", "", "", "");
    }

    @Test
    void matchesAStopWithALoneSurrogateAgainstTheReplacementCharacter() {
        assertThat(deltas(new byte[][] {{'a'}, {(byte) 0xFF}, {'b'}}, stop("\uD800")))
                .containsExactly("a", "", "", "");
        assertThat(deltas(tokens("a?b"), stop("\uD800"))).containsExactly("a?b", "");
    }

    @Test
    void allocatesNothingForATokenThatIsTakenAtOnce() {
        byte[] emoji = "😀".getBytes(StandardCharsets.UTF_8);
        byte[][] vocabulary = {{'a', 'b'}, {'a', 'c'}, {emoji[0], emoji[1]}, {emoji[2], emoji[3]}, {(byte) 0xFF}};
        StreamDecoder decoder = new StreamDecoder(
                new TokenBytes(vocabulary, new boolean[5]), stop("ab" + "ab".repeat(10) + "!", "cab?"));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        feed(decoder, 20_000, vocabulary.length);
        threads.getThreadAllocatedBytes(thread);
        long before = threads.getThreadAllocatedBytes(thread);
        feed(decoder, 10_000, vocabulary.length);
        assertThat(threads.getThreadAllocatedBytes(thread) - before).isZero();
    }

    private static void feed(StreamDecoder decoder, int numTokens, int vocabSize) {
        for (int i = 0; i < numTokens; i++) {
            decoder.accept(i % vocabSize);
            decoder.consume();
        }
    }

    private static SamplingParams stop(String... stops) {
        return SamplingParams.builder().stop(List.of(stops)).build();
    }

    private static byte[][] tokens(String... texts) {
        byte[][] tokens = new byte[texts.length][];
        for (int i = 0; i < texts.length; i++) {
            tokens[i] = texts[i].getBytes(StandardCharsets.UTF_8);
        }
        return tokens;
    }

    /** What each token adds, and at last what finishing does. */
    private static List<String> deltas(byte[][] tokens, SamplingParams params) {
        StreamDecoder decoder = new StreamDecoder(new TokenBytes(tokens, new boolean[tokens.length]), params);
        List<String> deltas = new ArrayList<>();
        for (int id = 0; id < tokens.length; id++) {
            decoder.accept(id);
            deltas.add(take(decoder));
        }
        decoder.finish();
        deltas.add(take(decoder));
        return deltas;
    }

    private static String take(StreamDecoder decoder) {
        int len = decoder.readyTo() - decoder.readyFrom();
        String delta = new String(decoder.ready(), decoder.readyFrom(), len, StandardCharsets.UTF_8);
        decoder.consume();
        return delta;
    }
}
