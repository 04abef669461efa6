package io.radixflow.bench;

import java.util.Arrays;
import java.util.List;

/**
 * The fewest prompt tokens that any order and any cache could compute: each node of the trie of all prompts once. A cache without limit
 * reaches it in any order, one that holds a single path in lexicographic order, which visits the trie depth first.
 *
 * <p>The last token of a prompt is always computed, since its logits are wanted; so equal prompts cost one token each. What a conversation
 * repeats of its own answers is cached, since decoding computed it, but for an answer's last token, which no step has read.
 */
public final class PrefixOptimum {

    private PrefixOptimum() {}

    /** Prompt tokens that must be computed for a round. */
    public static long prefillTokens(Round round) {
        int[][] prompts = new int[round.conversations().size()][];
        long laterTurns = 0;
        for (int c = 0; c < prompts.length; c++) {
            List<Turn> turns = round.conversations().get(c);
            prompts[c] = turns.get(0).tokens();
            for (int t = 1; t < turns.size(); t++) {
                laterTurns += turns.get(t).tokens().length + 1;
            }
        }
        return laterTurns + trieSize(prompts);
    }

    private static long trieSize(int[][] prompts) {
        Arrays.sort(prompts, Arrays::compare);
        long size = 0;
        for (int i = 0; i < prompts.length; i++) {
            int common = i == 0 ? 0 : Math.min(commonLen(prompts[i - 1], prompts[i]), prompts[i].length - 1);
            size += prompts[i].length - common;
        }
        return size;
    }

    private static int commonLen(int[] a, int[] b) {
        int mismatch = Arrays.mismatch(a, b);
        return mismatch < 0 ? a.length : mismatch;
    }
}
