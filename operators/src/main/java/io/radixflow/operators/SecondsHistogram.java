package io.radixflow.operators;

import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.HistogramStatistics;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/** A histogram of durations that reads in seconds; Flink's takes whole numbers only, so it holds microseconds inside. */
final class SecondsHistogram implements Histogram {

    private static final int WINDOW = 1_000;
    private static final double MICROS_PER_SECOND = 1e6;

    private final DescriptiveStatisticsHistogram micros = new DescriptiveStatisticsHistogram(WINDOW);

    void updateNanos(long nanos) {
        micros.update(nanos / 1_000);
    }

    /** In microseconds; our own code calls {@link #updateNanos}. */
    @Override
    public void update(long value) {
        micros.update(value);
    }

    @Override
    public long getCount() {
        return micros.getCount();
    }

    @Override
    public HistogramStatistics getStatistics() {
        return new Seconds(micros.getStatistics());
    }

    /** Quantiles, mean and deviation in seconds; least and most are whole by Flink's signature, so they round. */
    private static final class Seconds extends HistogramStatistics {

        private final HistogramStatistics inMicros;

        private Seconds(HistogramStatistics inMicros) {
            this.inMicros = inMicros;
        }

        @Override
        public double getQuantile(double quantile) {
            return inMicros.getQuantile(quantile) / MICROS_PER_SECOND;
        }

        @Override
        public long[] getValues() {
            long[] values = inMicros.getValues();
            for (int i = 0; i < values.length; i++) {
                values[i] = toSeconds(values[i]);
            }
            return values;
        }

        @Override
        public int size() {
            return inMicros.size();
        }

        @Override
        public double getMean() {
            return inMicros.getMean() / MICROS_PER_SECOND;
        }

        @Override
        public double getStdDev() {
            return inMicros.getStdDev() / MICROS_PER_SECOND;
        }

        @Override
        public long getMax() {
            return toSeconds(inMicros.getMax());
        }

        @Override
        public long getMin() {
            return toSeconds(inMicros.getMin());
        }

        private static long toSeconds(long micros) {
            return Math.round(micros / MICROS_PER_SECOND);
        }
    }
}
