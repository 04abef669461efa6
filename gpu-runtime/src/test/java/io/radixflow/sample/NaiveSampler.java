package io.radixflow.sample;

import io.radixflow.backend.SamplingBatch;
import java.util.Arrays;
import java.util.Comparator;

/** The distribution that {@link HostSampler} must draw from, by sorting the whole row, in fp64 but for the order of tokens. */
public final class NaiveSampler {

    private NaiveSampler() {}

    /**
     * Probability of each token; 0 for those that are cut off.
     *
     * @param topPShift added to top-p, to ask for a slightly wider or narrower set
     */
    public static double[] distribution(float[] logits, SamplingBatch batch, int entry, double topPShift) {
        double[] penalized = penalized(logits, batch, entry);
        int size = logits.length;
        Integer[] order = new Integer[size];
        Arrays.setAll(order, id -> id);
        Arrays.sort(
                order,
                Comparator.comparingDouble((Integer id) -> -(float) penalized[id])
                        .thenComparing(id -> id));
        double max = penalized[order[0]];
        double[] weight = new double[size];
        double total = 0;
        for (int id = 0; id < size; id++) {
            weight[id] = Math.exp((penalized[id] - max) / batch.temperature[entry]);
            total += weight[id];
        }
        int topK = batch.topK[entry] > 0 ? batch.topK[entry] : size;
        double topP = batch.topP[entry] < 1 ? batch.topP[entry] + topPShift : 2;
        double[] kept = new double[size];
        double before = 0;
        double keptTotal = 0;
        for (int rank = 0; rank < size; rank++) {
            int id = order[rank];
            boolean isKept = rank < topK && before < topP * total && weight[id] >= batch.minP[entry];
            if (isKept) {
                kept[id] = weight[id];
                keptTotal += weight[id];
            }
            before += weight[id];
        }
        for (int id = 0; id < size; id++) {
            kept[id] /= keptTotal;
        }
        return kept;
    }

    private static double[] penalized(float[] logits, SamplingBatch batch, int entry) {
        double[] penalized = new double[logits.length];
        int promptLen = batch.promptLen[entry];
        int len = promptLen + batch.outputLen[entry];
        for (int id = 0; id < logits.length; id++) {
            int inAll = 0;
            int inOutput = 0;
            for (int i = 0; i < len; i++) {
                if (batch.tokens[entry][i] == id) {
                    inAll++;
                    inOutput += i >= promptLen ? 1 : 0;
                }
            }
            double logit = logits[id] + bias(batch, entry, id);
            if (inAll > 0) {
                logit = logit > 0 ? logit / batch.repetitionPenalty[entry] : logit * batch.repetitionPenalty[entry];
            }
            if (inOutput > 0) {
                logit -= batch.frequencyPenalty[entry] * inOutput + batch.presencePenalty[entry];
            }
            penalized[id] = logit;
        }
        maskRuledOut(penalized, batch, entry);
        return penalized;
    }

    private static float bias(SamplingBatch batch, int entry, int id) {
        for (int i = 0; i < batch.biasIds[entry].length; i++) {
            if (batch.biasIds[entry][i] == id) {
                return batch.biasValues[entry][i];
            }
        }
        return 0;
    }

    private static void maskRuledOut(double[] logits, SamplingBatch batch, int entry) {
        int[] allowed = batch.allowedIds[entry];
        int[] banned = Arrays.copyOf(batch.bannedIds[entry], batch.numBanned[entry]);
        for (int id = 0; id < logits.length; id++) {
            int candidate = id;
            boolean isAllowed = allowed.length == 0 || Arrays.stream(allowed).anyMatch(a -> a == candidate);
            if (!isAllowed || Arrays.stream(banned).anyMatch(b -> b == candidate)) {
                logits[id] = Double.NEGATIVE_INFINITY;
            }
        }
    }
}
