package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import java.nio.IntBuffer;

/**
 * One step's columns on the device, brought there in one copy. The addresses never change, so captured graphs read what the next step put
 * there.
 *
 * <pre>
 * ints:  tokenId position kvSlot tokenRow logitToken  [maxTokens each]   row cachedLen extendLen firstToken  [maxSequences each]
 *        tileSequence tileIndex                       [maxTiles each]
 * </pre>
 *
 * Written by the engine thread.
 */
final class StepColumns {

    static final int TOKEN_ID = 0;
    static final int POSITION = 1;
    static final int KV_SLOT = 2;
    static final int TOKEN_ROW = 3;
    static final int LOGIT_TOKEN = 4;
    private static final int TOKEN_COLUMNS = 5;

    static final int ROW = 0;
    static final int CACHED_LEN = 1;
    static final int EXTEND_LEN = 2;
    static final int FIRST_TOKEN = 3;
    private static final int SEQUENCE_COLUMNS = 4;

    private final int maxTokens;
    private final int maxSequences;
    private final int maxTiles;
    private final TileOrder order;
    private final StagedInts staged;
    private IntBuffer ints;
    private int turn;
    private final DevicePointer[] tokenColumns = new DevicePointer[TOKEN_COLUMNS];
    private final DevicePointer[] sequenceColumns = new DevicePointer[SEQUENCE_COLUMNS];
    private final DevicePointer tileSequences;
    private final DevicePointer tileIndices;
    private int numTiles;
    private long seenLen;

    StepColumns(CudaDevice device, int maxTokens, int maxSequences, int maxTiles, TileOrder order) {
        this.maxTokens = maxTokens;
        this.maxSequences = maxSequences;
        this.maxTiles = maxTiles;
        this.order = order;
        staged = new StagedInts(device, numInts(), "a step's columns");
        ints = staged.ints(turn);
        for (int i = 0; i < TOKEN_COLUMNS; i++) {
            tokenColumns[i] = staged.at(tokenAt(i));
        }
        for (int i = 0; i < SEQUENCE_COLUMNS; i++) {
            sequenceColumns[i] = staged.at(sequenceAt(i));
        }
        tileSequences = staged.at(tilesAt());
        tileIndices = staged.at(tilesAt() + maxTiles);
    }

    private int numInts() {
        return tilesAt() + 2 * maxTiles;
    }

    private int tokenAt(int column) {
        return column * maxTokens;
    }

    private int sequenceAt(int column) {
        return TOKEN_COLUMNS * maxTokens + column * maxSequences;
    }

    private int tilesAt() {
        return sequenceAt(SEQUENCE_COLUMNS);
    }

    int maxTokens() {
        return maxTokens;
    }

    DevicePointer token(int column) {
        return tokenColumns[column];
    }

    DevicePointer sequence(int column) {
        return sequenceColumns[column];
    }

    DevicePointer tileSequences() {
        return tileSequences;
    }

    DevicePointer tileIndices() {
        return tileIndices;
    }

    /** Tiles of the sequences that prefill. */
    int numTiles() {
        return numTiles;
    }

    /** Tokens that they see, cached ones included. */
    long seenLen() {
        return seenLen;
    }

    /**
     * Takes over a batch.
     *
     * @param ofTurn whose last step has been waited for
     * @param numSplit leading sequences that need no tiles
     */
    void set(int ofTurn, ForwardBatch batch, int numSplit) {
        turn = ofTurn;
        ints = staged.ints(ofTurn);
        ints.put(tokenAt(TOKEN_ID), batch.tokenId, 0, batch.numTokens);
        ints.put(tokenAt(POSITION), batch.position, 0, batch.numTokens);
        ints.put(tokenAt(KV_SLOT), batch.kvSlot, 0, batch.numTokens);
        int numSequences = batch.numSequences;
        ints.put(sequenceAt(ROW), batch.row, 0, numSequences);
        ints.put(sequenceAt(CACHED_LEN), batch.cachedLen, 0, numSequences);
        ints.put(sequenceAt(EXTEND_LEN), batch.extendLen, 0, numSequences);
        ints.put(sequenceAt(FIRST_TOKEN), batch.firstToken, 0, numSequences);
        ints.put(tokenAt(LOGIT_TOKEN), batch.logitToken, 0, batch.numLogits);
        for (int s = 0; s < numSequences; s++) {
            for (int i = 0; i < batch.extendLen[s]; i++) {
                ints.put(tokenAt(TOKEN_ROW) + batch.firstToken[s] + i, batch.row[s]);
            }
        }
        seenLen = 0;
        for (int s = numSplit; s < numSequences; s++) {
            seenLen += batch.cachedLen[s] + batch.extendLen[s];
        }
        numTiles = order.write(batch, numSplit, ints, tilesAt(), tilesAt() + maxTiles);
    }

    /**
     * Makes each token a sequence of its own, that attends to the tokens before it, whose K and V are written by then. The last tokens of the
     * batch's sequences, which are drawn from, stay at their sequences' places; those before them come behind.
     */
    void splitChunks(ForwardBatch batch) {
        int place = batch.numSequences;
        for (int s = 0; s < batch.numSequences; s++) {
            int last = batch.extendLen[s] - 1;
            for (int i = 0; i < last; i++) {
                setSingle(place++, batch.row[s], batch.cachedLen[s] + i, i + 1, batch.firstToken[s] + i);
            }
            setSingle(s, batch.row[s], batch.cachedLen[s] + last, last + 1, batch.firstToken[s] + last);
        }
        for (int i = batch.numSequences; i < place; i++) {
            ints.put(tokenAt(LOGIT_TOKEN) + i, 0); // nobody asks for their logits
        }
        numTiles = 0;
    }

    /** @param numNew tokens up to this one that the step computes: their K and V aren't there before */
    private void setSingle(int place, int row, int cachedLen, int numNew, int token) {
        ints.put(sequenceAt(ROW) + place, row);
        ints.put(sequenceAt(CACHED_LEN) + place, cachedLen);
        ints.put(sequenceAt(EXTEND_LEN) + place, numNew);
        ints.put(sequenceAt(FIRST_TOKEN) + place, token);
    }

    /** For a step that is recorded before it is set. */
    void setNumTiles(int num) {
        numTiles = num;
    }

    /** Appends a sequence of one token that computes nothing anybody reads: token 0 at position 0 of a row and slot of its own. */
    void pad(int place, int row, int slot, boolean hasTile) {
        if (hasTile) {
            ints.put(tilesAt() + numTiles, place);
            ints.put(tilesAt() + maxTiles + numTiles, 0);
            numTiles++;
        }
        ints.put(tokenAt(TOKEN_ID) + place, 0);
        ints.put(tokenAt(POSITION) + place, 0);
        ints.put(tokenAt(KV_SLOT) + place, slot);
        ints.put(tokenAt(TOKEN_ROW) + place, row);
        setSingle(place, row, 0, 1, place);
        ints.put(tokenAt(LOGIT_TOKEN) + place, place);
    }

    /** Starts the copy. */
    void upload() {
        staged.upload(turn, 0, numInts());
    }
}
