package io.radixflow.grammar;

/**
 * Bounds the work of one compilation. Work is counted, not timed, so that a grammar compiles everywhere or nowhere; a unit is about one edge
 * of an automaton looked at. Not thread-safe.
 */
final class Budget {

    /** About a second on a slow core. */
    static final long DEFAULT_UNITS = 20_000_000;

    /** Most states of one automaton. */
    static final int MAX_STATES = 400_000;

    private final long units;
    private long left;

    Budget(long units) {
        this.units = units;
        left = units;
    }

    static Budget standard() {
        return new Budget(DEFAULT_UNITS);
    }

    void spend(long work) {
        left -= work;
        if (left < 0) {
            throw new GrammarException("the grammar is too large: compiling it takes more than " + units
                    + " units of work; shorten bounds, enumerations or patterns");
        }
    }

    /** @throws GrammarException if an automaton of so many states is too large */
    void checkStates(int numStates) {
        if (numStates > MAX_STATES) {
            throw new GrammarException("the grammar is too large: it needs an automaton of more than " + MAX_STATES
                    + " states; shorten bounds, enumerations or patterns");
        }
    }
}
