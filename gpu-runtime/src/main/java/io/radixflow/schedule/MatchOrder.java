package io.radixflow.schedule;

import io.radixflow.cache.IndexedHeap;
import io.radixflow.cache.RadixTree;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Longest prefix match, kept at any length of the queue by never rematching all of it. A heap orders the sequences by the length of their
 * cached prefix as last known. It is corrected where it matters: too long a length (something was evicted) when the sequence comes to the
 * top; too short a one when a prefix enters the cache, by walking from its place in the lexicographic order to both sides, since the
 * neighbours there gain most. Each walk and each look at the top is bounded, so a request costs O(log n) comparisons whatever the length.
 *
 * <p>Allocates for each request, and an iterator for each prefix that enters the cache.
 */
final class MatchOrder extends WaitingOrder {

    private static final int MAX_TOP_CHECKS = 16;
    private static final int MAX_WALK = 64;
    private static final int MAX_WALK_WITHOUT_GAIN = 8;

    private static final Comparator<Sequence> LEXICOGRAPHIC = (a, b) -> {
        int order = a.namespace.compareTo(b.namespace);
        if (order == 0) {
            order = Arrays.compare(a.tokens, 0, a.len, b.tokens, 0, b.len);
        }
        return order == 0 ? Long.compare(a.arrival, b.arrival) : order;
    };

    private final RadixTree tree;
    /** Without those passed over. */
    private final RankHeap byMatch = new RankHeap();

    private final TreeSet<Sequence> byTokens = new TreeSet<>(LEXICOGRAPHIC);

    MatchOrder(RadixTree tree) {
        this.tree = tree;
    }

    @Override
    void add(Sequence sequence) {
        sequence.rank = peekMatch(sequence);
        byMatch.add(sequence);
        byTokens.add(sequence);
    }

    @Override
    void remove(Sequence sequence) {
        byTokens.remove(sequence);
        byMatch.remove(sequence);
    }

    @Override
    void passOver(Sequence sequence) {
        byMatch.remove(sequence);
    }

    @Override
    void restore(Sequence sequence) {
        byMatch.add(sequence);
    }

    @Override
    int size() {
        return byMatch.size();
    }

    @Override
    @Nullable
    Sequence first() {
        for (int i = 0; i < MAX_TOP_CHECKS; i++) {
            Sequence top = byMatch.peek();
            if (top == null) {
                return null;
            }
            long known = top.rank;
            top.rank = peekMatch(top);
            if (top.rank >= known) {
                return top;
            }
            byMatch.update(top);
        }
        return byMatch.peek();
    }

    @Override
    void onCached(Sequence source, int len) {
        if (!byTokens.isEmpty()) {
            walk(source, len, byTokens.tailSet(source, true).iterator());
            walk(source, len, byTokens.headSet(source, false).descendingIterator());
        }
    }

    private void walk(Sequence source, int len, Iterator<Sequence> neighbours) {
        int withoutGain = 0;
        for (int i = 0; i < MAX_WALK && withoutGain < MAX_WALK_WITHOUT_GAIN && neighbours.hasNext(); i++) {
            Sequence neighbour = neighbours.next();
            int common =
                    tree.wholePages(Math.min(Math.min(len, neighbour.maxCachedLen()), source.commonLen(neighbour)));
            if (common == 0) {
                break;
            }
            if (common > neighbour.rank) {
                neighbour.rank = common;
                byMatch.update(neighbour);
                withoutGain = 0;
            } else {
                withoutGain++;
            }
        }
    }

    private int peekMatch(Sequence sequence) {
        return tree.peekPrefix(sequence.namespace, sequence.tokens, sequence.maxCachedLen());
    }

    @Override
    void checkIntegrity() {
        byMatch.checkIntegrity();
        for (Sequence sequence : byTokens) {
            if (sequence.rankPlace == IndexedHeap.ABSENT) {
                throw new IllegalStateException("sequence " + sequence.arrival + " is sorted by tokens only");
            }
        }
        if (byTokens.size() != byMatch.size()) {
            throw new IllegalStateException(byMatch.size() + " in the heap, by tokens " + byTokens.size());
        }
    }
}
