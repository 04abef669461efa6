package io.radixflow.cache;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A node of a {@link PromptTrie}: an edge of tokens, or (then it is below the edge that ends the prompt and has no tokens) a prompt. */
final class PromptNode extends TokenNode<PromptNode> {

    /** Children, those most requests come for first. */
    static final class Heaviest extends IndexedHeap<PromptNode> {
        @Override
        protected boolean isBefore(PromptNode a, PromptNode b) {
            return a.count > b.count || (a.count == b.count && a.order < b.order);
        }

        @Override
        protected int place(PromptNode node) {
            return node.heapPlace;
        }

        @Override
        protected void setPlace(PromptNode node, int place) {
            node.heapPlace = place;
        }
    }

    /** The edge is {@code tokens[from, to)}. */
    int[] tokens;

    int from;
    int to;
    /** Requests to come that begin with all tokens down to here. */
    int count;

    final long order;
    final @Nullable ExpectedPrompt prompt;
    final Heaviest children = new Heaviest();
    private int heapPlace = IndexedHeap.ABSENT;

    PromptNode(@Nullable PromptNode parent, int[] tokens, int from, int to, long order) {
        super(parent, to > from ? hash(tokens, from, 1) : 0);
        this.tokens = tokens;
        this.from = from;
        this.to = to;
        this.order = order;
        prompt = null;
    }

    PromptNode(PromptNode parent, ExpectedPrompt prompt) {
        super(parent, 0);
        tokens = RadixNode.NOTHING;
        order = prompt.order;
        this.prompt = prompt;
    }

    int len() {
        return to - from;
    }

    @Override
    boolean startsWith(int[] key, int at, int keyLen) {
        return Arrays.equals(tokens, from, from + keyLen, key, at, at + keyLen);
    }

    /** Tokens of the edge that are {@code other[at, end)}'s too. */
    int commonLen(int[] other, int at, int end) {
        int most = Math.min(len(), end - at);
        int mismatch = Arrays.mismatch(tokens, from, from + most, other, at, at + most);
        return mismatch < 0 ? most : mismatch;
    }
}
