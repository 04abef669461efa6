package io.radixflow.job.cluster;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The processes that run, as the supervisor last wrote it down.
 *
 * @param supervisor keeps the others alive
 * @param processes in the order of the plan
 */
public record ClusterState(RunningProcess supervisor, List<RunningProcess> processes) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A process by its id and, since ids come again, its start.
     *
     * @param startedMillis since the epoch, as the system tells it
     * @param numRestarts how often it was started again after its end
     */
    public record RunningProcess(String name, long pid, long startedMillis, int numRestarts) {

        static RunningProcess of(String name, ProcessHandle handle, int numRestarts) {
            return new RunningProcess(name, handle.pid(), started(handle), numRestarts);
        }

        /** The process if it still runs. */
        @JsonIgnore
        public Optional<ProcessHandle> handle() {
            return ProcessHandle.of(pid).filter(handle -> handle.isAlive() && started(handle) == startedMillis);
        }

        @JsonIgnore
        public boolean isAlive() {
            return handle().isPresent();
        }

        private static long started(ProcessHandle handle) {
            return handle.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        }
    }

    public ClusterState {
        processes = List.copyOf(processes);
    }

    /** The state of the cluster there, or empty if none was started or the last one was stopped. */
    public static Optional<ClusterState> read(ClusterDirs dirs) throws IOException {
        try {
            return Optional.of(JSON.readValue(Files.readAllBytes(dirs.stateFile()), ClusterState.class));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    void write(ClusterDirs dirs) throws IOException {
        ClusterPlan.write(
                dirs.stateFile(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    }
}
