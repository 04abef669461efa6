package io.radixflow.grammar;

/**
 * What can be said of the tokens at a place without knowing who called the rule: those that fit in any case, grouped by the repetitions that
 * they touch, and those that leave the rule and go on behind it. Immutable.
 *
 * @param accepted bits of the tokens that stay inside the rule or end with it
 * @param byTouched the same tokens, in the order of the repetitions that they touch; empty if none touches more than one
 * @param touchedFrom where the tokens that touch i repetitions begin in {@code byTouched}
 * @param leaving nodes of the token trie below and at which the caller decides, ascending
 */
record LocalMask(long[] accepted, int[] byTouched, int[] touchedFrom, int[] leaving) {

    /** Most repetitions that a token touches. */
    int maxTouched() {
        return touchedFrom.length - 2;
    }
}
