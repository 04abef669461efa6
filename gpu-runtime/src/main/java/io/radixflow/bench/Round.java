package io.radixflow.bench;

import java.util.List;

/**
 * Requests that start together: the first turns of all conversations at once, each later turn as soon as the one before has ended.
 *
 * @param name of the figures that it gives
 * @param title for people
 * @param isMeasured whether it gives figures; if not, it only prepares the cache
 * @param conversations in order of arrival, each with its turns
 */
public record Round(String name, String title, boolean isMeasured, List<List<Turn>> conversations) {

    public Round {
        conversations = List.copyOf(conversations);
    }

    public int numRequests() {
        return conversations.stream().mapToInt(List::size).sum();
    }

    /** Prompt tokens of all requests, what conversations repeat included. */
    public long numPromptTokens() {
        long sum = 0;
        for (List<Turn> conversation : conversations) {
            long history = 0;
            for (Turn turn : conversation) {
                history += turn.tokens().length;
                sum += history;
                history += turn.outputLen();
            }
        }
        return sum;
    }

    public long numOutputTokens() {
        long sum = 0;
        for (List<Turn> conversation : conversations) {
            for (Turn turn : conversation) {
                sum += turn.outputLen();
            }
        }
        return sum;
    }

    /** Tokens of the longest sequence, its output included. */
    public int maxSequenceLen() {
        int max = 0;
        for (List<Turn> conversation : conversations) {
            int len = 0;
            for (Turn turn : conversation) {
                len += turn.tokens().length + turn.outputLen();
            }
            max = Math.max(max, len);
        }
        return max;
    }
}
