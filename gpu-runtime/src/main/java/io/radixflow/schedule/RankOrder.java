package io.radixflow.schedule;

import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Policies that look at the request alone: the highest rank first, then the oldest. */
final class RankOrder extends WaitingOrder {

    private final ToLongFunction<Sequence> rankOf;
    private final RankHeap heap = new RankHeap();

    private RankOrder(ToLongFunction<Sequence> rankOf) {
        this.rankOf = rankOf;
    }

    /** Those first that may generate the most: the last ones to end are then short. */
    static RankOrder longestOutputFirst() {
        return new RankOrder(sequence -> sequence.request().sampling().maxTokens());
    }

    static RankOrder highestPriorityFirst() {
        return new RankOrder(sequence -> sequence.request().priority());
    }

    /** As a hash of the arrival says: without pattern, yet the same for the same arrivals. */
    static RankOrder random() {
        return new RankOrder(sequence -> scrambled(sequence.arrival));
    }

    @Override
    void add(Sequence sequence) {
        sequence.rank = rankOf.applyAsLong(sequence);
        heap.add(sequence);
    }

    @Override
    void remove(Sequence sequence) {
        heap.remove(sequence);
    }

    @Override
    @Nullable
    Sequence first() {
        return heap.peek();
    }

    @Override
    int size() {
        return heap.size();
    }

    @Override
    void checkIntegrity() {
        heap.checkIntegrity();
    }

    /** The finalizer of SplitMix64 (Steele et al. 2014). */
    private static long scrambled(long x) {
        long z = x + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
