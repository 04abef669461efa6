package io.radixflow.grammar;

/**
 * Spells texts as the inside of JSON strings: each code point as itself in UTF-8 where JSON allows that, as one of the short escapes, or as one or
 * two {@code \}{@code u} escapes in either case. If no text needs an escape, none is taken: that is a tenth of the states.
 */
final class JsonEscapes {

    private static final String SHORT_ESCAPES = "\"\\/bfnrt";
    private static final String SHORT_ESCAPED = "\"\\/\b\f\n\r\t";

    private final Budget budget;
    private final Nfa nfa;

    JsonEscapes(Budget budget) {
        this.budget = budget;
        nfa = new Nfa(budget);
    }

    /** An automaton over bytes from one over code points. Texts that need no escapes get none. */
    Dfa encode(Dfa text) {
        return isPlain(text) ? text : escaped(text);
    }

    /**
     * The same between quotes. Behind an accepted text stands no quote of its own, so nothing has to be made deterministic.
     *
     * @param inside as {@link #encode} returns it
     */
    static Dfa quoted(Dfa inside) {
        Dfa.Builder builder = new Dfa.Builder();
        int end = inside.numStates() + 1;
        builder.addState(false);
        builder.addEdge('"', '"', 1);
        for (int state = 0; state < inside.numStates(); state++) {
            builder.addState(false);
            boolean isOpen = inside.isAccepting(state);
            for (int edge = inside.firstEdge(state); edge < inside.endEdge(state); edge++) {
                if (isOpen && inside.low(edge) > '"') {
                    builder.addEdge('"', '"', end);
                    isOpen = false;
                }
                builder.addEdge(inside.low(edge), inside.high(edge), inside.target(edge) + 1);
            }
            if (isOpen) {
                builder.addEdge('"', '"', end);
            }
        }
        builder.addState(true);
        return builder.build();
    }

    /** Whether only such ASCII is in it as stands for itself. */
    private static boolean isPlain(Dfa text) {
        for (int edge = 0; edge < text.numEdges(); edge++) {
            boolean isPrintable = text.low(edge) >= ' ' && text.high(edge) < 0x7F;
            if (!isPrintable || holds(text, edge, '"') || holds(text, edge, '\\')) {
                return false;
            }
        }
        return true;
    }

    private static boolean holds(Dfa text, int edge, int letter) {
        return text.low(edge) <= letter && letter <= text.high(edge);
    }

    private Dfa escaped(Dfa text) {
        int accept = nfa.addState();
        int first = accept + 1;
        for (int state = 0; state < text.numStates(); state++) {
            nfa.addState();
        }
        for (int state = 0; state < text.numStates(); state++) {
            if (text.isAccepting(state)) {
                nfa.addEpsilon(first + state, accept);
            }
            if (text.firstEdge(state) == text.endEdge(state)) {
                continue;
            }
            int escape = nfa.addState();
            int unicode = nfa.addState();
            nfa.addEdge(first + state, '\\', '\\', escape);
            nfa.addEdge(escape, 'u', 'u', unicode);
            for (int edge = text.firstEdge(state); edge < text.endEdge(state); edge++) {
                int low = text.low(edge);
                int high = text.high(edge);
                int to = first + text.target(edge);
                addRaw(first + state, low, high, to);
                addShortEscapes(escape, low, high, to);
                addUnicode(unicode, low, high, to);
            }
        }
        return nfa.determinize(first, accept);
    }

    private void addRaw(int from, int low, int high, int to) {
        int start = Math.max(low, ' ');
        for (int quote : new int[] {'"', '\\'}) {
            if (start <= quote && quote <= high) {
                Utf8.addRange(nfa, from, start, quote - 1, to);
                start = quote + 1;
            }
        }
        Utf8.addRange(nfa, from, start, high, to);
    }

    private void addShortEscapes(int escape, int low, int high, int to) {
        for (int i = 0; i < SHORT_ESCAPES.length(); i++) {
            int meant = SHORT_ESCAPED.charAt(i);
            if (low <= meant && meant <= high) {
                nfa.addEdge(escape, SHORT_ESCAPES.charAt(i), SHORT_ESCAPES.charAt(i), to);
            }
        }
    }

    private void addUnicode(int from, int low, int high, int to) {
        addHex(from, new int[] {low, Math.min(high, 0xD7FF), 4}, to);
        addHex(from, new int[] {Math.max(low, 0xE000), Math.min(high, 0xFFFF), 4}, to);
        int start = Math.max(low, 0x10000);
        while (start <= high) {
            int lead = Character.highSurrogate(start);
            int end = Math.min(high, start | 0x3FF);
            int lastLead = lead;
            if ((start & 0x3FF) == 0 && high - start >= 0x3FF) { // whole blocks share their second halves
                int numBlocks = (high + 1 - start) / 0x400;
                end = start + numBlocks * 0x400 - 1;
                lastLead = lead + numBlocks - 1;
            }
            int between = nfa.addState();
            int escape = nfa.addState();
            int second = nfa.addState();
            addHex(from, new int[] {lead, lastLead, 4}, between);
            nfa.addEdge(between, '\\', '\\', escape);
            nfa.addEdge(escape, 'u', 'u', second);
            addHex(second, new int[] {Character.lowSurrogate(start), Character.lowSurrogate(end), 4}, to);
            start = end + 1;
        }
    }

    /** Hexadecimal numbers of {@code {low, high, digits}}; nothing if low is above high. */
    private void addHex(int from, int[] range, int to) {
        int low = range[0];
        int high = range[1];
        int digits = range[2];
        if (low > high) {
            return;
        }
        budget.spend(1);
        for (int i = 1; i < digits; i++) {
            int mask = (1 << (4 * i)) - 1;
            if ((low & ~mask) != (high & ~mask)) {
                if ((low & mask) != 0) {
                    addHex(from, new int[] {low, low | mask, digits}, to);
                    addHex(from, new int[] {(low | mask) + 1, high, digits}, to);
                    return;
                }
                if ((high & mask) != mask) {
                    addHex(from, new int[] {low, (high & ~mask) - 1, digits}, to);
                    addHex(from, new int[] {high & ~mask, high, digits}, to);
                    return;
                }
            }
        }
        int state = from;
        for (int i = digits - 1; i >= 0; i--) {
            int next = i == 0 ? to : nfa.addState();
            addDigit(state, (low >> (4 * i)) & 15, (high >> (4 * i)) & 15, next);
            state = next;
        }
    }

    private void addDigit(int from, int low, int high, int to) {
        if (low <= 9) {
            nfa.addEdge(from, '0' + low, '0' + Math.min(high, 9), to);
        }
        if (high >= 10) {
            int first = Math.max(low, 10) - 10;
            nfa.addEdge(from, 'a' + first, 'a' + high - 10, to);
            nfa.addEdge(from, 'A' + first, 'A' + high - 10, to);
        }
    }
}
