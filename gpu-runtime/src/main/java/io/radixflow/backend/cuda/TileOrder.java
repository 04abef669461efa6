package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import java.nio.IntBuffer;
import java.util.Arrays;

/**
 * Cuts a step's prefills into tiles of rows, a row being a token and a head of its group, and puts those first that see most tokens, so that no
 * long one is left for the end. Among equals a sequence's tiles stay together: what one of them reads is at hand for the next.
 *
 * <p>Owned by the engine thread. Allocates nothing per step: a counting sort whose counts are kept.
 */
final class TileOrder {

    /** Tiles are told apart by how many times so many tokens they see; beyond the last count they stay in the batch's order. */
    private static final int UNIT_LEN = 128;

    private static final int MAX_UNITS = 4096;

    private final int rowsPerToken;
    private final int tileRows;
    private final int[] place = new int[MAX_UNITS + 1];

    /** @param rowsPerToken heads of a group */
    TileOrder(int rowsPerToken, int tileRows) {
        this.rowsPerToken = rowsPerToken;
        this.tileRows = tileRows;
    }

    /**
     * Writes the sequence of each tile and its index within the sequence, and returns how many tiles there are.
     *
     * @param firstSequence sequences before it have no tiles
     */
    int write(ForwardBatch batch, int firstSequence, IntBuffer into, int sequencesAt, int indicesAt) {
        Arrays.fill(place, 0);
        for (int s = firstSequence; s < batch.numSequences; s++) {
            int numTiles = numTiles(batch, s);
            for (int tile = 0; tile < numTiles; tile++) {
                place[units(batch, s, tile)]++;
            }
        }
        int total = 0;
        for (int units = MAX_UNITS; units > 0; units--) {
            int num = place[units];
            place[units] = total;
            total += num;
        }
        for (int s = firstSequence; s < batch.numSequences; s++) {
            int numTiles = numTiles(batch, s);
            for (int tile = 0; tile < numTiles; tile++) {
                int at = place[units(batch, s, tile)]++;
                into.put(sequencesAt + at, s);
                into.put(indicesAt + at, tile);
            }
        }
        return total;
    }

    private int numTiles(ForwardBatch batch, int sequence) {
        return (batch.extendLen[sequence] * rowsPerToken + tileRows - 1) / tileRows;
    }

    private int units(ForwardBatch batch, int sequence, int tile) {
        int endRow = Math.min((tile + 1) * tileRows, batch.extendLen[sequence] * rowsPerToken);
        int seenLen = batch.cachedLen[sequence] + (endRow - 1) / rowsPerToken + 1;
        return Math.min(MAX_UNITS, (seenLen + UNIT_LEN - 1) / UNIT_LEN);
    }
}
