package io.radixflow.bench;

import io.radixflow.bench.WorkloadItem.Sampling;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a workload file says: lengths and counts, no tokens. A workload that the file lacks is null.
 *
 * @param lowToken token ids are in {@code [lowToken, highToken)}
 * @param greedy of the items that aren't sampled
 * @param sampled of those that are
 */
record WorkloadSpec(
        int lowToken,
        int highToken,
        Sampling greedy,
        Sampling sampled,
        @Nullable W1 w1,
        @Nullable W2 w2,
        @Nullable W3 w3,
        @Nullable W4 w4,
        @Nullable W5 w5,
        @Nullable W6 w6) {

    /** Decode: batches of unique prompts. */
    record W1(int[] batches, int promptLen, int outputLen) {}

    /** Prefill: cases of unique prompts. */
    record W2(List<PrefillCase> cases, int outputLen) {}

    /** So many prompts of such a length. */
    record PrefillCase(int requests, int promptLen) {}

    /** Labelling: each request has its group's prefix and a suffix of its own. */
    record W3(int groups, int prefixLen, int requests, int suffixLen, int outputLen) {}

    /** Chat: unique prompts, each with its own lengths. */
    record W4(int[] promptLens, int[] outputLens) {}

    /** Conversations: each turn adds a message to all that was said. */
    record W5(int conversations, int turns, int userLen, int outputLen) {}

    /** A tree of prefixes: root, group, suffix. */
    record W6(int roots, int rootLen, int groups, int groupLen, int perGroup, int suffixLen, int outputLen) {}
}
