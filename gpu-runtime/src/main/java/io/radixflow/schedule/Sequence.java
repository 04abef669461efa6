package io.radixflow.schedule;

import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.cache.IndexedHeap;
import io.radixflow.cache.PrefixMatch;
import io.radixflow.engine.CacheNamespace;
import io.radixflow.engine.GenerationRequest;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The engine's running state of one answer: its tokens and where their KV lies. The loop extends it by what clients see.
 *
 * <p>Owned by the engine thread; the scheduler alone writes it. Of its {@link #len()} tokens the first {@link #kvLen()} have their KV in
 * slots, of these the first {@code cached.len} in slots of the radix tree, the rest in slots that the sequence holds. The first {@link
 * #knownLen()} are known; those behind are being drawn by steps under way.
 */
public class Sequence {

    /** Where a sequence is in its life. */
    public enum Phase {
        /** In the waiting queue; holds no row and no slots. */
        WAITING,
        /** Has a row; part of its tokens is computed. */
        PREFILL,
        /** Gets a token each step. */
        DECODE,
        /** Has all its tokens, the last of which are under way; keeps row and slots until they are here. */
        ENDING,
        /** Gone from the scheduler. */
        ENDED
    }

    /** Row of a sequence that has none. */
    static final int NO_ROW = -1;

    private static final long NOT_ADDED = -1;

    private final GenerationRequest request;
    final CacheNamespace namespace;

    Phase phase = Phase.WAITING;
    /** Order of arrival, unique. */
    long arrival = NOT_ADDED;

    int[] tokens;
    int len;
    int knownLen;
    int kvLen;
    int row = NO_ROW;
    /** The node up to which the tree owns the row's slots, locked; its length. Without a tree: no node, 0. */
    final PrefixMatch cached = new PrefixMatch();

    boolean wasStarted;
    boolean isCounted;
    /** Whether a client said that it would come. */
    boolean isAnnounced;
    /** Times it was retracted because memory was short. */
    int numRetractions;

    int firstCachedLen;
    long arrivalNanos;
    long queueNanos;

    // Places in the queues' structures.
    @Nullable
    Sequence previous;

    @Nullable
    Sequence next;

    @Nullable
    SequenceList list;
    /** What its policy sorts by, for longest prefix match the length of its cached prefix, which may be out of date. */
    long rank;

    int rankPlace = IndexedHeap.ABSENT;
    int deadlinePlace = IndexedHeap.ABSENT;
    boolean isPassedOver;

    DepthFirstOrder.@Nullable WaitingPrompt waitingPrompt;
    /** What the cache knows of its need while it waits. */
    @Nullable
    ExpectedPrompt expected;

    public Sequence(GenerationRequest request) {
        this.request = request;
        namespace = request.namespace();
        int[] prompt = request.promptIds();
        int[] output = request.outputIds();
        len = prompt.length + output.length;
        knownLen = len;
        if (output.length == 0) {
            tokens = prompt; // copied when the sequence starts: waiting ones take no memory of their own
        } else {
            tokens = Arrays.copyOf(prompt, len);
            System.arraycopy(output, 0, tokens, prompt.length, output.length);
        }
    }

    public final GenerationRequest request() {
        return request;
    }

    public final Phase phase() {
        return phase;
    }

    /** Whether the scheduler has got it. */
    public final boolean isAdded() {
        return arrival != NOT_ADDED;
    }

    /** Prompt, then output; the live array, read in {@code [0, knownLen)}. */
    public final int[] tokens() {
        return tokens;
    }

    public final int len() {
        return len;
    }

    public final int promptLen() {
        return request.promptIds().length;
    }

    public final int outputLen() {
        return len - promptLen();
    }

    /** Tokens that the host knows: all, but for those that steps under way draw. */
    public final int knownLen() {
        return knownLen;
    }

    public final int knownOutputLen() {
        return knownLen - promptLen();
    }

    /** Tokens whose KV is in slots, or will be when the steps under way are done. */
    public final int kvLen() {
        return kvLen;
    }

    public final int row() {
        return row;
    }

    /** Prompt tokens that the cache saved when the sequence was first scheduled. */
    public final int firstCachedLen() {
        return firstCachedLen;
    }

    /** Time from arrival to the first scheduling. */
    public final long queueNanos() {
        return queueNanos;
    }

    /** Most tokens that may come from the cache: the last one is always computed, since its logits are wanted. */
    protected int maxCachedLen() {
        return len - 1;
    }

    /** Tokens that it may still get. */
    public final int remainingLen(int contextLen) {
        return Math.min(request.sampling().maxTokens() - outputLen(), contextLen - len);
    }

    /** Makes room for all tokens that will come, so that decode steps allocate nothing. */
    final void reserve(int contextLen) {
        tokens = Arrays.copyOf(tokens, len + Math.max(0, remainingLen(contextLen)));
    }

    /** One token more is being drawn. */
    final void appendUnknown() {
        tokens[len++] = 0;
    }

    /** The first of the unknown tokens. */
    final void learn(int token) {
        tokens[knownLen++] = token;
    }

    /** The last token is another one; its KV is not computed. */
    final void replaceLast(int token) {
        tokens[len - 1] = token;
    }

    /** A token that no step draws. */
    final void append(int token) {
        tokens[len++] = token;
        knownLen = len;
    }

    /** Leading tokens that both have, if they are in the same namespace. */
    final int commonLen(Sequence other) {
        if (!namespace.equals(other.namespace)) {
            return 0;
        }
        int mismatch = Arrays.mismatch(tokens, 0, len, other.tokens, 0, other.len);
        return mismatch < 0 ? len : mismatch;
    }
}
