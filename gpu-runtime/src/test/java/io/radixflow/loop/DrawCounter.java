package io.radixflow.loop;

import io.radixflow.engine.EngineException;
import io.radixflow.engine.GenerationListener;
import io.radixflow.engine.StepOutput;

/** Counts how often each token is drawn, and keeps the first token of each request. */
final class DrawCounter implements GenerationListener {

    final int[] counts;
    final int[] firstToken;
    private int numEnded;

    DrawCounter(int vocabSize, int numRequests) {
        counts = new int[vocabSize];
        firstToken = new int[numRequests];
    }

    int numEnded() {
        return numEnded;
    }

    @Override
    public void onStep(StepOutput output) {
        for (int i = 0; i < output.numEntries(); i++) {
            counts[output.tokenId(i)]++;
            firstToken[(int) output.requestId(i)] = output.tokenId(i);
            numEnded += output.finishReason(i) == null ? 0 : 1;
        }
        output.release();
    }

    @Override
    public void onFailure(EngineException cause, long[] inStep) {
        throw cause;
    }
}
