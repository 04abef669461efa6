package io.radixflow.schedule;

import io.radixflow.cache.IndexedHeap;
import io.radixflow.cache.RadixTree;
import io.radixflow.schedule.SchedulerConfig.Policy;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Sequences that wait for admission. Retracted ones come first, then the policy decides.
 *
 * <p>Longest prefix match is kept at any length of the queue by never rematching all of it. A heap orders the sequences by the length of their
 * cached prefix as last known. It is corrected where it matters: too long a length (something was evicted) when the sequence comes to
 * the top; too short a one when a prefix enters the cache, by walking from its place in the lexicographic order to both sides, since the
 * neighbours there gain most. Each walk and each look at the top is bounded, so a request costs O(log n) comparisons whatever the length.
 *
 * <p>Nobody starves: every {@value #OLDEST_EVERY}th admission takes the oldest, so a request is admitted after at most {@value #OLDEST_EVERY}
 * times as many admissions as there were requests before it.
 *
 * <p>Owned by the engine thread. Allocates for each request, and an iterator for each prefix that enters the cache.
 */
final class WaitingQueue {

    static final int OLDEST_EVERY = 64;
    private static final int MAX_TOP_CHECKS = 16;
    private static final int MAX_WALK = 64;
    private static final int MAX_WALK_WITHOUT_GAIN = 8;
    private static final int MAX_DEFERRED = 64;

    private static final Comparator<Sequence> LEXICOGRAPHIC = (a, b) -> {
        int order = compareNamespaces(a.namespace, b.namespace);
        if (order == 0) {
            order = Arrays.compare(a.tokens, 0, a.len, b.tokens, 0, b.len);
        }
        return order == 0 ? Long.compare(a.arrival, b.arrival) : order;
    };

    private static final class MatchHeap extends IndexedHeap<Sequence> {
        @Override
        protected boolean isBefore(Sequence a, Sequence b) {
            return a.matchLen > b.matchLen || (a.matchLen == b.matchLen && a.arrival < b.arrival);
        }

        @Override
        protected int place(Sequence sequence) {
            return sequence.matchPlace;
        }

        @Override
        protected void setPlace(Sequence sequence, int place) {
            sequence.matchPlace = place;
        }
    }

    private final RadixTree tree;
    private final boolean isByMatch;
    private final SequenceList retracted = new SequenceList();
    private final SequenceList arrivals = new SequenceList();
    private final MatchHeap byMatch = new MatchHeap();
    private final TreeSet<Sequence> byTokens = new TreeSet<>(LEXICOGRAPHIC);
    private final @Nullable Sequence[] deferred = new Sequence[MAX_DEFERRED];
    private int numDeferred;
    private int admissionsSinceOldest;

    WaitingQueue(RadixTree tree, Policy policy) {
        this.tree = tree;
        isByMatch = policy == Policy.LPM;
    }

    int size() {
        return retracted.size() + arrivals.size();
    }

    int numRetracted() {
        return retracted.size();
    }

    @Nullable
    Sequence first() {
        return retracted.head() != null ? retracted.head() : arrivals.head();
    }

    void add(Sequence sequence) {
        arrivals.append(sequence);
        if (isByMatch) {
            sequence.matchLen = peekMatch(sequence);
            byMatch.add(sequence);
            byTokens.add(sequence);
        }
    }

    /** Puts back a sequence that ran; it comes before all that have not. */
    void addRetracted(Sequence sequence) {
        retracted.append(sequence);
    }

    /** Takes a sequence out, admitted or aborted. */
    void remove(Sequence sequence) {
        boolean isNew = sequence.list == arrivals;
        if (isNew && isByMatch) {
            byTokens.remove(sequence);
            if (sequence.matchPlace != IndexedHeap.ABSENT) {
                byMatch.remove(sequence);
            }
        }
        if (isNew) {
            arrivals.remove(sequence);
        } else {
            retracted.remove(sequence);
        }
    }

    /** Removes the sequence that {@link #next} proposed. */
    void admit(Sequence sequence) {
        admissionsSinceOldest = sequence == arrivals.head() ? 0 : admissionsSinceOldest + 1;
        remove(sequence);
    }

    /** The sequence to admit next, or null if none waits that is not deferred. */
    @Nullable
    Sequence next() {
        Sequence first = firstNotDeferred(retracted);
        if (first != null) {
            return first;
        }
        if (!isByMatch || admissionsSinceOldest >= OLDEST_EVERY - 1) {
            first = firstNotDeferred(arrivals);
            if (first != null || !isByMatch) {
                return first;
            }
        }
        return longestMatch();
    }

    /**
     * Passes over a sequence until {@link #restoreDeferred}.
     *
     * @return false if too many are passed over already
     */
    boolean defer(Sequence sequence) {
        if (numDeferred == MAX_DEFERRED) {
            return false;
        }
        sequence.isDeferred = true;
        deferred[numDeferred++] = sequence;
        if (sequence.matchPlace != IndexedHeap.ABSENT) {
            byMatch.remove(sequence);
        }
        return true;
    }

    void restoreDeferred() {
        for (int i = 0; i < numDeferred; i++) {
            Sequence sequence = deferred[i];
            if (sequence != null) {
                sequence.isDeferred = false;
                if (isByMatch && sequence.list == arrivals) {
                    byMatch.add(sequence);
                }
                deferred[i] = null;
            }
        }
        numDeferred = 0;
    }

    /** {@code tokens[0, len)} of a sequence that does not wait have entered the cache: those that wait with the same prefix gain. */
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
            int common = Math.min(Math.min(len, neighbour.maxCachedLen()), source.commonLen(neighbour));
            if (common == 0) {
                break;
            }
            if (common > neighbour.matchLen) {
                neighbour.matchLen = common;
                byMatch.update(neighbour);
                withoutGain = 0;
            } else {
                withoutGain++;
            }
        }
    }

    private static @Nullable Sequence firstNotDeferred(SequenceList list) {
        Sequence sequence = list.head();
        while (sequence != null && sequence.isDeferred) {
            sequence = sequence.next;
        }
        return sequence;
    }

    private @Nullable Sequence longestMatch() {
        for (int i = 0; i < MAX_TOP_CHECKS; i++) {
            Sequence top = byMatch.peek();
            if (top == null) {
                return null;
            }
            int known = top.matchLen;
            top.matchLen = peekMatch(top);
            if (top.matchLen >= known) {
                return top;
            }
            byMatch.update(top);
        }
        return byMatch.peek();
    }

    private int peekMatch(Sequence sequence) {
        return tree.peekPrefix(sequence.namespace, sequence.tokens, sequence.maxCachedLen());
    }

    private static int compareNamespaces(@Nullable String a, @Nullable String b) {
        if (a == null) {
            return b == null ? 0 : -1;
        }
        return b == null ? 1 : a.compareTo(b);
    }

    /** @throws IllegalStateException if the structures disagree */
    void checkIntegrity() {
        byMatch.checkIntegrity();
        int expected = isByMatch ? arrivals.size() : 0;
        if (byMatch.size() != expected || byTokens.size() != expected || numDeferred != 0) {
            throw new IllegalStateException("waiting " + arrivals.size() + ", in the heap " + byMatch.size()
                    + ", by tokens " + byTokens.size() + ", deferred " + numDeferred);
        }
    }
}
