package io.radixflow.text;

import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Encodes a text piece by piece, so that pieces which many texts share are encoded once.
 *
 * <p>A tokenizer cuts a text at its added tokens (those of a chat template, such as {@code <|im_end|>}) before it does anything else,
 * so the ids of what lies between two of them depend on nothing outside. These segments are kept with their ids, least recently used
 * first to go: a system prompt that all requests of a group begin with is encoded for the first of them only. The ids are exactly those
 * of {@link Tokenizer#encode}; a tokenizer that can't promise it names no separators, and then whole texts are kept.
 *
 * <p>Owned by one thread.
 */
public final class SegmentCache {

    /** About what an entry takes beside its characters and ids. */
    private static final int ENTRY_BYTES = 160;
    /** A larger segment would push out too many others. */
    private static final int MAX_SHARE = 8;

    private static final int FIRST_CAPACITY = 512;

    private final Tokenizer tokenizer;
    private final long maxBytes;
    /** Longest first, so that of two that begin alike the longer one is found, as the tokenizer does it. */
    private final String[] separators;

    private final String firstChars;
    private final int[] separatorIds;
    private final Map<String, int[]> segments = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    /** @param maxBytes of all segments that are kept, about */
    public SegmentCache(Tokenizer tokenizer, long maxBytes) {
        this.tokenizer = tokenizer;
        this.maxBytes = maxBytes;
        List<String> sorted = tokenizer.separators().stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList();
        separators = sorted.toArray(String[]::new);
        separatorIds = sorted.stream().mapToInt(tokenizer::idOf).toArray();
        StringBuilder first = new StringBuilder();
        for (String separator : separators) {
            if (first.indexOf(separator.substring(0, 1)) < 0) {
                first.append(separator.charAt(0));
            }
        }
        firstChars = first.toString();
    }

    /** The ids of {@link Tokenizer#encode}; nobody writes the array. */
    public int[] encode(String text) {
        String sound = Utf8.wellFormed(text);
        int[] ids = new int[FIRST_CAPACITY];
        int numIds = 0;
        int from = 0;
        for (int at = 0; at < sound.length(); ) {
            int separator = separatorAt(sound, at);
            if (separator < 0) {
                at++;
                continue;
            }
            int[] before = segment(sound, from, at);
            ids = withRoom(ids, numIds + before.length + 1);
            System.arraycopy(before, 0, ids, numIds, before.length);
            numIds += before.length;
            ids[numIds++] = separatorIds[separator];
            at += separators[separator].length();
            from = at;
        }
        int[] last = segment(sound, from, sound.length());
        if (numIds == 0) {
            return last;
        }
        int[] all = Arrays.copyOf(ids, numIds + last.length);
        System.arraycopy(last, 0, all, numIds, last.length);
        return all;
    }

    private int separatorAt(String text, int at) {
        if (firstChars.indexOf(text.charAt(at)) >= 0) {
            for (int i = 0; i < separators.length; i++) {
                if (text.startsWith(separators[i], at)) {
                    return i;
                }
            }
        }
        return -1;
    }

    private static int[] withRoom(int[] ids, int needed) {
        return needed <= ids.length ? ids : Arrays.copyOf(ids, Math.max(needed, 2 * ids.length));
    }

    private int[] segment(String text, int from, int to) {
        if (from == to) {
            return new int[0];
        }
        String segment = text.substring(from, to);
        int[] known = segments.get(segment);
        if (known != null) {
            return known;
        }
        int[] ids = tokenizer.encode(segment);
        keep(segment, ids);
        return ids;
    }

    private void keep(String segment, int[] ids) {
        long cost = cost(segment, ids);
        if (cost > maxBytes / MAX_SHARE) {
            return;
        }
        segments.put(segment, ids);
        bytes += cost;
        var eldest = segments.entrySet().iterator();
        while (bytes > maxBytes) {
            var entry = eldest.next();
            bytes -= cost(entry.getKey(), entry.getValue());
            eldest.remove();
        }
    }

    private static long cost(String segment, int[] ids) {
        return ENTRY_BYTES + (long) Character.BYTES * segment.length() + (long) Integer.BYTES * ids.length;
    }

    /** About what the kept segments take, at most what was allowed. */
    long bytes() {
        return bytes;
    }

    int numSegments() {
        return segments.size();
    }
}
