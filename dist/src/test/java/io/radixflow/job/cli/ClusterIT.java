package io.radixflow.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.radixflow.job.cluster.ClusterState;
import io.radixflow.job.cluster.ClusterState.RunningProcess;
import io.radixflow.job.cluster.EngineFigures;
import io.radixflow.testkit.TinyModel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real processes, from {@code cluster start} to {@code cluster stop}, with the jars that users get. One cluster serves all checks,
 * since its start is what costs.
 */
class ClusterIT {

    private static final int NUM_RECORDS = 300;
    private static final int SHORT = 48;
    private static final Pattern METRIC =
            Pattern.compile("(?m)^flink_taskmanager_job_task_operator_engine_(?:device_)?([a-z0-9_]+?)(?:_count)?\\{");

    @TempDir
    private Path dir;

    private final List<String> job = new ArrayList<>();

    @Test
    @Timeout(240)
    void runsJobsThatOutliveSubmissionsSavepointsAndKilledProcesses() throws Exception {
        job.addAll(List.of(
                "stream",
                "--device=simulated",
                "--time-model=" + resource("steady.json"),
                "--model-path=" + TinyModel.gguf(TinyModel.F32, dir),
                "--max-running-requests=4",
                "--engine-keep-alive=300",
                "--checkpoint-interval=500ms"));
        ClusterState state;
        try (TestCluster cluster = TestCluster.start(dir.resolve("cluster"), 2)) {
            assertThat(cluster.run("start")).contains("runs already");
            assertThat(cluster.run("status")).contains("2 TaskManagers, 2 of 2 slots free", "supervisor", "zookeeper");
            Chaos.Options options = new Chaos.Options(
                    NUM_RECORDS, 2, List.of("taskmanager-1", "jobmanager"), 500, 1_000, SHORT, false, 7);
            surviveKills(new Chaos(cluster, options, job).run());
            goOnFromASavepoint(cluster);
            state = cluster.state();
        }
        List<RunningProcess> all = new ArrayList<>(state.processes());
        all.add(state.supervisor());
        assertThat(all).hasSize(6).noneMatch(RunningProcess::isAlive);
        assertThat(processesIn(dir)).isEmpty();
    }

    private static void surviveKills(Chaos.Outcome outcome) {
        System.out.println(outcome);
        assertThat(outcome.numAnswers()).isEqualTo(NUM_RECORDS);
        assertThat(outcome.repeated()).isEmpty();
        assertThat(outcome.deadLetters()).isEmpty();
        assertThat(outcome.differences()).isEmpty();
        assertThat(outcome.numRestores()).isPositive();
    }

    /** Stops a job in mid-generation and submits it again, to the same processes that ran the jobs before. */
    private void goOnFromASavepoint(TestCluster cluster) throws Exception {
        List<String> arguments = new ArrayList<>(job);
        arguments.addAll(List.of("--output-topic=kept", "--group-id=kept", "--parallelism=2"));
        for (RunningProcess process : cluster.state().processes()) {
            assertThat(process.isAlive()).as(process.name()).isTrue();
        }
        try (Answers plain = new Answers(cluster, "plain");
                Answers kept = new Answers(cluster, "kept")) {
            String first = cluster.submit(List.of(), arguments);
            kept.awaitFirst(1, 60);
            showMetrics(cluster, first);
            assertThat(cluster.run("status")).contains("radixflow-stream  RUNNING", "simulated: ");
            Matcher savepoint =
                    Pattern.compile("stopped with savepoint (\\S+)").matcher(cluster.run("stop-job", first));
            assertThat(savepoint.find()).isTrue();
            String second = cluster.submit(List.of("--from-savepoint", savepoint.group(1)), arguments);
            kept.await(NUM_RECORDS, 120);
            assertThat(kept.repeated()).isEmpty();
            assertThat(kept.differences(plain.await(NUM_RECORDS, 30))).isEmpty();
            cluster.run("stop-job", "--now", second);
        }
        String logs = Files.readString(cluster.dirs().log("taskmanager-1"))
                + Files.readString(cluster.dirs().log("taskmanager-2"));
        assertThat(logs).contains("reusing the engine that an earlier one left");
        assertThat(logs).containsPattern("Restored [1-9][0-9]* requests in flight with [1-9][0-9]* generated tokens");
        assertThat(logs).doesNotContain("UnsatisfiedLinkError");
    }

    /** The contract's names, as README lists them, by REST and by Prometheus, and those of the Grafana dashboard. */
    private static void showMetrics(TestCluster cluster, String jobId) throws IOException, InterruptedException {
        Set<String> wanted = MetricNames.ofReadme(Chaos.project().resolve("README.md"));
        assertThat(wanted).hasSizeGreaterThan(15);
        Set<String> byRest = EngineFigures.readFresh(cluster.rest(), jobId).names();
        for (String name : wanted) {
            assertThat(byRest).as(name).anyMatch(seen -> seen.equals(name) || seen.startsWith(name + "_"));
        }
        assertThat(prometheusNames(cluster)).containsAll(wanted);
    }

    private static Set<String> prometheusNames(TestCluster cluster) throws InterruptedException {
        Set<String> names = new TreeSet<>();
        HttpClient http = HttpClient.newHttpClient();
        for (int i = 0; i < TokenWatch.NUM_PORTS; i++) {
            URI page = URI.create("http://127.0.0.1:" + (cluster.firstPrometheusPort() + i) + "/metrics");
            Matcher metric = METRIC.matcher(TokenWatch.page(http, page));
            while (metric.find()) {
                names.add(metric.group(1));
            }
        }
        return names;
    }

    private static Path resource(String name) throws Exception {
        return Path.of(
                Objects.requireNonNull(ClusterIT.class.getResource("/" + name)).toURI());
    }

    /** Processes whose command line names the folder. */
    private static List<String> processesIn(Path folder) {
        List<String> found = new ArrayList<>();
        ProcessHandle.allProcesses()
                .filter(process -> process.pid() != ProcessHandle.current().pid())
                .forEach(process -> {
                    try {
                        String line =
                                new String(Files.readAllBytes(Path.of("/proc/" + process.pid() + "/cmdline")), UTF_8);
                        if (line.contains(folder.toString())) {
                            found.add(line);
                        }
                    } catch (IOException e) {
                        return; // it just ended, or is somebody else's
                    }
                });
        return found;
    }
}
