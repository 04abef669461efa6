package io.radixflow.job.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.radixflow.job.UserException;
import io.radixflow.job.cluster.ClusterState.RunningProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A cluster's processes seen from outside: starts its supervisor, waits for it to be ready, ends it. */
public final class LocalCluster {

    private static final int POLL_MILLIS = 200;
    private static final int STOP_SECONDS = 45;
    private static final int TOO_MANY_RESTARTS = 3;

    private final ClusterDirs dirs;
    private boolean isReady;

    public LocalCluster(ClusterDirs dirs) {
        this.dirs = dirs;
    }

    /**
     * Starts the supervisor of the plan that was prepared, in a session of its own, so that it outlives this process and the
     * terminal.
     */
    public void startSupervisor(String classPath) throws IOException {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        new ProcessBuilder(
                        "setsid",
                        java.toString(),
                        "-Xmx48m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xshare:auto",
                        "-cp",
                        classPath,
                        Supervisor.class.getName(),
                        dirs.root().toString())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(dirs.log("supervisor").toFile()))
                .start();
    }

    /**
     * Returns when all TaskManagers have registered.
     *
     * @param progress told what is there, each time that it changes
     * @throws UserException if they do not within the time, or a process ends again and again
     */
    public void awaitTaskManagers(ClusterPlan plan, Duration longest, Consumer<String> progress)
            throws IOException, InterruptedException {
        FlinkRest rest = new FlinkRest(plan.dashboard());
        long deadline = System.nanoTime() + longest.toNanos();
        String last = "";
        while (System.nanoTime() < deadline) {
            int numRegistered = numTaskManagers(rest);
            if (numRegistered >= plan.numTaskManagers()) {
                isReady = true;
                return;
            }
            checkProcesses();
            String now = numRegistered < 0
                    ? "waiting for the JobManager ..."
                    : "waiting for TaskManagers: " + numRegistered + " of " + plan.numTaskManagers() + " ...";
            if (!now.equals(last)) {
                progress.accept(now);
                last = now;
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw new UserException("the TaskManagers did not register within " + longest.toSeconds() + " s; see "
                + dirs.logs() + ", or give more time with --timeout");
    }

    private static int numTaskManagers(FlinkRest rest) throws InterruptedException {
        try {
            JsonNode overview = rest.get("/overview");
            return overview.path("taskmanagers").asInt();
        } catch (IOException e) {
            return -1;
        }
    }

    private void checkProcesses() throws IOException {
        Optional<ClusterState> state = ClusterState.read(dirs);
        if (state.isEmpty()) {
            return;
        }
        for (RunningProcess process : state.get().processes()) {
            if (process.numRestarts() >= TOO_MANY_RESTARTS) {
                throw new UserException(process.name() + " does not start: " + lastWords(process.name()));
            }
        }
    }

    private String lastWords(String process) throws IOException {
        String words = "";
        for (Path file : List.of(dirs.log(process), dirs.out(process))) {
            if (Files.isReadable(file)) {
                for (String line : Files.readAllLines(file)) {
                    boolean isTelling = line.contains("ERROR") || line.contains("Caused by") || line.contains("Error");
                    words = isTelling && !line.startsWith("\tat ") ? line : words;
                }
            }
        }
        return (words.isEmpty() ? "" : words.strip() + "; ") + "see " + dirs.log(process) + " and " + dirs.out(process);
    }

    /** Ends a cluster that was started and did not become ready. */
    public void stopUnlessReady() throws IOException, InterruptedException {
        if (!isReady) {
            stop();
        }
    }

    /**
     * Ends all processes, also those that a supervisor which was killed has left.
     *
     * @return how many there were
     */
    public int stop() throws IOException, InterruptedException {
        Optional<ClusterState> state = ClusterState.read(dirs);
        if (state.isEmpty()) {
            return 0;
        }
        int numAlive = 0;
        for (RunningProcess process : state.get().processes()) {
            numAlive += process.isAlive() ? 1 : 0;
        }
        @Nullable ProcessHandle supervisor = state.get().supervisor().handle().orElse(null);
        if (supervisor != null) {
            numAlive++;
            supervisor.destroy();
            awaitEnd(supervisor, STOP_SECONDS);
        }
        endLeftovers();
        return numAlive;
    }

    /** Kills processes whose supervisor is gone. */
    public void endLeftovers() throws IOException, InterruptedException {
        Optional<ClusterState> state = ClusterState.read(dirs);
        if (state.isEmpty()) {
            return;
        }
        List<RunningProcess> all = new ArrayList<>(state.get().processes());
        all.add(state.get().supervisor());
        for (RunningProcess process : all) {
            Optional<ProcessHandle> handle = process.handle();
            if (handle.isPresent()) {
                handle.get().destroyForcibly();
                awaitEnd(handle.get(), STOP_SECONDS);
            }
        }
        Files.deleteIfExists(dirs.stateFile());
    }

    private static void awaitEnd(ProcessHandle process, int seconds) throws InterruptedException {
        try {
            process.onExit().get(seconds, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (TimeoutException e) {
            process.destroyForcibly();
        }
    }
}
