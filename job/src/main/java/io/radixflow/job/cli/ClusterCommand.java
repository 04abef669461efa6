package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.cluster.ClusterDirs;
import io.radixflow.job.cluster.ClusterPlan;
import io.radixflow.job.cluster.ClusterState;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code cluster}: a real Flink cluster on this machine, and jobs on it. */
@Command(
        name = "cluster",
        description = "Run a real Flink cluster on this machine: JobManager, TaskManagers, dashboard, Kafka.",
        synopsisSubcommandLabel = "SUBCOMMAND",
        subcommands = {
            ClusterStartCommand.class,
            ClusterSubmitCommand.class,
            ClusterStatusCommand.class,
            ClusterStopJobCommand.class,
            ClusterStopCommand.class
        })
final class ClusterCommand implements Runnable {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--cluster-dir",
            scope = ScopeType.INHERIT,
            paramLabel = "DIR",
            description = "Where the cluster keeps configuration, logs and data (default: .cache/cluster).")
    private @Nullable Path dir;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "a subcommand is missing; known are "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    ClusterDirs dirs() {
        return new ClusterDirs(dir == null ? Home.cacheDir().resolve("cluster") : dir);
    }

    /** The plan of the cluster that runs. @throws UserException if none does */
    ClusterPlan running() throws IOException {
        boolean isRunning = ClusterState.read(dirs())
                .filter(state -> state.supervisor().isAlive())
                .isPresent();
        if (!isRunning) {
            throw new UserException("no cluster runs here; start one with: scripts/radixflow cluster start");
        }
        return ClusterPlan.read(dirs());
    }

    /** The build's jars for a cluster. */
    static Path builtDir() {
        return Home.dir().resolve("dist").resolve("target");
    }
}
