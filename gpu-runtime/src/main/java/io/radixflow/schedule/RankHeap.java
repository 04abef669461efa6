package io.radixflow.schedule;

import io.radixflow.cache.IndexedHeap;

/** Waiting sequences by {@link Sequence#rank}, the highest first; of equals the oldest. */
final class RankHeap extends IndexedHeap<Sequence> {

    @Override
    protected boolean isBefore(Sequence a, Sequence b) {
        return a.rank > b.rank || (a.rank == b.rank && a.arrival < b.arrival);
    }

    @Override
    protected int place(Sequence sequence) {
        return sequence.rankPlace;
    }

    @Override
    protected void setPlace(Sequence sequence, int place) {
        sequence.rankPlace = place;
    }
}
