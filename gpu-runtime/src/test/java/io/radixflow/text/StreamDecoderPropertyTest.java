package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.engine.SamplingParams;
import io.radixflow.testkit.PropertyEvents;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/**
 * Random answers: text with stops, parts of stops and broken UTF-8 in it, cut into tokens of one byte up to all of it, with special tokens
 * between. After each token the decoder must have let out what a naive twin lets out, which decodes the whole anew.
 */
final class StreamDecoderPropertyTest {

    private static final int EVENTS_OF_AN_ANSWER = 5; // so that a run takes about as long as the other properties'
    private static final String SPECIAL = "<|end|>";
    private static final String[] CODE_POINTS = {"a", "b", "ab", "é", "中", "😀", "\uFFFD", "\n", "<|", SPECIAL};

    /**
     * One answer.
     *
     * @param tokens bytes of each token; token i of the answer has id i, ids beyond stand for no text
     * @param isSpecial by token
     */
    private record Answer(
            byte[][] tokens,
            boolean[] isSpecial,
            List<String> stops,
            int minTokens,
            boolean skipsSpecialTokens,
            boolean keepsStop) {

        SamplingParams params() {
            return SamplingParams.builder()
                    .stop(stops)
                    .minTokens(minTokens)
                    .skipSpecialTokens(skipsSpecialTokens)
                    .noStopTrim(keepsStop)
                    .build();
        }

        StreamDecoder decoder() {
            return new StreamDecoder(new TokenBytes(tokens, isSpecial), params());
        }

        byte[] visible(int id) {
            return isSpecial[id] && skipsSpecialTokens ? new byte[0] : tokens[id];
        }
    }

    @Test
    void naiveTwinDecodesAsPythonDoes() {
        for (JsonNode golden : Goldens.json("utf8.json")) {
            byte[] bytes = HexFormat.of().parseHex(golden.get(0).textValue());
            assertThat(NaiveStreamDecoder.decode(bytes, true))
                    .isEqualTo(golden.get(1).textValue());
        }
    }

    @Property(tries = PropertyEvents.TRIES)
    void emitsWhatTheNaiveTwinEmitsAfterEachToken(@ForAll long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < PropertyEvents.perTry() / EVENTS_OF_AN_ANSWER; i++) {
            check(randomAnswer(random), random);
        }
    }

    private static void check(Answer answer, Random random) {
        StreamDecoder decoder = answer.decoder();
        NaiveStreamDecoder naive = new NaiveStreamDecoder(answer.stops, answer.minTokens, answer.keepsStop);
        StringBuilder emitted = new StringBuilder();
        int[] emittedLen = new int[answer.tokens.length + 1];
        for (int id = 0; id < answer.tokens.length; id++) {
            naive.accept(answer.visible(id));
            assertThat(decoder.accept(id)).isEqualTo(naive.isStopped());
            if (random.nextInt(4) == 0) {
                decoder.accept(answer.tokens.length + random.nextInt(3)); // an id without text
                naive.accept(new byte[0]);
            }
            take(decoder, emitted);
            emittedLen[id + 1] = emitted.length();
            assertThat(emitted.toString()).isEqualTo(naive.ready(false));
            assertOnlyAStopIsWithheld(emitted.toString(), naive.ready(true), answer.stops);
        }
        naive.finish();
        decoder.finish();
        take(decoder, emitted);
        assertThat(decoder.isStopped()).isEqualTo(naive.isStopped());
        assertThat(decoder.isStopped() ? answer.stops.get(decoder.matchedStop()) : "")
                .isEqualTo(naive.matchedStop());
        assertThat(emitted.toString()).isEqualTo(naive.ready(true));
        if (answer.minTokens == 0) {
            String shown = answer.keepsStop && naive.isStopped()
                    ? emitted.substring(
                            0, emitted.length() - naive.matchedStop().length())
                    : emitted.toString();
            assertThat(answer.stops).noneMatch(shown::contains);
            assertThat(emitted.toString()).as("the same text as one token").isEqualTo(asOneToken(answer));
            assertGoesOnAfterARestart(answer, emitted.toString(), emittedLen);
        }
    }

    private static void assertOnlyAStopIsWithheld(String emitted, String decoded, List<String> stops) {
        assertThat(decoded).startsWith(emitted);
        String withheld = decoded.substring(emitted.length());
        if (!withheld.isEmpty()) {
            assertThat(stops).anyMatch(stop -> stop.startsWith(withheld) && stop.length() > withheld.length());
        }
    }

    /** At each token: the text so far was delivered, a new decoder is given its tokens again. */
    private static void assertGoesOnAfterARestart(Answer answer, String text, int[] emittedLen) {
        for (int numDelivered = 0; numDelivered <= answer.tokens.length; numDelivered++) {
            StreamDecoder decoder = answer.decoder();
            for (int id = 0; id < numDelivered; id++) {
                decoder.accept(id);
                decoder.consume();
            }
            StringBuilder rest = new StringBuilder();
            for (int id = numDelivered; id < answer.tokens.length; id++) {
                decoder.accept(id);
                take(decoder, rest);
            }
            decoder.finish();
            take(decoder, rest);
            assertThat(rest.toString()).isEqualTo(text.substring(emittedLen[numDelivered]));
        }
    }

    private static String asOneToken(Answer answer) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int id = 0; id < answer.tokens.length; id++) {
            all.writeBytes(answer.visible(id));
        }
        byte[][] one = {all.toByteArray()};
        StreamDecoder decoder = new StreamDecoder(new TokenBytes(one, new boolean[1]), answer.params());
        decoder.accept(0);
        decoder.finish();
        StringBuilder text = new StringBuilder();
        take(decoder, text);
        return text.toString();
    }

    private static void take(StreamDecoder decoder, StringBuilder into) {
        int len = decoder.readyTo() - decoder.readyFrom();
        into.append(new String(decoder.ready(), decoder.readyFrom(), len, StandardCharsets.UTF_8));
        decoder.consume();
        assertThat(decoder.readyTo()).isEqualTo(decoder.readyFrom());
    }

    private static Answer randomAnswer(Random random) {
        List<String> stops = randomStops(random);
        byte[] text = randomText(random, stops);
        int maxTokenBytes = 1 + random.nextInt(random.nextBoolean() ? 3 : 24);
        List<byte[]> tokens = new ArrayList<>();
        List<Boolean> isSpecial = new ArrayList<>();
        for (int from = 0; from < text.length; ) {
            int to = Math.min(text.length, from + 1 + random.nextInt(maxTokenBytes));
            tokens.add(Arrays.copyOfRange(text, from, to));
            isSpecial.add(false);
            if (random.nextInt(12) == 0) {
                tokens.add(SPECIAL.getBytes(StandardCharsets.UTF_8));
                isSpecial.add(true);
            }
            from = to;
        }
        boolean[] flags = new boolean[tokens.size()];
        for (int id = 0; id < flags.length; id++) {
            flags[id] = isSpecial.get(id);
        }
        int minTokens = random.nextInt(3) == 0 ? random.nextInt(8) : 0;
        boolean keepsStop = random.nextInt(4) == 0;
        return new Answer(tokens.toArray(new byte[0][]), flags, stops, minTokens, random.nextBoolean(), keepsStop);
    }

    /** Half of it whole code points; stops, stops without their end, bytes that UTF-8 never has, code points cut short. */
    private static byte[] randomText(Random random, List<String> stops) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        int numPieces = random.nextInt(12);
        for (int i = 0; i < numPieces; i++) {
            byte[] piece = (stops.isEmpty() || random.nextInt(3) > 0 ? pick(random) : any(stops, random))
                    .getBytes(StandardCharsets.UTF_8);
            switch (random.nextInt(8)) {
                case 0 -> text.write(piece, 0, random.nextInt(piece.length + 1));
                case 1 -> text.write(random.nextInt(256));
                default -> text.writeBytes(piece);
            }
        }
        return text.toByteArray();
    }

    /** Some are parts of one another, or overlap. */
    private static List<String> randomStops(Random random) {
        List<String> stops = new ArrayList<>();
        int numStops = random.nextInt(5);
        for (int i = 0; i < numStops; i++) {
            StringBuilder stop = new StringBuilder(pick(random));
            while (random.nextInt(3) > 0) {
                stop.append(pick(random));
            }
            if (!stops.isEmpty() && random.nextInt(3) == 0) {
                String other = any(stops, random);
                stop.insert(0, other.substring(other.offsetByCodePoints(other.length(), -1)));
            }
            stops.add(stop.toString());
        }
        return stops;
    }

    private static String any(List<String> texts, Random random) {
        return texts.get(random.nextInt(texts.size()));
    }

    private static String pick(Random random) {
        return CODE_POINTS[random.nextInt(CODE_POINTS.length)];
    }
}
