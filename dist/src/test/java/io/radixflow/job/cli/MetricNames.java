package io.radixflow.job.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The engine's metrics as documents name them. */
final class MetricNames {

    private static final Pattern NAME = Pattern.compile("`([a-z0-9_]+)`");

    private static final Pattern PROMETHEUS =
            Pattern.compile("flink_taskmanager_job_task_operator_engine_([a-z0-9_]+)");

    private MetricNames() {}

    /** Those that a Grafana dashboard asks Prometheus for. */
    static Set<String> ofDashboard(Path json) throws IOException {
        Set<String> names = new TreeSet<>();
        Matcher name = PROMETHEUS.matcher(Files.readString(json));
        while (name.find()) {
            names.add(name.group(1));
        }
        return names;
    }

    /** Those of README's section on metrics. */
    static Set<String> ofReadme(Path readme) throws IOException {
        String text = Files.readString(readme);
        int begin = text.indexOf("\n`", text.indexOf("## Metrics"));
        int end = text.indexOf("\n\n", begin + 1);
        Set<String> names = new TreeSet<>();
        Matcher name = NAME.matcher(text.substring(begin, end));
        while (name.find()) {
            names.add(name.group(1));
        }
        return names;
    }
}
