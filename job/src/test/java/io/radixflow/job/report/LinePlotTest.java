package io.radixflow.job.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LinePlotTest {

    private static final Pattern LABEL = Pattern.compile("<text class=\"c\\d\" x=\"\\d+\" y=\"([0-9.]+)\"");

    /** Lines that end close to each other: heights are no whole numbers, so a difference of one label's height is rarely exact. */
    @Test
    @Timeout(30)
    void labelsOfLinesThatEndTogetherStandApart() {
        SplittableRandom random = new SplittableRandom(1);
        for (int trial = 0; trial < 2_000; trial++) {
            Map<String, double[]> latencies = new LinkedHashMap<>();
            double end = random.nextDouble(0.01, 1e7);
            for (String name : new String[] {"ttft_ms", "tpot_ms", "itl_ms", "e2e_latency_ms"}) {
                latencies.put(name, new double[] {end / 2, end * random.nextDouble(0.95, 1)});
            }
            Matcher labels = LABEL.matcher(LinePlot.percentiles(latencies));
            double last = Double.NEGATIVE_INFINITY;
            double[] heights = new double[4];
            for (int i = 0; i < heights.length; i++) {
                assertThat(labels.find()).isTrue();
                heights[i] = Double.parseDouble(labels.group(1));
            }
            Arrays.sort(heights);
            for (double height : heights) {
                assertThat(height - last).isGreaterThan(12.8);
                last = height;
            }
        }
    }

    @Test
    void nothingAtAllIsDrawnOnAnAxisToOne() {
        assertThat(LinePlot.overTime("prefill", 0, new double[] {0, 0}, 1))
                .contains(">1</text>")
                .doesNotContain("NaN");
        assertThat(LinePlot.percentiles(Map.of("ttft_ms", new double[] {0, 0}))).isEmpty();
    }
}
