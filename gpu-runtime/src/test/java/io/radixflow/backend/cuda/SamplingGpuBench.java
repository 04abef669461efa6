package io.radixflow.backend.cuda;

import io.radixflow.backend.ForwardBatch;
import io.radixflow.backend.KvLayout;
import io.radixflow.backend.KvLayout.ElementType;
import io.radixflow.backend.SamplingBatch;
import io.radixflow.backend.ScoredTokens;
import io.radixflow.backend.Tensor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/** Times a step's draws alone, host and copies included, on logits of 151,936 tokens.    {@code SamplingGpuBench FOLDER_OF_CUBLASLT} */
final class SamplingGpuBench {

    private static final int VOCAB_SIZE = 151_936;
    private static final int STRIDE = 2048;
    private static final int ROUNDS = 30;
    private static final String[] CASES = {
        "greedy",
        "temperature",
        "top-k 40",
        "top-p 0.95",
        "top-k, top-p, min-p",
        "penalties",
        "100 biases",
        "1,000 allowed",
        "20 logprobs"
    };

    private SamplingGpuBench() {}

    public static void main(String[] args) {
        for (int batch : new int[] {1, 64, 256}) {
            try (CudaBackend backend =
                    new CudaBackend(new CudaBackend.Settings(0, 0.9, args[0], 1024, 256, 0, true, false))) {
                backend.allocateKvCache(new KvLayout(1, 16, 1, 1, 64, ElementType.BFLOAT16));
                backend.allocateLogits(256, VOCAB_SIZE);
                float[] values = new float[batch * VOCAB_SIZE];
                Random random = new Random(3);
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) random.nextGaussian() * 2;
                }
                Tensor logits = backend.upload(values, batch, VOCAB_SIZE);
                for (String what : CASES) {
                    System.out.printf(
                            Locale.ROOT,
                            "%-20s batch %3d: %8.1f us%n",
                            what,
                            batch,
                            micros(backend, logits, batch, what));
                }
            }
        }
    }

    private static double micros(CudaBackend backend, Tensor logits, int num, String what) {
        SamplingBatch batch = batch(num, what);
        ScoredTokens into = new ScoredTokens(num);
        Arrays.fill(into.numAlternatives, what.endsWith("logprobs") ? 20 : ScoredTokens.NO_LOGPROBS);
        ForwardBatch step = new ForwardBatch(num, num, new int[num * STRIDE], STRIDE);
        for (int s = 0; s < num; s++) {
            step.row[s] = s;
            step.firstToken[s] = s;
            step.cachedLen[s] = STRIDE / 2;
            step.extendLen[s] = 1;
            step.position[s] = STRIDE / 2;
            step.logitToken[s] = s;
            step.history[s] = batch.tokens[s];
        }
        step.numSequences = num;
        step.numTokens = num;
        step.numSampled = num;
        step.numLogits = num;
        double best = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            backend.runStep(step, () -> logits);
            backend.read(logits, 0, 0, new float[0]); // the step's own copies are not timed
            long started = System.nanoTime();
            backend.sample(logits, batch, into);
            backend.finishStep();
            best = Math.min(best, (System.nanoTime() - started) / 1e3);
        }
        return best;
    }

    private static SamplingBatch batch(int num, String what) {
        SamplingBatch batch = new SamplingBatch(num);
        batch.numEntries = num;
        Arrays.fill(batch.temperature, what.equals("greedy") ? 0 : 0.8f);
        Arrays.fill(batch.topP, what.contains("top-p") ? 0.95f : 1);
        Arrays.fill(batch.topK, what.contains("top-k") ? 40 : -1);
        Arrays.fill(batch.minP, what.contains("min-p") ? 0.05f : 0);
        Arrays.fill(batch.repetitionPenalty, what.equals("penalties") ? 1.1f : 1);
        Arrays.fill(batch.presencePenalty, what.equals("penalties") ? 0.1f : 0);
        Arrays.fill(batch.tokens, new Random(1).ints(STRIDE, 0, VOCAB_SIZE).toArray());
        Arrays.fill(batch.promptLen, STRIDE / 4);
        Arrays.fill(batch.position, STRIDE / 2 + 1);
        int[] ids = IntStream.range(0, what.contains("1,000") ? 1000 : 100)
                .map(i -> i * 151)
                .toArray();
        if (what.contains("biases")) {
            Arrays.fill(batch.biasIds, ids);
            Arrays.fill(batch.biasValues, new float[ids.length]);
        }
        if (what.contains("allowed")) {
            Arrays.fill(batch.allowedIds, ids);
        }
        return batch;
    }
}
