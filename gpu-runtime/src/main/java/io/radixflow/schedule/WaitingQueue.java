package io.radixflow.schedule;

import io.radixflow.cache.ExpectedPrompt;
import io.radixflow.cache.RadixTree;
import io.radixflow.schedule.SchedulerConfig.Policy;
import org.jspecify.annotations.Nullable;

/**
 * Sequences that wait for admission. Retracted ones come first, then the policy decides.
 *
 * <p>Nobody starves: the oldest goes ahead of the policy when {@value #MIN_AHEAD} others went ahead of it and it costs at most one
 * {@value #COST_SHARE}th of the tokens that these had computed, and anyway when {@value #MAX_AHEAD} did. So a request is admitted after at
 * most {@value #MAX_AHEAD} times as many admissions as there were requests when it came, itself included; and the prefixes that are computed
 * twice for it cost no more than that share, unless requests are very short beside their prefix.
 *
 * <p>Owned by the engine thread. Allocates for each request.
 */
final class WaitingQueue {

    static final int MAX_AHEAD = 512;
    private static final int MIN_AHEAD = 63;
    private static final int COST_SHARE = 32;
    private static final int MAX_PASSED_OVER = 64;

    private final RadixTree tree;
    /** Null: in order of arrival. */
    private final @Nullable WaitingOrder order;

    private final SequenceList retracted = new SequenceList();
    private final SequenceList arrivals = new SequenceList();
    private final @Nullable Sequence[] passedOver = new Sequence[MAX_PASSED_OVER];
    private int numPassedOver;
    /** Admissions since the oldest was last admitted, and the tokens that they had computed. */
    private int numAhead;

    private long tokensAhead;

    WaitingQueue(RadixTree tree, Policy policy) {
        this.tree = tree;
        order = switch (policy) {
            case LPM -> new MatchOrder(tree);
            case DFS_WEIGHT -> new DepthFirstOrder();
            case FCFS -> null;
            case LOF -> RankOrder.longestOutputFirst();
            case RANDOM -> RankOrder.random();
            case PRIORITY -> RankOrder.highestPriorityFirst();
        };
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
        if (order != null) {
            order.add(sequence);
        }
        expect(sequence);
    }

    /** Puts back a sequence that ran; it comes before all that have not. */
    void addRetracted(Sequence sequence) {
        retracted.append(sequence);
        expect(sequence);
    }

    /** Takes a sequence out, admitted or aborted. */
    void remove(Sequence sequence) {
        if (sequence.list == arrivals) {
            arrivals.remove(sequence);
            if (order != null) {
                order.remove(sequence);
            }
        } else {
            retracted.remove(sequence);
        }
        ExpectedPrompt expected = sequence.expected;
        if (expected != null) {
            tree.endUses(expected, 1);
            sequence.expected = null;
        }
    }

    /** Removes the sequence that {@link #next} proposed. */
    void admit(Sequence sequence) {
        if (sequence.list == arrivals) {
            boolean isOldest = sequence == arrivals.head();
            numAhead = isOldest ? 0 : numAhead + 1;
            tokensAhead = isOldest ? 0 : tokensAhead + sequence.len - sequence.cached.len;
            if (order != null) {
                order.onAdmit(sequence);
            }
        }
        remove(sequence);
    }

    /** The sequence to admit next, or null if none waits that is not passed over. */
    @Nullable
    Sequence next() {
        Sequence first = firstNotPassedOver(retracted);
        if (first == null && (order == null || numAhead >= MIN_AHEAD)) {
            Sequence oldest = firstNotPassedOver(arrivals);
            first = oldest != null && (order == null || isDue(oldest)) ? oldest : null;
        }
        return first == null && order != null ? order.first() : first;
    }

    private boolean isDue(Sequence oldest) {
        return numAhead >= MAX_AHEAD - 1 || (oldest.len - peekMatch(oldest)) * (long) COST_SHARE <= tokensAhead;
    }

    private int peekMatch(Sequence sequence) {
        return tree.peekPrefix(sequence.namespace, sequence.tokens, sequence.maxCachedLen());
    }

    /**
     * Passes over a sequence until {@link #restorePassedOver}.
     *
     * @return false if too many are passed over already
     */
    boolean passOver(Sequence sequence) {
        if (numPassedOver == MAX_PASSED_OVER) {
            return false;
        }
        sequence.isPassedOver = true;
        passedOver[numPassedOver++] = sequence;
        if (order != null && sequence.list == arrivals) {
            order.passOver(sequence);
        }
        return true;
    }

    void restorePassedOver() {
        for (int i = 0; i < numPassedOver; i++) {
            Sequence sequence = passedOver[i];
            if (sequence != null) {
                sequence.isPassedOver = false;
                if (order != null && sequence.list == arrivals) {
                    order.restore(sequence);
                }
                passedOver[i] = null;
            }
        }
        numPassedOver = 0;
    }

    /** {@code tokens[0, len)} of a sequence that does not wait have entered the cache: those that wait with the same prefix gain. */
    void onCached(Sequence source, int len) {
        if (order != null) {
            order.onCached(source, len);
        }
    }

    /** Lets the cache know that the sequence will need its prefix. */
    private void expect(Sequence sequence) {
        if (tree.countsKnownUses()) {
            ExpectedPrompt expected =
                    new ExpectedPrompt(sequence.namespace, sequence.tokens, sequence.maxCachedLen(), sequence.arrival);
            sequence.expected = expected;
            tree.expect(expected, 1);
        }
    }

    private static @Nullable Sequence firstNotPassedOver(SequenceList list) {
        Sequence sequence = list.head();
        while (sequence != null && sequence.isPassedOver) {
            sequence = sequence.next;
        }
        return sequence;
    }

    /** @throws IllegalStateException if the structures disagree */
    void checkIntegrity() {
        int ordered = order == null ? arrivals.size() : order.size();
        if (ordered != arrivals.size() || numPassedOver != 0) {
            throw new IllegalStateException(
                    "waiting " + arrivals.size() + ", in order " + ordered + ", passed over " + numPassedOver);
        }
        if (order != null) {
            order.checkIntegrity();
        }
    }
}
