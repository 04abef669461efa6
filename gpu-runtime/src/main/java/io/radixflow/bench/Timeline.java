package io.radixflow.bench;

import java.util.Arrays;

/** Tokens over time: how many prompt tokens were computed and how many were generated when. Grows as it is filled. */
final class Timeline {

    private long[] nanos = new long[1024];
    private int[] promptTokens = new int[1024];
    private int[] outputTokens = new int[1024];
    private int size;

    /** @param now not before the one added last */
    void add(long now, int newPromptTokens, int newOutputTokens) {
        if (size == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * size);
            promptTokens = Arrays.copyOf(promptTokens, 2 * size);
            outputTokens = Arrays.copyOf(outputTokens, 2 * size);
        }
        nanos[size] = now;
        promptTokens[size] = newPromptTokens;
        outputTokens[size] = newOutputTokens;
        size++;
    }

    /** Generated tokens a second in each of {@code num} equal parts of {@code [from, to)}. */
    double[] outputRates(long from, long to, int num) {
        return rates(outputTokens, from, to, num);
    }

    /** Computed prompt tokens a second, each prompt booked when its first token came. */
    double[] promptRates(long from, long to, int num) {
        return rates(promptTokens, from, to, num);
    }

    private double[] rates(int[] tokens, long from, long to, int num) {
        double[] rates = new double[num];
        double partNanos = Math.max(1, (double) (to - from) / num);
        for (int i = 0; i < size; i++) {
            int part = (int) Math.min(num - 1, (nanos[i] - from) / partNanos);
            rates[part] += tokens[i] * 1e9 / partNanos;
        }
        return rates;
    }
}
