package io.radixflow.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.backend.Backend;
import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvCache;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.StepOps;
import io.radixflow.backend.Tensor;
import io.radixflow.backend.cpu.CpuBackend;
import io.radixflow.model.Model;
import io.radixflow.model.ModelFiles;
import io.radixflow.model.Models;
import io.radixflow.testkit.SequenceRunner;
import io.radixflow.testkit.TrainedDecoder;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps with short chunks from graphs, where each token is a row of its own, against the CPU's fp32. */
@Tag("gpu")
final class ReplayedChunksGpuTest {

    private static final int MAX_ROWS = 256;
    private static final int LEN = TrainedDecoder.LEN;
    private static final int NUM_SEQUENCES = 12;
    private static final int MAX_CHUNK = 12;

    @TempDir
    Path folder;

    private int numCompared;
    private int numSame;
    private double errors;
    private double squares;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3"})
    void chunksFromGraphsSayWhatTheCpuSays(String architecture) {
        TrainedDecoder.write(architecture, folder);
        float[][][] expected = expected();
        try (CudaBackend backend = new CudaBackend(
                        new CudaBackend.Settings(0, 0.5, GpuModel.LIBRARY, MAX_ROWS, MAX_ROWS, MAX_ROWS, true, false));
                ModelFiles files = ModelFiles.open(folder)) {
            Model model = Models.load(files, backend, MAX_ROWS, MAX_ROWS);
            int numSteps = run(backend, model, expected);
            double relative = Math.sqrt(errors / squares);
            System.out.printf(
                    "%s, %d steps of chunks up to %d tokens: same likeliest token at %d of %d, error of a logit %.2e of its rms; %s%n",
                    architecture, numSteps, MAX_CHUNK, numSame, numCompared, relative, backend.stepsSummary());
            assertThat(backend.stepsSummary()).startsWith(numSteps + " of " + numSteps + " steps");
            assertThat(relative).isLessThan(0.0065); // TrainedDecoderGpuTest says why
            assertThat((double) numSame / numCompared).isGreaterThan(0.98);
        }
    }

    private float[][][] expected() {
        float[][][] logits = new float[NUM_SEQUENCES][][];
        try (CpuBackend cpu = new CpuBackend(2, 64L << 20);
                ModelFiles files = ModelFiles.open(folder)) {
            SequenceRunner runner =
                    new SequenceRunner(Models.load(files, cpu, LEN, LEN), cpu, LEN, LEN, ElementType.FLOAT32);
            for (int i = 0; i < NUM_SEQUENCES; i++) {
                runner.restart();
                logits[i] = runner.append(TrainedDecoder.sequences()[i], LEN);
            }
        }
        return logits;
    }

    /** All sequences side by side, chunks of random lengths, one token now and then; returns the number of steps. */
    private int run(Backend backend, Model model, float[][][] expected) {
        int[] slotTable = new int[MAX_ROWS * LEN];
        for (int i = 0; i < NUM_SEQUENCES * LEN; i++) {
            slotTable[i] = (i * 7 + 3) % (NUM_SEQUENCES * LEN + 1);
        }
        ForwardBatch batch = new ForwardBatch(MAX_ROWS, MAX_ROWS, slotTable, LEN);
        KvCache cache = backend.allocateKvCache(model.kvLayout(NUM_SEQUENCES * LEN + 1, ElementType.BFLOAT16));
        StepOps ops = () -> {
            model.forward(batch, cache);
            return model.logits(0, batch.numSampled);
        };
        backend.prepare(batch, ops);
        Random random = new Random(7);
        int[] lens = new int[NUM_SEQUENCES];
        int numSteps = 0;
        for (int done = 0; done < NUM_SEQUENCES; numSteps++) {
            done = 0;
            clear(batch);
            for (int i = 0; i < NUM_SEQUENCES; i++) {
                int num = Math.min(LEN - lens[i], random.nextBoolean() ? 1 : 1 + random.nextInt(MAX_CHUNK));
                if (num > 0) {
                    append(batch, i, lens[i], num);
                    lens[i] += num;
                }
                done += lens[i] == LEN ? 1 : 0;
            }
            Tensor logits = Objects.requireNonNull(backend.runStep(batch, ops));
            backend.finishStep();
            compare(backend, logits, batch, lens, expected);
        }
        return numSteps;
    }

    private static void clear(ForwardBatch batch) {
        batch.numTokens = 0;
        batch.numSequences = 0;
        batch.numSampled = 0;
        batch.numLogits = 0;
    }

    private static void append(ForwardBatch batch, int sequence, int cachedLen, int num) {
        int s = batch.numSequences++;
        batch.row[s] = sequence;
        batch.firstToken[s] = batch.numTokens;
        batch.cachedLen[s] = cachedLen;
        batch.extendLen[s] = num;
        for (int i = 0; i < num; i++) {
            int token = batch.numTokens++;
            batch.tokenId[token] = TrainedDecoder.sequences()[sequence][cachedLen + i];
            batch.position[token] = cachedLen + i;
            batch.kvSlot[token] = batch.slotTable[sequence * LEN + cachedLen + i];
        }
        batch.logitToken[batch.numLogits++] = batch.numTokens - 1;
        batch.numSampled++;
    }

    private void compare(Backend backend, Tensor logits, ForwardBatch batch, int[] lens, float[][][] expected) {
        float[] row = new float[TrainedDecoder.VOCAB_SIZE];
        for (int s = 0; s < batch.numSequences; s++) {
            backend.read(logits, s, 1, row);
            float[] cpu = expected[batch.row[s]][lens[batch.row[s]] - 1];
            numCompared++;
            numSame += top(row) == top(cpu) ? 1 : 0;
            for (int i = 0; i < row.length; i++) {
                errors += (row[i] - cpu[i]) * (double) (row[i] - cpu[i]);
                squares += cpu[i] * (double) cpu[i];
            }
        }
    }

    private static int top(float[] row) {
        int top = 0;
        for (int i = 1; i < row.length; i++) {
            top = row[i] > row[top] ? i : top;
        }
        return top;
    }
}
