package io.radixflow.bench;

import java.util.Arrays;

/** A sample of durations, sorted; quantiles are interpolated linearly between neighbours, as numpy does. In milliseconds. */
public final class Distribution {

    private static final double NANOS_PER_MILLI = 1e6;

    private final long[] nanos;

    /** @param nanos of any order; taken over */
    Distribution(long[] nanos) {
        Arrays.sort(nanos);
        this.nanos = nanos;
    }

    public int size() {
        return nanos.length;
    }

    /** 0 if there are none, as all figures of an empty sample. */
    public double mean() {
        double sum = 0;
        for (long value : nanos) {
            sum += value;
        }
        return nanos.length == 0 ? 0 : sum / nanos.length / NANOS_PER_MILLI;
    }

    /** Standard deviation of the population. */
    public double std() {
        double mean = mean();
        double sum = 0;
        for (long value : nanos) {
            double difference = value / NANOS_PER_MILLI - mean;
            sum += difference * difference;
        }
        return nanos.length == 0 ? 0 : Math.sqrt(sum / nanos.length);
    }

    /** @param share from 0 (the least) to 1 (the most) */
    public double quantile(double share) {
        if (nanos.length == 0) {
            return 0;
        }
        double place = share * (nanos.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, nanos.length - 1);
        double value = nanos[below] + (place - below) * (nanos[above] - nanos[below]);
        return value / NANOS_PER_MILLI;
    }

    /** The quantiles of 0, 1, ... 100 per cent. */
    public double[] percentiles() {
        double[] all = new double[101];
        for (int i = 0; i < all.length; i++) {
            all[i] = quantile(i / 100.0);
        }
        return all;
    }
}
