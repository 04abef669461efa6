package io.radixflow.grammar;

/**
 * What can be said of the tokens at a place without knowing who called the rule: those that fit in any case, grouped by the repetitions that
 * they touch, and those that leave the rule and go on behind it. Immutable.
 *
 * @param accepted bits of the tokens that stay inside the rule or end with it
 * @param byTouched the same tokens, in the order of the repetitions that they touch; empty if none touches more than one
 * @param touchedFrom where the tokens that touch i repetitions begin in {@code byTouched}
 * @param leaving nodes of the token trie at and below which the caller decides; of a repetition in the order of their bytes
 * @param leavingAfter repetitions that are over before each of those nodes
 * @param labelFrom where the nodes of a byte begin in {@code leaving}, if it is a repetition
 * @param isInside whether a byte goes on inside the rule where it could be left as well
 */
record LocalMask(
        long[] accepted,
        int[] byTouched,
        int[] touchedFrom,
        int[] leaving,
        int[] leavingAfter,
        int[] labelFrom,
        boolean[] isInside) {

    /** Most repetitions that a token touches. */
    int maxTouched() {
        return touchedFrom.length - 2;
    }
}
