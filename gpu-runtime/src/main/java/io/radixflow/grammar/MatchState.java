package io.radixflow.grammar;

import org.jspecify.annotations.Nullable;

/**
 * How far a text has got in a grammar: the places where it may be, each an automaton's state with a stack. Going on gives another object, so
 * keeping one is a snapshot. The caches in it belong to the engine's thread.
 */
public final class MatchState {

    /** After a text that can't become a match. */
    static final MatchState DEAD = new MatchState();

    static final int NOT_TOUCHED = Integer.MAX_VALUE;

    final @Nullable LazyStates owner;
    final int[] states; // those that read bytes, sorted with their nodes
    final StackNode[] nodes;
    /** The text is a match. */
    final boolean isAccepting;
    /** The open node below has been left at this place. */
    final boolean hasEscaped;
    /** Repetitions of the open node that were over when it was left; {@link #NOT_TOUCHED} if it was not. */
    final int escapedAfter;
    /** It was left after different numbers of repetitions. */
    final boolean isMixed;
    /** Fewest repetitions of the open node that have begun to read; {@link #NOT_TOUCHED} if nothing goes on. */
    final int touched;

    final @Nullable MatchState[] next; // [numByteClasses] filled when asked for
    long @Nullable [] mask;

    @Nullable
    MatchState local; // the same place with an open node below

    @Nullable
    LocalMask localMask;

    private MatchState() {
        owner = null;
        states = new int[0];
        nodes = new StackNode[0];
        isAccepting = false;
        hasEscaped = false;
        escapedAfter = NOT_TOUCHED;
        isMixed = false;
        touched = NOT_TOUCHED;
        next = new MatchState[0];
    }

    MatchState(LazyStates owner, int[] states, StackNode[] nodes, Ends ends) {
        this.owner = owner;
        this.states = states;
        this.nodes = nodes;
        isAccepting = ends.isAccepting();
        hasEscaped = ends.hasEscaped();
        escapedAfter = ends.escapedAfter();
        isMixed = ends.isMixed();
        int fewest = escapedAfter;
        for (StackNode node : nodes) {
            fewest = Math.min(fewest, node.bottom + 1);
        }
        touched = fewest;
        next = new MatchState[owner.grammar().numByteClasses()];
    }

    /** What ended at a place: the text, or the open node after so many repetitions, the fewest if there are several numbers. */
    record Ends(boolean isAccepting, boolean hasEscaped, int escapedAfter, boolean isMixed) {}

    /** Whether the text so far is a match, so that it may end here. */
    public boolean isAccepting() {
        return isAccepting;
    }

    /** Whether no byte may follow. */
    public boolean isFinal() {
        return states.length == 0;
    }
}
