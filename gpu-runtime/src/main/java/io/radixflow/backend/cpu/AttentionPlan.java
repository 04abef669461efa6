package io.radixflow.backend.cpu;

import io.radixflow.backend.ForwardBatch;
import java.util.Arrays;

/**
 * How one attention call is cut into work units: a KV head, a run of tokens, and a run of tiles of their sequences' slots.
 *
 * <p>Passes follow one another. Each level of shared segments is a pass over the tokens of all its sequences together, the highest first; the last one
 * takes every token through the rest. Each token meets its tiles in the same order, whatever is shared.
 *
 * <p>Owned by the backend's caller, read by its workers. Arrays grow to the largest batch and are reused.
 */
final class AttentionPlan {

    /** Index of the state of a token that no segment covers. */
    private static final int NO_STATE = -1;

    private final int tileLen;
    private final int maxUnitTokens;
    /** [numSequences + 1] where the tokens of the sequence at a place begin. */
    private int[] firstIndex = new int[1];
    /** [numTokens] token indices, sequence by sequence, those of a segment side by side. */
    private int[] token = new int[0];

    // [numTokens] by index in token
    private int[] slotsAt = new int[0];
    private int[] state = new int[0];

    private int numStates;

    // Units: runs of tokens with their tiles, pass by pass; each is worked on once for every KV head.
    private int[] fromIndex = new int[16];
    private int[] toIndex = new int[16];
    private int[] firstTile = new int[16];
    private int[] endTile = new int[16];
    private int numUnits;
    /** [numPasses] */
    private int[] passEnd = new int[16];

    private int numPasses;

    AttentionPlan(int tileLen, int maxUnitTokens) {
        this.tileLen = tileLen;
        this.maxUnitTokens = maxUnitTokens;
    }

    int token(int index) {
        return token[index];
    }

    /** Where the sequence of the token begins in the slot table. */
    int slotsAt(int index) {
        return slotsAt[index];
    }

    /** Where the token's result is kept between passes, for tokens that have more than one. */
    int state(int index) {
        return state[index];
    }

    int numStates() {
        return numStates;
    }

    int numPasses() {
        return numPasses;
    }

    /** The pass's first unit; units end where the next pass's begin. */
    int firstUnit(int pass) {
        return pass == 0 ? 0 : passEnd[pass - 1];
    }

    int endUnit(int pass) {
        return passEnd[pass];
    }

    int fromIndex(int unit) {
        return fromIndex[unit];
    }

    int toIndex(int unit) {
        return toIndex[unit];
    }

    /** Not 0 if a pass before has begun the unit's tokens. */
    int firstTile(int unit) {
        return firstTile[unit];
    }

    /** Exclusive; {@link Integer#MAX_VALUE} if the tokens go to their end. */
    int endTile(int unit) {
        return endTile[unit];
    }

    void build(ForwardBatch batch) {
        reserve(batch);
        addTokens(batch);
        numUnits = 0;
        numPasses = 0;
        for (int level = 0; addSegments(batch, level); level++) {
            endPass();
        }
        for (int place = 0; place < batch.numSequences; place++) {
            int sharedTiles = sharedTiles(batch, batch.segmentOrder[place]);
            addUnits(firstIndex[place], firstIndex[place + 1], sharedTiles, Integer.MAX_VALUE);
        }
        endPass();
    }

    private int sharedTiles(ForwardBatch batch, int sequence) {
        return batch.sharedLen[sequence] / tileLen;
    }

    private void addTokens(ForwardBatch batch) {
        int numTokens = 0;
        numStates = 0;
        for (int place = 0; place < batch.numSequences; place++) {
            int sequence = batch.segmentOrder[place];
            boolean isShared = sharedTiles(batch, sequence) > 0;
            firstIndex[place] = numTokens;
            for (int i = 0; i < batch.extendLen[sequence]; i++) {
                token[numTokens] = batch.firstToken[sequence] + i;
                state[numTokens] = isShared ? numStates++ : NO_STATE;
                slotsAt[numTokens++] = batch.row[sequence] * batch.slotTableStride;
            }
        }
        firstIndex[batch.numSequences] = numTokens;
    }

    /** Whether there are any of that level. */
    private boolean addSegments(ForwardBatch batch, int level) {
        boolean isFound = false;
        for (int segment = 0; segment < batch.numSegments; segment++) {
            int first = batch.segmentFrom[segment] / tileLen;
            int end = batch.segmentTo[segment] / tileLen;
            if (batch.segmentLevel[segment] == level) {
                isFound = true;
                if (first < end) {
                    int from = firstIndex[batch.segmentFirst[segment]];
                    addUnits(from, firstIndex[batch.segmentEnd[segment]], first, end);
                }
            }
        }
        return isFound;
    }

    private void addUnits(int from, int to, int first, int end) {
        for (int at = from; at < to; at += maxUnitTokens) {
            if (numUnits == fromIndex.length) {
                fromIndex = Arrays.copyOf(fromIndex, 2 * numUnits);
                toIndex = Arrays.copyOf(toIndex, 2 * numUnits);
                firstTile = Arrays.copyOf(firstTile, 2 * numUnits);
                endTile = Arrays.copyOf(endTile, 2 * numUnits);
            }
            fromIndex[numUnits] = at;
            toIndex[numUnits] = Math.min(at + maxUnitTokens, to);
            firstTile[numUnits] = first;
            endTile[numUnits++] = end;
        }
    }

    private void endPass() {
        if (numPasses == passEnd.length) {
            passEnd = Arrays.copyOf(passEnd, 2 * numPasses);
        }
        passEnd[numPasses++] = numUnits;
    }

    private void reserve(ForwardBatch batch) {
        if (token.length < batch.numTokens) {
            token = new int[batch.numTokens];
            slotsAt = new int[batch.numTokens];
            state = new int[batch.numTokens];
        }
        if (firstIndex.length <= batch.numSequences) {
            firstIndex = new int[batch.numSequences + 1];
        }
    }
}
