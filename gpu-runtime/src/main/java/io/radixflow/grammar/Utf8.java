package io.radixflow.grammar;

/** Code points as the bytes of UTF-8, range by range. */
final class Utf8 {

    private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

    private Utf8() {}

    /** An automaton over the bytes of the texts that {@code codePoints} accepts. */
    static Dfa encode(Dfa codePoints, Budget budget) {
        Nfa nfa = new Nfa(budget);
        int accept = nfa.addState();
        int first = accept + 1;
        for (int state = 0; state < codePoints.numStates(); state++) {
            nfa.addState();
        }
        for (int state = 0; state < codePoints.numStates(); state++) {
            for (int edge = codePoints.firstEdge(state); edge < codePoints.endEdge(state); edge++) {
                addRange(
                        nfa,
                        first + state,
                        codePoints.low(edge),
                        codePoints.high(edge),
                        first + codePoints.target(edge));
            }
            if (codePoints.isAccepting(state)) {
                nfa.addEpsilon(first + state, accept);
            }
        }
        return nfa.determinize(first, accept);
    }

    /** An automaton over the bytes of one code point out of a set. */
    static Dfa oneOf(CodePointSet set, Budget budget) {
        Nfa nfa = new Nfa(budget);
        int start = nfa.addState();
        int accept = nfa.addState();
        set.ranges().forEach(range -> addRange(nfa, start, range.low(), range.high(), accept));
        return nfa.determinize(start, accept);
    }

    /** Lets the encodings of {@code [low, high]} lead from one state to another. */
    static void addRange(Nfa nfa, int from, int low, int high, int to) {
        int start = low;
        for (int numBytes = 1; numBytes <= 4 && start <= high; numBytes++) {
            int end = Math.min(high, LAST_OF_LENGTH[numBytes - 1]);
            if (start <= end) {
                addSameLength(nfa, from, new int[] {start, end, numBytes}, to);
                start = end + 1;
            }
        }
    }

    /** Splits at continuation bytes until each byte's range is free of the others'. */
    private static void addSameLength(Nfa nfa, int from, int[] range, int to) {
        int low = range[0];
        int high = range[1];
        int numBytes = range[2];
        for (int i = 1; i < numBytes; i++) {
            int mask = (1 << (6 * i)) - 1;
            if ((low & ~mask) != (high & ~mask)) {
                if ((low & mask) != 0) {
                    addSameLength(nfa, from, new int[] {low, low | mask, numBytes}, to);
                    addSameLength(nfa, from, new int[] {(low | mask) + 1, high, numBytes}, to);
                    return;
                }
                if ((high & mask) != mask) {
                    addSameLength(nfa, from, new int[] {low, (high & ~mask) - 1, numBytes}, to);
                    addSameLength(nfa, from, new int[] {high & ~mask, high, numBytes}, to);
                    return;
                }
            }
        }
        int state = from;
        for (int i = 0; i < numBytes; i++) {
            int next = i == numBytes - 1 ? to : nfa.addState();
            nfa.addEdge(state, byteOf(low, i, numBytes), byteOf(high, i, numBytes), next);
            state = next;
        }
    }

    private static int byteOf(int codePoint, int index, int numBytes) {
        int shifted = codePoint >> (6 * (numBytes - 1 - index));
        if (numBytes == 1) {
            return shifted;
        }
        return index > 0 ? 0x80 | (shifted & 0x3F) : ((0xF00 >> numBytes) & 0xFF) | shifted;
    }
}
