package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.cluster.FlinkRest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code cluster stop-job}: ends a job with a savepoint that another can go on from, or at once. */
@Command(
        name = "stop-job",
        description = {
            "Stop a job with a savepoint, which holds the requests in flight with the tokens they have so far;",
            "`cluster submit --from-savepoint` goes on from it."
        })
final class ClusterStopJobCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ClusterCommand cluster;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "JOB", description = "The job's id.")
    private String jobId = "";

    @Option(names = "--drain", description = "Answer what is in flight first, instead of keeping it in the savepoint.")
    private boolean isDraining;

    @Option(
            names = "--savepoint",
            paramLabel = "DIR",
            description = "Folder for the savepoint (default: data/savepoints of the cluster's folder).")
    private @Nullable Path savepointDir;

    @Option(names = "--now", description = "Cancel the job, without a savepoint.")
    private boolean isCancelling;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            defaultValue = "10min",
            description = "Longest wait for the savepoint (default: ${DEFAULT-VALUE}).")
    private Duration timeout = Duration.ofMinutes(10);

    @Override
    public Integer call() throws Exception {
        if (isCancelling && (isDraining || savepointDir != null)) {
            throw new UserException("--now makes no savepoint; leave --drain and --savepoint out");
        }
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        FlinkRest rest = new FlinkRest(cluster.running().dashboard());
        try {
            if (isCancelling) {
                rest.cancel(jobId);
                terminal.line("cancelled " + jobId);
            } else {
                Path dir = savepointDir == null ? cluster.dirs().savepoints() : savepointDir.toAbsolutePath();
                terminal.line(
                        "stopped with savepoint " + rest.stop(jobId, dir.toUri().toString(), isDraining, timeout));
            }
        } catch (FlinkRest.RefusedException e) {
            throw new UserException("job " + jobId + " cannot be stopped: " + e.getMessage(), e);
        }
        return Main.OK;
    }
}
