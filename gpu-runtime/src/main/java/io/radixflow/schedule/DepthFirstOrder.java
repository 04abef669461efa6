package io.radixflow.schedule;

import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.cache.PromptTrie;
import org.jspecify.annotations.Nullable;

/**
 * A depth-first walk through the tree of the waiting prompts, to where most wait first. All that share a prefix run one after another while it
 * is cached, whatever their number and the order of their arrival; so each prefix is computed about once, the fewest tokens possible.
 *
 * <p>SGLang's {@code dfs-weight} walks the cached prefixes only and sorts the whole queue anew for each batch. This walk sees prefixes before
 * they are cached, and a request costs O(tokens + depth * log children).
 *
 * <p>Allocates for each request.
 */
final class DepthFirstOrder extends WaitingOrder {

    /** A sequence's prompt in the tree. */
    static final class WaitingPrompt extends ExpectedPrompt {
        final Sequence sequence;

        WaitingPrompt(Sequence sequence) {
            super(sequence.namespace, sequence.tokens, sequence.len, sequence.arrival);
            this.sequence = sequence;
        }
    }

    private final PromptTrie trie = new PromptTrie();
    /** Where the walk is to go on once those passed over are back. */
    private @Nullable Sequence passedOver;

    @Override
    void add(Sequence sequence) {
        WaitingPrompt prompt = new WaitingPrompt(sequence);
        sequence.waitingPrompt = prompt;
        trie.add(prompt, 1);
    }

    @Override
    void remove(Sequence sequence) {
        trie.remove(promptOf(sequence), 1);
        sequence.waitingPrompt = null;
    }

    @Override
    void passOver(Sequence sequence) {
        if (passedOver == null) {
            passedOver = sequence;
        }
        trie.remove(promptOf(sequence), 1);
    }

    @Override
    void restore(Sequence sequence) {
        trie.add(promptOf(sequence), 1);
        if (sequence == passedOver) {
            trie.moveTo(promptOf(sequence));
            passedOver = null;
        }
    }

    @Override
    void onAdmit(Sequence sequence) {
        trie.moveTo(promptOf(sequence));
    }

    @Override
    @Nullable
    Sequence first() {
        ExpectedPrompt next = trie.next();
        return next == null ? null : ((WaitingPrompt) next).sequence;
    }

    @Override
    int size() {
        return trie.size();
    }

    private static WaitingPrompt promptOf(Sequence sequence) {
        WaitingPrompt prompt = sequence.waitingPrompt;
        if (prompt == null) {
            throw new IllegalStateException("sequence " + sequence.arrival + " is not among the waiting prompts");
        }
        return prompt;
    }

    @Override
    void checkIntegrity() {
        trie.checkIntegrity();
    }
}
