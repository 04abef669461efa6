package io.radixflow.backend.cpu;

import io.radixflow.backend.ForwardBatch;
import java.util.Arrays;

/**
 * How one attention call is cut into work units: a KV head, a run of tokens, and a run of tiles of their sequence's slots.
 *
 * <p>A prefix group's shared tiles are a first pass over the tokens of all its sequences together; a second pass takes every token through
 * the rest. Each token meets its tiles in the same order with or without a group.
 *
 * <p>Owned by the backend's caller, read by its workers. Arrays grow to the largest batch and are reused.
 */
final class AttentionPlan {

    private final int tileLen;
    /** [numTokens] token indices, sequence by sequence. */
    private int[] token = new int[0];
    /** [numTokens] whether the first pass has begun the token, by index in {@link #token}. */
    private boolean[] isBegun = new boolean[0];

    /** [numTokens] where the sequence of the token begins in the slot table, by index in {@link #token}. */
    private int[] slotsAt = new int[0];

    private int numTokens;
    private final UnitList shared = new UnitList();
    private final UnitList rest = new UnitList();

    AttentionPlan(int tileLen) {
        this.tileLen = tileLen;
    }

    /** Units that share tiles between sequences; all must be done before those of {@link #rest()}. */
    UnitList shared() {
        return shared;
    }

    UnitList rest() {
        return rest;
    }

    int token(int index) {
        return token[index];
    }

    int slotsAt(int index) {
        return slotsAt[index];
    }

    boolean isBegun(int index) {
        return isBegun[index];
    }

    int numTokens() {
        return numTokens;
    }

    void build(ForwardBatch batch, int maxUnitTokens) {
        reserve(batch.numTokens);
        shared.clear();
        rest.clear();
        numTokens = 0;
        int group = 0;
        int sequence = 0;
        while (sequence < batch.numSequences) {
            boolean isGroup = group < batch.numPrefixGroups && batch.groupFirst[group] == sequence;
            int endSequence = isGroup ? sequence + batch.groupSize[group] : sequence + 1;
            int numSharedTiles = isGroup ? batch.groupLen[group++] / tileLen : 0;
            int firstIndex = numTokens;
            for (; sequence < endSequence; sequence++) {
                addSequence(batch, sequence, numSharedTiles, maxUnitTokens);
            }
            if (numSharedTiles > 0) {
                addUnits(shared, firstIndex, numTokens, 0, numSharedTiles, maxUnitTokens);
            }
        }
    }

    private void addSequence(ForwardBatch batch, int sequence, int firstTile, int maxUnitTokens) {
        int firstIndex = numTokens;
        for (int i = 0; i < batch.extendLen[sequence]; i++) {
            token[numTokens] = batch.firstToken[sequence] + i;
            isBegun[numTokens] = firstTile > 0;
            slotsAt[numTokens++] = batch.row[sequence] * batch.slotTableStride;
        }
        addUnits(rest, firstIndex, numTokens, firstTile, Integer.MAX_VALUE, maxUnitTokens);
    }

    private static void addUnits(
            UnitList units, int fromIndex, int toIndex, int firstTile, int endTile, int maxUnitTokens) {
        for (int from = fromIndex; from < toIndex; from += maxUnitTokens) {
            units.add(from, Math.min(from + maxUnitTokens, toIndex), firstTile, endTile);
        }
    }

    private void reserve(int capacity) {
        if (token.length < capacity) {
            token = new int[capacity];
            isBegun = new boolean[capacity];
            slotsAt = new int[capacity];
        }
    }

    /** Runs of tokens with their tiles, as parallel columns; each is worked on once for every KV head. */
    static final class UnitList {
        private int[] fromIndex = new int[16];
        private int[] toIndex = new int[16];
        private int[] firstTile = new int[16];
        private int[] endTile = new int[16];
        private int size;

        int size() {
            return size;
        }

        int fromIndex(int unit) {
            return fromIndex[unit];
        }

        int toIndex(int unit) {
            return toIndex[unit];
        }

        int firstTile(int unit) {
            return firstTile[unit];
        }

        /** Exclusive; {@link Integer#MAX_VALUE} if the tokens go to their end. */
        int endTile(int unit) {
            return endTile[unit];
        }

        private void clear() {
            size = 0;
        }

        private void add(int from, int to, int first, int end) {
            if (size == fromIndex.length) {
                fromIndex = Arrays.copyOf(fromIndex, 2 * size);
                toIndex = Arrays.copyOf(toIndex, 2 * size);
                firstTile = Arrays.copyOf(firstTile, 2 * size);
                endTile = Arrays.copyOf(endTile, 2 * size);
            }
            fromIndex[size] = from;
            toIndex[size] = to;
            firstTile[size] = first;
            endTile[size++] = end;
        }
    }
}
