package io.radixflow.grammar;

import org.jspecify.annotations.Nullable;

/**
 * What must follow a text because its grammar leaves no choice, and whether a token might begin within that and go on behind it. The bytes are
 * read off the automata's edges; no mask is needed. Reused; owned by the thread that owns the states.
 */
public final class ForcedText {

    private static final int CONTINUATION = 0x80; // of a code point's bytes all but the first are 10xxxxxx
    private static final int KIND_BITS = 0xC0;

    private final TokenTrie trie;
    private @Nullable MatchState end;

    public ForcedText(TokenTrie trie) {
        this.trie = trie;
    }

    /**
     * Writes the only bytes that can follow the text of {@code state}, which are the end of {@code into[0, from)}, as far as there is room for
     * them, and whole code points only.
     *
     * @return where they end; {@code from} if there are none
     */
    public int append(MatchState state, byte[] into, int from) {
        LazyStates states = state.owner;
        end = state;
        if (states == null) {
            return from;
        }
        int to = from;
        MatchState at = state;
        for (int next = states.onlyByte(at); next != Dfa.NONE && to < into.length; next = states.onlyByte(at)) {
            at = states.step(at, next);
            into[to++] = (byte) next;
        }
        int whole = Math.max(from, endOfWhole(into, to));
        end = state;
        for (int i = from; i < whole; i++) {
            end = states.step(end, into[i] & 0xFF);
        }
        return end == MatchState.DEAD ? from : whole;
    }

    /** The end of the last code point that is complete, in UTF-8 that is sound so far. */
    private static int endOfWhole(byte[] text, int to) {
        int lead = to - 1;
        while (lead > 0 && isContinuation(text[lead])) {
            lead--;
        }
        if (lead < 0 || text[lead] >= 0) {
            return to;
        }
        int len = Integer.numberOfLeadingZeros(~text[lead] << 24); // ones at the lead's beginning
        return lead + len <= to ? to : lead;
    }

    /** Whether no code point begins with this byte. */
    public static boolean isContinuation(byte value) {
        return (value & KIND_BITS) == CONTINUATION;
    }

    /**
     * Whether a token of the vocabulary begins with the bytes {@code [from, to)}, where {@code to} is the end of what was appended last, and
     * has another byte that the grammar allows there.
     */
    public boolean mayGoOn(byte[] bytes, int from, int to) {
        MatchState behind = end;
        if (behind == null || behind.owner == null) {
            return false;
        }
        int node = 0;
        for (int i = from; i < to && node >= 0; i++) {
            node = trie.child(node, bytes[i]);
        }
        if (node < 0) {
            return false;
        }
        for (int below = node + 1; below < trie.end[node]; below = trie.end[below]) {
            if (behind.owner.step(behind, trie.label[below] & 0xFF) != MatchState.DEAD) {
                return true;
            }
        }
        return false;
    }
}
