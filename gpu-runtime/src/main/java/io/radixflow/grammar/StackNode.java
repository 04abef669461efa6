package io.radixflow.grammar;

/**
 * Where rules return to, as a graph whose equal nodes are one object [1]: all calls of one rule at one place of the text share a node, whose
 * entries say who called. Immutable; made by {@link LazyStates} only.
 *
 * <p>[1] Scott and Johnstone, "GLL Parsing", 2010; Tomita, "An efficient augmented-context-free parsing algorithm", 1987.
 */
final class StackNode {

    /** What lies below. */
    enum Kind {
        /** Calls; the entries are filled. */
        CALLS,
        /** The end of the root is the end of the text. */
        ROOT,
        /** Unknown: what follows depends on the caller. */
        OPEN,
        /** Unknown, but the rule is being repeated, for the {@link #bottom}th time after this one began. */
        OPEN_REPETITION
    }

    final int id;
    final Kind kind;
    final int rule; // that returns here; of calls and repetitions
    final int bottom; // repetitions ended in the open node below, the fewest if there are several ways down
    final int[] returnState;
    final int[] call;
    final int[] done; // repetitions ended before this one
    final StackNode[] parent;

    /** @param calls none unless {@code kind} is CALLS */
    StackNode(int id, Kind kind, int rule, int bottom, Entry... calls) {
        this.id = id;
        this.kind = kind;
        this.rule = rule;
        returnState = new int[calls.length];
        call = new int[calls.length];
        done = new int[calls.length];
        parent = new StackNode[calls.length];
        int lowest = calls.length == 0 ? bottom : Integer.MAX_VALUE;
        for (int i = 0; i < calls.length; i++) {
            returnState[i] = calls[i].returnState();
            call[i] = calls[i].call();
            done[i] = calls[i].done();
            parent[i] = calls[i].parent();
            lowest = Math.min(lowest, parent[i].bottom);
        }
        this.bottom = lowest;
    }

    /** One call: where it returns to, which it was, how many repetitions it had behind it, and the caller's own node. */
    record Entry(int returnState, int call, int done, StackNode parent) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            int order = Integer.compare(returnState, other.returnState);
            order = order != 0 ? order : Integer.compare(call, other.call);
            order = order != 0 ? order : Integer.compare(done, other.done);
            return order != 0 ? order : Integer.compare(parent.id, other.parent.id);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Entry entry && compareTo(entry) == 0;
        }

        @Override
        public int hashCode() {
            return 31 * (31 * (31 * returnState + call) + done) + parent.id;
        }
    }
}
