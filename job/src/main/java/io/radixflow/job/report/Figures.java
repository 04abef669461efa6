package io.radixflow.job.report;

import java.util.Locale;

/** Numbers as people read them. */
final class Figures {

    static final String UNKNOWN = "–";

    private Figures() {}

    /** Three significant digits below a thousand, whole numbers with separators above. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return UNKNOWN;
        }
        double size = Math.abs(value);
        String format = size >= 1000 || value == Math.rint(value)
                ? "%,.0f"
                : size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f";
        return String.format(Locale.ROOT, format, value);
    }

    static String share(double value) {
        return Double.isNaN(value) ? UNKNOWN : String.format(Locale.ROOT, "%.1f %%", 100 * value);
    }

    static String of(Metric metric, double value) {
        boolean isAbsent = metric.unit().equals("ms") && value == 0; // no request had two tokens
        return metric == Metric.HIT_RATE ? share(value) : number(isAbsent ? Double.NaN : value);
    }

    static String ratio(double value) {
        return Double.isNaN(value) ? UNKNOWN : String.format(Locale.ROOT, "%.2f×", value);
    }
}
