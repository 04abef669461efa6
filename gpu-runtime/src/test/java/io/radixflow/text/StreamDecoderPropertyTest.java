package io.radixflow.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.engine.SamplingParams;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

final class StreamDecoderPropertyTest {

    private static final String[] CODE_POINTS = {"a", "b", "ab", "é", "中", "😀", "\uFFFD"};

    @Test
    void naiveTwinDecodesAsPythonDoes() {
        for (JsonNode golden : Goldens.json("utf8.json")) {
            byte[] bytes = HexFormat.of().parseHex(golden.get(0).textValue());
            assertThat(NaiveStreamDecoder.decode(bytes, true))
                    .isEqualTo(golden.get(1).textValue());
        }
    }

    @Property(tries = 2000)
    void emitsWhatTheNaiveTwinEmitsAfterEachToken(@ForAll long seed) {
        Random random = new Random(seed);
        byte[][] vocabulary = randomVocabulary(random);
        boolean[] isSpecial = new boolean[vocabulary.length];
        isSpecial[0] = true;
        boolean skipsSpecial = random.nextBoolean();
        List<String> stops = randomStops(random);
        int minTokens = random.nextInt(3) == 0 ? random.nextInt(8) : 0;
        SamplingParams params = SamplingParams.builder()
                .stop(stops)
                .minTokens(minTokens)
                .skipSpecialTokens(skipsSpecial)
                .build();
        StreamDecoder decoder = new StreamDecoder(new TokenBytes(vocabulary, isSpecial), params);
        NaiveStreamDecoder naive = new NaiveStreamDecoder(stops, minTokens);
        StringBuilder emitted = new StringBuilder();
        int numTokens = random.nextInt(40);
        for (int i = 0; i < numTokens; i++) {
            int id = random.nextInt(vocabulary.length + 1);
            boolean isEmpty = id == vocabulary.length || (isSpecial[id] && skipsSpecial);
            naive.accept(isEmpty ? new byte[0] : vocabulary[id]);
            assertThat(decoder.accept(id)).isEqualTo(naive.isStopped());
            if (random.nextBoolean()) {
                take(decoder, emitted);
                assertThat(emitted.toString()).isEqualTo(naive.ready(false));
            }
        }
        naive.finish();
        decoder.finish();
        take(decoder, emitted);
        assertThat(decoder.isStopped()).isEqualTo(naive.isStopped());
        assertThat(emitted.toString()).isEqualTo(naive.ready(true));
    }

    private static void take(StreamDecoder decoder, StringBuilder into) {
        int len = decoder.readyTo() - decoder.readyFrom();
        into.append(new String(decoder.ready(), decoder.readyFrom(), len, StandardCharsets.UTF_8));
        decoder.consume();
        assertThat(decoder.readyTo()).isEqualTo(decoder.readyFrom());
    }

    /** Mostly sound text cut anywhere, some bytes that UTF-8 never has. */
    private static byte[][] randomVocabulary(Random random) {
        byte[][] vocabulary = new byte[12][];
        for (int id = 0; id < vocabulary.length; id++) {
            byte[] whole = (pick(random) + pick(random) + pick(random)).getBytes(StandardCharsets.UTF_8);
            int from = random.nextInt(whole.length);
            int to = from + random.nextInt(whole.length - from + 1);
            vocabulary[id] = Arrays.copyOfRange(whole, from, to);
            if (vocabulary[id].length > 0 && random.nextInt(8) == 0) {
                vocabulary[id][0] = (byte) random.nextInt(256);
            }
        }
        return vocabulary;
    }

    private static List<String> randomStops(Random random) {
        List<String> stops = new ArrayList<>();
        int numStops = random.nextInt(4);
        for (int i = 0; i < numStops; i++) {
            StringBuilder stop = new StringBuilder(pick(random));
            while (random.nextInt(3) > 0) {
                stop.append(pick(random));
            }
            stops.add(stop.toString());
        }
        return stops;
    }

    private static String pick(Random random) {
        return CODE_POINTS[random.nextInt(CODE_POINTS.length)];
    }
}
