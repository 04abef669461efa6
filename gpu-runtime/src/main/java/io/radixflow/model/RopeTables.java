package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.Rope;

/**
 * Tables of rotary position embedding [1], computed once at start.
 *
 * <p>Angles are rounded to fp32 as transformers computes them, so that long contexts agree with it; only cosine and sine themselves are taken
 * in fp64.
 *
 * <p>[1] Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021.
 */
final class RopeTables {

    private RopeTables() {}

    static Rope upload(RopeConfig config, int headDim, int numPositions, Backend backend) {
        int numPairs = headDim / 2;
        float[] frequencies = config.scaling().frequencies(config.base(), headDim, numPositions);
        float factor = (float) config.scaling().attentionFactor();
        int numElements = Math.multiplyExact(numPositions, numPairs);
        float[] cos = new float[numElements];
        float[] sin = new float[numElements];
        for (int position = 0; position < numPositions; position++) {
            for (int pair = 0; pair < numPairs; pair++) {
                float angle = position * frequencies[pair];
                cos[position * numPairs + pair] = (float) Math.cos(angle) * factor;
                sin[position * numPairs + pair] = (float) Math.sin(angle) * factor;
            }
        }
        return new Rope(
                backend.upload(cos, numPositions, numPairs),
                backend.upload(sin, numPositions, numPairs),
                config.pairing());
    }
}
