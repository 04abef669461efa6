package io.radixflow.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What {@link StreamDecoder} must do, by decoding the whole byte string anew for each token and searching it with string methods. */
final class NaiveStreamDecoder {

    private static final Set<String> UNFINISHED = unfinishedSequences();

    private final List<String> stops;
    private final int minTokens;
    private final boolean keepsStop;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int numTokens;
    private String text = "";
    private String matchedStop = "";

    NaiveStreamDecoder(List<String> stops, int minTokens, boolean keepsStop) {
        this.stops = stops;
        this.minTokens = minTokens;
        this.keepsStop = keepsStop;
    }

    void accept(byte[] token) {
        numTokens++;
        bytes.writeBytes(token);
        extend(decode(bytes.toByteArray(), false));
    }

    void finish() {
        extend(decode(bytes.toByteArray(), true));
    }

    boolean isStopped() {
        return !matchedStop.isEmpty();
    }

    /** The stop that was found, or empty. */
    String matchedStop() {
        return matchedStop;
    }

    /** All the text before the stop, or before what may become one. */
    String ready(boolean isFinished) {
        if (isStopped() || isFinished) {
            return text;
        }
        int held = 0;
        for (String stop : stops) {
            for (int len = 1; len < stop.length(); len++) {
                if (text.endsWith(stop.substring(0, len)) && !Character.isHighSurrogate(stop.charAt(len - 1))) {
                    held = Math.max(held, len);
                }
            }
        }
        return text.substring(0, text.length() - held);
    }

    /** Looks at each end of a code point that this token added. */
    private void extend(String whole) {
        if (isStopped()) {
            return;
        }
        int from = text.length();
        text = whole;
        for (int end = from + 1; end <= whole.length() && numTokens > minTokens; end++) {
            String head = whole.substring(0, end);
            for (String stop : stops) {
                if (head.endsWith(stop) && stop.length() > matchedStop.length()) {
                    matchedStop = stop;
                }
            }
            if (isStopped()) {
                text = keepsStop ? head : head.substring(0, end - matchedStop.length());
                return;
            }
        }
    }

    /** Python's {@code bytes.decode("utf-8", "replace")}; unless final, without an unfinished sequence at the end. */
    static String decode(byte[] bytes, boolean isFinal) {
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < bytes.length) {
            int sound = soundLen(bytes, at);
            if (sound > 0) {
                out.append(new String(bytes, at, sound, StandardCharsets.UTF_8));
                at += sound;
                continue;
            }
            int broken = 1;
            for (int len = 1; len <= 3 && at + len <= bytes.length; len++) {
                if (UNFINISHED.contains(latin1(bytes, at, len))) {
                    broken = len;
                    if (at + len == bytes.length && !isFinal) {
                        return out.toString();
                    }
                }
            }
            out.append('\uFFFD');
            at += broken;
        }
        return out.toString();
    }

    private static int soundLen(byte[] bytes, int at) {
        for (int len = 1; len <= 4 && at + len <= bytes.length; len++) {
            byte[] sequence = Arrays.copyOfRange(bytes, at, at + len);
            String decoded = new String(sequence, StandardCharsets.UTF_8);
            if (Arrays.equals(decoded.getBytes(StandardCharsets.UTF_8), sequence)) {
                return len;
            }
        }
        return 0;
    }

    private static Set<String> unfinishedSequences() {
        Set<String> unfinished = new HashSet<>();
        for (int codePoint = 0x80; codePoint <= Character.MAX_CODE_POINT; codePoint += 64) {
            if (codePoint < Character.MIN_SURROGATE || codePoint > Character.MAX_SURROGATE) {
                byte[] encoded = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
                for (int len = 1; len < encoded.length; len++) {
                    unfinished.add(latin1(encoded, 0, len));
                }
            }
        }
        return unfinished;
    }

    private static String latin1(byte[] bytes, int from, int len) {
        return new String(bytes, from, len, StandardCharsets.ISO_8859_1);
    }
}
