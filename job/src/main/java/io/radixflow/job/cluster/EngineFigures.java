package io.radixflow.job.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The engines' metrics of one job, summed over its subtasks, as the REST API gives them. */
public final class EngineFigures {

    private static final String GROUP = ".engine.";
    private static final String SIMULATED = "device.simulated.";

    /** The API takes a first line of 4,096 characters; a histogram has eleven names. */
    private static final int MAX_NAMES_LEN = 2_000;

    private static final int FETCH_MILLIS = 500;

    private final Map<String, Double> sums = new HashMap<>();
    private final Map<String, Double> largest = new HashMap<>();
    private boolean isSimulated;

    private EngineFigures() {}

    /** Reads them twice: what the JobManager has is as old as the last question, which makes it ask the TaskManagers. */
    public static EngineFigures readFresh(FlinkRest rest, String jobId) throws IOException, InterruptedException {
        read(rest, jobId);
        Thread.sleep(FETCH_MILLIS);
        return read(rest, jobId);
    }

    /** Reads what the JobManager has. */
    public static EngineFigures read(FlinkRest rest, String jobId) throws IOException, InterruptedException {
        EngineFigures figures = new EngineFigures();
        for (JsonNode vertex : rest.get("/jobs/" + jobId).path("vertices")) {
            String path = "/jobs/" + jobId + "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
            StringBuilder names = new StringBuilder();
            for (JsonNode metric : rest.get(path)) {
                String name = metric.path("id").asText();
                if (name.contains(GROUP)) {
                    names.append(names.length() == 0 ? "" : ",").append(name);
                }
                if (names.length() > MAX_NAMES_LEN) {
                    figures.add(rest, path, names);
                }
            }
            figures.add(rest, path, names);
        }
        return figures;
    }

    private void add(FlinkRest rest, String path, StringBuilder names) throws IOException, InterruptedException {
        if (names.length() > 0) {
            rest.get(path + "?agg=sum,max&get=" + names).forEach(this::add);
            names.setLength(0);
        }
    }

    private void add(JsonNode metric) {
        String name = metric.path("id").asText();
        String inGroup = name.substring(name.indexOf(GROUP) + GROUP.length());
        if (inGroup.startsWith(SIMULATED)) {
            isSimulated = true;
            inGroup = inGroup.substring(SIMULATED.length());
        }
        sums.merge(inGroup, metric.path("sum").asDouble(), Double::sum);
        largest.merge(inGroup, metric.path("max").asDouble(), Math::max);
    }

    /** Whether they are of engines whose device is not there. */
    public boolean isSimulated() {
        return isSimulated;
    }

    /** Sum over the subtasks, rounded; 0 for a metric that is not there. */
    public long sum(String metric) {
        return Math.round(sums.getOrDefault(metric, 0.0));
    }

    /** The largest of the subtasks; NaN for a metric that is not there. */
    public double max(String metric) {
        return largest.getOrDefault(metric, Double.NaN);
    }

    /** Names of the metrics in the group, as they are without the label of a simulated device. */
    public Set<String> names() {
        return sums.keySet();
    }
}
