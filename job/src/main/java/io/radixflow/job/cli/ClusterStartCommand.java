package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.cluster.ClusterDirs;
import io.radixflow.job.cluster.ClusterPlan;
import io.radixflow.job.cluster.ClusterPlanner;
import io.radixflow.job.cluster.ClusterState;
import io.radixflow.job.cluster.FlinkJars;
import io.radixflow.job.cluster.Gpus;
import io.radixflow.job.cluster.LocalCluster;
import io.radixflow.job.kafka.EmbeddedBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code cluster start}: makes the processes and waits until the TaskManagers have registered. */
@Command(
        name = "start",
        description = {
            "Start JobManager, TaskManagers, ZooKeeper and Kafka, and a supervisor that starts again what dies.",
            "Jobs that ran at the last stop go on. Flink is that of FLINK_HOME, if set, else the build's."
        })
final class ClusterStartCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ClusterCommand cluster;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--taskmanagers",
            paramLabel = "N",
            defaultValue = "1",
            description = "TaskManagers, each for one engine (default: ${DEFAULT-VALUE}).")
    private int numTaskManagers = 1;

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT[,...]",
            description = "Kafka brokers that are there already (default: start one).")
    private @Nullable String bootstrapServers;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Of Kafka (default: as last time, 9092, or a free one if that is taken).")
    private @Nullable Integer kafkaPort;

    @Option(
            names = "--dashboard-port",
            paramLabel = "PORT",
            description =
                    "Of Flink's dashboard and REST API (default: as last time, 8081, or a free one if that is taken).")
    private @Nullable Integer dashboardPort;

    @Option(
            names = "--conf",
            paramLabel = "DIR",
            description = "Folder of config.yaml, log4j.properties and log4j-cli.properties (default: flink-conf).")
    private @Nullable Path conf;

    @Option(names = "--clean", description = "Forget topics, checkpoints and jobs of earlier starts.")
    private boolean isClean;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            defaultValue = "3min",
            description = "Longest wait for the TaskManagers (default: ${DEFAULT-VALUE}).")
    private Duration timeout = Duration.ofMinutes(3);

    @Option(names = "-D", paramLabel = "KEY=VALUE", description = "A Flink setting, before those of config.yaml.")
    private Map<String, String> dynamic = new LinkedHashMap<>();

    @Override
    public Integer call() throws Exception {
        if (numTaskManagers < 1) {
            throw new UserException("--taskmanagers takes a whole number of at least 1, got " + numTaskManagers);
        }
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        ClusterDirs dirs = cluster.dirs();
        LocalCluster local = new LocalCluster(dirs);
        Optional<ClusterState> before = ClusterState.read(dirs);
        if (before.isPresent() && before.get().supervisor().isAlive()) {
            terminal.line("the cluster runs already: dashboard "
                    + ClusterPlan.read(dirs).dashboard() + ", Kafka "
                    + ClusterPlan.read(dirs).kafka());
            return Main.OK;
        }
        local.endLeftovers();
        if (isClean) {
            dirs.deleteData();
        }
        ClusterPlan plan = new ClusterPlanner(request(dirs)).prepare();
        terminal.line("starting " + plan.flink() + ", dashboard " + plan.dashboard());
        terminal.line((plan.hasOwnBroker() ? "starting Kafka on " : "Kafka is ") + plan.kafka());
        local.startSupervisor(System.getProperty("java.class.path"));
        try (Shutdown shutdown = new Shutdown(local::stopUnlessReady)) {
            shutdown.arm();
            local.awaitTaskManagers(plan, timeout, text -> report(terminal, text));
        }
        terminal.status("");
        terminal.line("ready: " + plan.numTaskManagers()
                + (plan.numTaskManagers() == 1 ? " TaskManager" : " TaskManagers") + "; logs in " + dirs.logs());
        terminal.line("next:  scripts/radixflow cluster submit stream --model-path smollm2-135m-instruct");
        return Main.OK;
    }

    private static void report(Terminal terminal, String text) {
        if (terminal.isInteractive()) {
            terminal.status(text);
        } else {
            terminal.line(text);
        }
    }

    private ClusterPlanner.Request request(ClusterDirs dirs) throws IOException, InterruptedException {
        String flinkHome = System.getenv("FLINK_HOME");
        FlinkJars flink = FlinkJars.find(
                ClusterCommand.builtDir().toAbsolutePath(),
                flinkHome == null || flinkHome.isBlank()
                        ? null
                        : Path.of(flinkHome).toAbsolutePath());
        ClusterPlanner.Ports last = ClusterPlanner.lastPorts(dirs);
        ClusterPlanner.Ports ports = new ClusterPlanner.Ports(
                Ports.choose(dashboardPort, last.rest(), "the dashboard", "--dashboard-port"),
                bootstrapServers == null ? Ports.choose(kafkaPort, last.kafka(), "Kafka", "--port") : 0,
                EmbeddedBroker.freePort());
        return new ClusterPlanner.Request(
                dirs,
                conf == null ? Home.dir().resolve("flink-conf") : conf,
                dynamic,
                flink,
                numTaskManagers,
                ports,
                bootstrapServers,
                System.getProperty("java.class.path"),
                Gpus.count());
    }
}
