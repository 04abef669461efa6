package io.radixflow.job.cli;

import io.radixflow.job.cluster.ClusterDirs;
import io.radixflow.job.cluster.LocalCluster;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code cluster stop}: ends every process of the cluster. */
@Command(
        name = "stop",
        description = {
            "End the cluster's processes. Topics, checkpoints and the list of jobs stay:",
            "the next start goes on with them."
        })
final class ClusterStopCommand implements Callable<Integer> {

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ClusterCommand cluster;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--clean", description = "Forget topics, checkpoints and jobs.")
    private boolean isClean;

    @Override
    public Integer call() throws Exception {
        Terminal terminal = Terminal.of(spec.commandLine().getOut());
        ClusterDirs dirs = cluster.dirs();
        int numEnded = new LocalCluster(dirs).stop();
        if (isClean) {
            dirs.deleteData();
        }
        terminal.line(numEnded == 0 ? "no cluster runs here" : "stopped: " + numEnded + " processes");
        return Main.OK;
    }
}
