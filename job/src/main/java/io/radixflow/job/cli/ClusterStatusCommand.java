package io.radixflow.job.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.job.cluster.ClusterDirs;
import io.radixflow.job.cluster.ClusterPlan;
import io.radixflow.job.cluster.ClusterState;
import io.radixflow.job.cluster.EngineFigures;
import io.radixflow.job.cluster.FlinkRest;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code cluster status}: processes, slots and jobs. Status 1 if no cluster runs or its JobManager does not answer. */
@Command(name = "status", description = "Show the cluster's processes, slots and jobs.")
final class ClusterStatusCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ClusterCommand cluster;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        ClusterDirs dirs = cluster.dirs();
        Optional<ClusterState> state = ClusterState.read(dirs);
        if (state.isEmpty() || !state.get().supervisor().isAlive()) {
            terminal.line("no cluster runs here; start one with: scripts/radixflow cluster start");
            return Main.FAILED;
        }
        ClusterPlan plan = ClusterPlan.read(dirs);
        terminal.line(plan.flink() + ", dashboard " + plan.dashboard() + ", Kafka " + plan.kafka());
        terminal.line("");
        terminal.line(String.format(Locale.ROOT, "%-16s %8s %10s %9s", "process", "pid", "up", "restarts"));
        show(terminal, state.get().supervisor());
        state.get().processes().forEach(process -> show(terminal, process));
        terminal.line("");
        try {
            showJobs(terminal, new FlinkRest(plan.dashboard()));
            return Main.OK;
        } catch (IOException e) {
            terminal.line(e.getMessage() + "; it may be starting, see " + dirs.log("jobmanager"));
            return Main.FAILED;
        }
    }

    private static void show(Terminal terminal, ClusterState.RunningProcess process) {
        Duration up = Duration.ofMillis(Math.max(0, System.currentTimeMillis() - process.startedMillis()));
        terminal.line(String.format(
                Locale.ROOT,
                "%-16s %8d %10s %9d%s",
                process.name(),
                process.pid(),
                text(up),
                process.numRestarts(),
                process.isAlive() ? "" : "  ended, starts again"));
    }

    private static void showJobs(Terminal terminal, FlinkRest rest) throws IOException, InterruptedException {
        JsonNode overview = rest.get("/overview");
        int numTaskManagers = overview.path("taskmanagers").asInt();
        terminal.line(numTaskManagers + (numTaskManagers == 1 ? " TaskManager, " : " TaskManagers, ")
                + overview.path("slots-available").asInt() + " of "
                + overview.path("slots-total").asInt() + " slots free");
        for (JsonNode job : rest.get("/jobs/overview").path("jobs")) {
            String id = job.path("jid").asText();
            terminal.line("");
            terminal.line(job.path("name").asText() + "  " + job.path("state").asText() + " for "
                    + text(Duration.ofMillis(job.path("duration").asLong())) + "  " + id);
            if (job.path("state").asText().equals("RUNNING")) {
                EngineFigures figures = EngineFigures.readFresh(rest, id);
                terminal.line("  " + (figures.isSimulated() ? "simulated: " : "") + figures.sum("num_running_reqs")
                        + " requests running, " + figures.sum("num_queue_reqs") + " waiting, "
                        + figures.sum("num_requests_total") + " taken, "
                        + figures.sum("generation_tokens_total") + " tokens, " + figures.sum("gen_throughput")
                        + " tok/s");
            }
        }
    }

    private static String text(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds < 60) {
            return seconds + " s";
        }
        if (seconds < 3600) {
            return seconds / 60 + " min " + seconds % 60 + " s";
        }
        return seconds / 3600 + " h " + seconds / 60 % 60 + " min";
    }
}
