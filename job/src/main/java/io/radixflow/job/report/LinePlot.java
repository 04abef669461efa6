package io.radixflow.job.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Lines over a common axis: rates over time on a linear scale, latencies over percentiles on a logarithmic one. */
final class LinePlot {

    private static final int WIDTH = 520;
    private static final int HEIGHT = 200;
    private static final int HALF_HEIGHT = 108;
    private static final int LEFT = 52;
    private static final int RIGHT = 76;
    private static final int TOP = 14;
    private static final int BOTTOM = 26;
    private static final double DECADE = 10;
    private static final int LABEL_HEIGHT = 13;

    private final int height;
    private final boolean isLogarithmic;
    private final double least;
    private final double most;
    private final StringBuilder svg = new StringBuilder();

    private LinePlot(int height, boolean isLogarithmic, double least, double most) {
        this.height = height;
        this.isLogarithmic = isLogarithmic;
        this.least = least;
        this.most = most;
        svg.append("<svg viewBox=\"0 0 ")
                .append(WIDTH)
                .append(' ')
                .append(height)
                .append("\" role=\"img\">");
    }

    /** Tokens a second in equal parts of a round; two of these are as high as one plot of latencies. */
    static String overTime(String name, int colour, double[] rates, double seconds) {
        return overTime(new Named(name, "tok/s", colour), rates, seconds);
    }

    /** A line's name, the unit of its values and its colour. */
    record Named(String name, String unit, int colour) {}

    /** Values at moments that divide a time equally. */
    static String overTime(Named line, double[] rates, double seconds) {
        String name = line.name();
        int colour = line.colour();
        double most = 0;
        for (double rate : rates) {
            most = Math.max(most, rate);
        }
        LinePlot plot = new LinePlot(HALF_HEIGHT, false, 0, niceAbove(most));
        for (int i = 0; i <= 2; i++) {
            plot.gridLine(plot.most * i / 2);
        }
        plot.xAxis("0 s", Figures.number(seconds / 2) + " s", Figures.number(seconds) + " s");
        double labelY = plot.line(name, colour, rates, new Axis(line.unit(), seconds, " s"), TOP + 4.0);
        plot.area(rates, colour);
        plot.label(name, colour, labelY);
        return plot.end();
    }

    /** Latencies in ms from their 0th to their 100th percentile. */
    static String percentiles(Map<String, double[]> latencies) {
        return logarithmic(latencies, List.of("0th", "50th percentile", "100th"), new Axis("ms", 100, "th percentile"));
    }

    /** Latencies in ms at some quantiles, which stand at equal distances. */
    static String quantiles(Map<String, double[]> latencies, List<String> names) {
        List<String> ends = List.of(names.get(0), names.get(names.size() / 2), names.get(names.size() - 1));
        return logarithmic(latencies, ends, new Axis("ms", names.size() - 1.0, ". of the quantiles"));
    }

    private static String logarithmic(Map<String, double[]> latencies, List<String> xTexts, Axis axis) {
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (double[] values : latencies.values()) {
            for (double value : values) {
                least = value > 0 ? Math.min(least, value) : least;
                most = Math.max(most, value);
            }
        }
        if (most == 0) {
            return "";
        }
        double low = Math.pow(DECADE, Math.floor(Math.log10(least)));
        double high = Math.pow(DECADE, Math.ceil(Math.log10(most * 1.0001)));
        LinePlot plot = new LinePlot(HEIGHT, true, low, high);
        for (double value = low; value <= high * 1.0001; value *= DECADE) {
            plot.gridLine(value);
        }
        plot.xAxis(xTexts.get(0), xTexts.get(1), xTexts.get(2));
        int colour = 0;
        List<Double> labels = new ArrayList<>();
        for (Map.Entry<String, double[]> latency : latencies.entrySet()) {
            String name = name(latency.getKey());
            double labelY = free(labels, plot.line(name, colour, latency.getValue(), axis, Double.NaN));
            labels.add(labelY);
            plot.label(name, colour++, labelY);
        }
        return plot.end();
    }

    private void gridLine(double value) {
        double y = y(value);
        svg.append(String.format(
                Locale.ROOT,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                LEFT,
                y,
                WIDTH - RIGHT,
                LEFT - 6,
                y + 4,
                compact(value)));
    }

    private void xAxis(String first, String middle, String last) {
        String[] texts = {first, middle, last};
        String[] anchors = {"start", "middle", "end"};
        for (int i = 0; i < texts.length; i++) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>",
                    LEFT + (WIDTH - LEFT - RIGHT) * i / 2.0,
                    height - 8,
                    anchors[i],
                    texts[i]));
        }
    }

    /**
     * What the pointer shows.
     *
     * @param unit of the values
     * @param span of the x axis
     * @param xUnit of that
     */
    private record Axis(String unit, double span, String xUnit) {}

    /** Draws a line; returns the height of its label, {@code labelY} or, without one, that of its end. */
    private double line(String name, int colour, double[] values, Axis axis, double labelY) {
        svg.append("<g class=\"").append(ReportHtml.colour(colour)).append("\"><path class=\"line\" d=\"");
        svg.append(path(values)).append("\"/>");
        int step = Math.max(1, values.length / 20);
        for (int i = 0; i < values.length; i += step) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%s: %s %s at %s%s</title></circle>",
                    x(i, values.length),
                    y(values[i]),
                    name,
                    Figures.number(values[i]),
                    axis.unit(),
                    Figures.number(axis.span() * i / (values.length - 1)),
                    axis.xUnit()));
        }
        svg.append("</g>");
        return Double.isNaN(labelY) ? y(values[values.length - 1]) + 4 : labelY;
    }

    private void area(double[] values, int colour) {
        svg.append(String.format(
                Locale.ROOT,
                "<g class=\"%s\"><path class=\"area\" d=\"%sV%d H%d Z\"/></g>",
                ReportHtml.colour(colour),
                path(values),
                height - BOTTOM,
                LEFT));
    }

    private void label(String name, int colour, double y) {
        svg.append(String.format(
                Locale.ROOT,
                "<text class=\"%s\" x=\"%d\" y=\"%.1f\">%s</text>",
                ReportHtml.colour(colour),
                WIDTH - RIGHT + 6,
                y,
                name));
    }

    private String path(double[] values) {
        StringBuilder path = new StringBuilder();
        for (int i = 0; i < values.length; i++) {
            path.append(i == 0 ? 'M' : 'L')
                    .append(String.format(Locale.ROOT, "%.1f %.1f", x(i, values.length), y(values[i])));
        }
        return path.toString();
    }

    /** The first height from the wanted one down that no other label is in the way of. */
    private static double free(List<Double> taken, double wanted) {
        double y = wanted;
        for (double other : taken.stream().sorted().toList()) { // downwards, so that none is met twice
            if (Math.abs(other - y) < LABEL_HEIGHT) {
                y = other + LABEL_HEIGHT;
            }
        }
        return y;
    }

    /** {@code ttft_ms} to {@code TTFT}. */
    private static String name(String key) {
        return key.endsWith("_ms")
                ? key.replace("_latency", "").replace("_ms", "").toUpperCase(Locale.ROOT)
                : key;
    }

    private String end() {
        return svg.append("</svg>\n").toString();
    }

    private static double x(int i, int num) {
        return LEFT + (double) (WIDTH - LEFT - RIGHT) * i / Math.max(1, num - 1);
    }

    private double y(double value) {
        double share = isLogarithmic
                ? Math.log(Math.max(value, least) / least) / Math.log(most / least)
                : (value - least) / (most - least);
        return height - BOTTOM - share * (height - BOTTOM - TOP);
    }

    /** 1, 2 or 5 times a power of ten. */
    private static double niceAbove(double value) {
        double unit = Math.pow(DECADE, Math.floor(Math.log10(value > 0 ? value : 1)));
        for (double factor : new double[] {1, 2, 4, 5, 8}) {
            if (factor * unit >= value) {
                return factor * unit;
            }
        }
        return DECADE * unit;
    }

    private static String compact(double value) {
        return value >= 1_000_000
                ? Figures.number(value / 1_000_000) + " M"
                : value >= 10_000 ? Figures.number(value / 1_000) + " k" : Figures.number(value);
    }
}
