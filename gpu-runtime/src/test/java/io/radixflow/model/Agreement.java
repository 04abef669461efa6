package io.radixflow.model;

import java.util.Locale;

/** How often, and how closely, logits agree with a golden distribution. */
final class Agreement {

    private int numPositions;
    private int numEqual;
    private double sumOfDivergence;
    private double worstDivergence;
    private double worstLogprobDifference;

    /**
     * @param topIds golden likeliest ids, the likeliest first
     * @param topLogprobs theirs
     */
    void add(float[] logits, int[] topIds, float[] topLogprobs) {
        numPositions++;
        if (argmax(logits) == topIds[0]) {
            numEqual++;
        }
        double divergence = divergence(logits, topIds, topLogprobs);
        sumOfDivergence += divergence;
        worstDivergence = Math.max(worstDivergence, divergence);
    }

    int numPositions() {
        return numPositions;
    }

    double rate() {
        return (double) numEqual / numPositions;
    }

    double meanDivergence() {
        return sumOfDivergence / numPositions;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "top-1 equal at %d of %d positions (%.3f %%), KL mean %.3g max %.3g nats, max logprob difference %.3g",
                numEqual,
                numPositions,
                100 * rate(),
                meanDivergence(),
                worstDivergence,
                worstLogprobDifference);
    }

    static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /** KL(golden || ours) in nats, all tokens outside the golden top taken as one. */
    private double divergence(float[] logits, int[] topIds, float[] topLogprobs) {
        double logSum = logSumExp(logits);
        double divergence = 0;
        double goldenRest = 1;
        double ourRest = 1;
        for (int i = 0; i < topIds.length; i++) {
            double ourLogprob = logits[topIds[i]] - logSum;
            double goldenMass = Math.exp(topLogprobs[i]);
            divergence += goldenMass * (topLogprobs[i] - ourLogprob);
            worstLogprobDifference = Math.max(worstLogprobDifference, Math.abs(topLogprobs[i] - ourLogprob));
            goldenRest -= goldenMass;
            ourRest -= Math.exp(ourLogprob);
        }
        // both rests come from sums that are exact to about 1e-7 only
        if (goldenRest > 1e-5 && ourRest > 1e-5) {
            divergence += goldenRest * Math.log(goldenRest / ourRest);
        }
        return divergence;
    }

    private static double logSumExp(float[] logits) {
        double max = logits[argmax(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        return max + Math.log(sum);
    }
}
