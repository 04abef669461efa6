package io.radixflow.model;

import io.radixflow.backend.Backend;
import io.radixflow.backend.Rope;

/**
 * Tables of rotary position embedding [1], computed once at start.
 *
 * <p>Frequencies and angles are rounded to fp32 at each step as transformers computes them, so that long contexts agree with it; only
 * cosine and sine themselves are taken in fp64.
 *
 * <p>[1] Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021.
 */
final class RopeTables {

    private RopeTables() {}

    static Rope upload(ModelConfig config, int numPositions, Backend backend) {
        int numPairs = config.headDim() / 2;
        float[] frequencies = frequencies(config.ropeBase(), config.headDim());
        int numElements = Math.multiplyExact(numPositions, numPairs);
        float[] cos = new float[numElements];
        float[] sin = new float[numElements];
        for (int position = 0; position < numPositions; position++) {
            for (int pair = 0; pair < numPairs; pair++) {
                float angle = position * frequencies[pair];
                cos[position * numPairs + pair] = (float) Math.cos(angle);
                sin[position * numPairs + pair] = (float) Math.sin(angle);
            }
        }
        return new Rope(
                backend.upload(cos, numPositions, numPairs),
                backend.upload(sin, numPositions, numPairs),
                config.ropePairing());
    }

    /** {@code base^(-2i / headDim)} for pair i, the kind without scaling. */
    static float[] frequencies(float base, int headDim) {
        float[] frequencies = new float[headDim / 2];
        for (int pair = 0; pair < frequencies.length; pair++) {
            float exponent = 2f * pair / headDim;
            frequencies[pair] = 1f / (float) Math.pow(base, exponent);
        }
        return frequencies;
    }
}
