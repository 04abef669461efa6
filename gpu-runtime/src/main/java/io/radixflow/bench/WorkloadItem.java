package io.radixflow.bench;

import io.radixflow.engine.SamplingParams;
import java.util.List;
import java.util.function.IntFunction;

/**
 * One thing to measure: rounds that run one after the other on a cache that was flushed before the first.
 *
 * @param name by which it is chosen
 * @param sampling how tokens are drawn; each request gets a seed and a length of its own
 * @param rounds makes the rounds of a repeat; each repeat has other tokens
 */
public record WorkloadItem(String name, Sampling sampling, IntFunction<List<Round>> rounds) {

    /** How tokens are drawn. */
    public record Sampling(float temperature, float topP, int topK) {

        static final Sampling GREEDY = new Sampling(0, 1, SamplingParams.ALL_TOKENS);

        SamplingParams params(int outputLen, long seed) {
            return SamplingParams.builder()
                    .temperature(temperature)
                    .topP(topP)
                    .topK(topK)
                    .seed(seed)
                    .ignoreEos(true)
                    .maxTokens(outputLen)
                    .build();
        }
    }
}
