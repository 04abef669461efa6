package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.job.cluster.ClusterPlan;
import io.radixflow.job.cluster.FlinkJars;
import io.radixflow.job.cluster.FlinkRest;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code cluster submit}: sends the job's jar and a command line to the JobManager, as {@code flink run} does. */
@Command(
        name = "submit",
        description =
                "Run a job on the cluster: submit stream ... or submit label ..., with the flags of these commands.")
final class ClusterSubmitCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ClusterCommand cluster;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = "--from-savepoint",
            paramLabel = "PATH",
            description = "A savepoint or retained checkpoint to go on from.")
    private @Nullable String savepoint;

    @Option(
            names = "--allow-non-restored-state",
            description = "Leave out state of the savepoint that the job no longer has.")
    private boolean allowsNonRestored;

    @Parameters(paramLabel = "stream|label", arity = "1..*", description = "The job and its flags.")
    private List<String> arguments = List.of();

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        ClusterPlan plan = cluster.running();
        SubmittedArguments submitted =
                SubmittedArguments.of(arguments, plan.kafka(), cluster.dirs().conf());
        if (submitted.isHelpWanted()) {
            return commandLine().execute(arguments.toArray(String[]::new));
        }
        FlinkRest rest = new FlinkRest(plan.dashboard());
        String jarId = rest.upload(FlinkJars.jobJar(ClusterCommand.builtDir().toAbsolutePath()));
        String jobId;
        try {
            jobId = rest.run(jarId, submitted.texts(), savepoint, allowsNonRestored);
        } catch (FlinkRest.RefusedException e) {
            throw new UserException("the cluster refused the job: " + e.getMessage(), e);
        } finally {
            rest.deleteJar(jarId); // the job's copy is in the blob store
        }
        terminal.line("job " + jobId);
        terminal.line("dashboard " + plan.dashboard() + "/#/job/running/" + jobId + "/overview");
        return Main.OK;
    }

    private CommandLine commandLine() {
        CommandLine line = Main.commandLine(new PrintStream(OutputStream.nullOutputStream()), System.err);
        line.setOut(spec.commandLine().getOut());
        line.getSubcommands()
                .values()
                .forEach(sub -> sub.setOut(spec.commandLine().getOut()));
        return line;
    }
}
