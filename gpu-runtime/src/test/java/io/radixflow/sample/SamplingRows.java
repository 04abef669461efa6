package io.radixflow.sample;

import io.radixflow.backend.SamplingBatch;

/** Batches for tests, with every parameter off at first. */
final class SamplingRows {

    private SamplingRows() {}

    static SamplingBatch neutral(int numEntries) {
        SamplingBatch batch = new SamplingBatch(numEntries);
        batch.numEntries = numEntries;
        for (int entry = 0; entry < numEntries; entry++) {
            batch.temperature[entry] = 1;
            batch.topP[entry] = 1;
            batch.topK[entry] = -1;
            batch.repetitionPenalty[entry] = 1;
            batch.tokens[entry] = new int[0];
        }
        return batch;
    }

    static void ban(SamplingBatch batch, int entry, int... ids) {
        batch.bannedIds[entry] = ids;
        batch.numBanned[entry] = ids.length;
    }
}
