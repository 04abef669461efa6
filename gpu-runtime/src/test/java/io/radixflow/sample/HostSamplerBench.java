package io.radixflow.sample;

import io.radixflow.backend.SamplingBatch;
import io.radixflow.testkit.RandomTensors;
import io.radixflow.testkit.Work;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** One draw from SmolLM2's vocabulary; a copy of the logits is part of it, since a draw consumes them. */
@State(Scope.Thread)
public class HostSamplerBench {

    private static final int VOCAB_SIZE = 49_152;

    @Param({"greedy", "temperature", "topP"})
    public String kind = "greedy";

    private final HostSampler sampler = new HostSampler(VOCAB_SIZE);
    private final SamplingBatch batch = SamplingRows.neutral(1);
    private final float[] logits = RandomTensors.activations(VOCAB_SIZE, 1);
    private final float[] row = new float[VOCAB_SIZE];

    @Setup
    public void choose() {
        batch.temperature[0] = kind.equals("greedy") ? 0 : 0.7f;
        batch.topP[0] = kind.equals("topP") ? 0.95f : 1;
    }

    @Benchmark
    public int draw(Work work) {
        System.arraycopy(logits, 0, row, 0, VOCAB_SIZE);
        batch.position[0]++;
        work.add(0, 8.0 * VOCAB_SIZE);
        return sampler.draw(row, 0, VOCAB_SIZE, batch, 0);
    }
}
