package io.radixflow.job.report;

import java.util.List;
import java.util.Locale;

/** Horizontal bars of one figure, drawn to the largest of them. */
final class BarPlot {

    private static final int WIDTH = 360;
    private static final int BAR_HEIGHT = 13;
    private static final int STEP = 18;
    private static final int TOP = 20;
    private static final int BAR_WIDTH = 200;

    /**
     * @param label of the bar, shown when the pointer is on it
     * @param value its length
     * @param colour class of its colour
     * @param note at the right, may be empty
     */
    record Bar(String label, double value, String colour, String note) {}

    private BarPlot() {}

    static String svg(String title, Metric metric, List<Bar> bars) {
        double most = bars.stream()
                .mapToDouble(Bar::value)
                .filter(value -> !Double.isNaN(value))
                .max()
                .orElse(1);
        int height = TOP + STEP * bars.size() + 4;
        StringBuilder svg = new StringBuilder();
        svg.append("<svg viewBox=\"0 0 ")
                .append(WIDTH)
                .append(' ')
                .append(height)
                .append("\" role=\"img\">");
        svg.append("<text x=\"0\" y=\"12\">")
                .append(ReportHtml.escaped(title))
                .append(" <tspan class=\"soft\">")
                .append(metric.title())
                .append(metric.unit().isEmpty() ? "" : ", " + metric.unit())
                .append("</tspan></text>");
        int y = TOP;
        for (Bar bar : bars) {
            double width = most > 0 && !Double.isNaN(bar.value()) ? Math.max(1, BAR_WIDTH * bar.value() / most) : 1;
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect class=\"%s\" x=\"0\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"><title>%s: %s</title></rect>",
                    bar.colour(),
                    y,
                    width,
                    BAR_HEIGHT,
                    ReportHtml.escaped(bar.label()),
                    Figures.of(metric, bar.value())));
            svg.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%.1f\" y=\"%d\">%s</text>",
                    width + 6,
                    y + 11,
                    Figures.of(metric, bar.value())));
            svg.append(String.format(
                    Locale.ROOT,
                    "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>",
                    WIDTH - 4,
                    y + 11,
                    bar.note()));
            y += STEP;
        }
        return svg.append("</svg>\n").toString();
    }
}
