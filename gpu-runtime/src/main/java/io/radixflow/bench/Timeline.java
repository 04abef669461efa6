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

    /** Computed prompt tokens a second in the same parts. */
    double[] promptRates(long from, long to, int num) {
        return rates(promptTokens, from, to, num);
    }

    /** What was added at once was worked on since the addition before, so it is spread over that time. */
    private double[] rates(int[] tokens, long from, long to, int num) {
        double[] rates = new double[num];
        double partNanos = Math.max(1, (double) (to - from) / num);
        double start = 0;
        for (int i = 0; i < size; i++) {
            double end = (nanos[i] - from) / partNanos;
            spread(tokens[i] * 1e9 / partNanos, start, end, rates);
            start = end;
        }
        return rates;
    }

    /** Adds {@code amount} to the parts that {@code [start, end]} covers, each by its share. */
    private static void spread(double amount, double start, double end, double[] rates) {
        int last = (int) Math.min(rates.length - 1, end);
        for (int part = (int) Math.min(last, start); part <= last; part++) {
            double covered = Math.min(part + 1, end) - Math.max(part, start);
            rates[part] += end > start ? amount * covered / (end - start) : amount;
        }
    }
}
