package io.radixflow.job.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a cluster consists of, fixed at its start.
 *
 * @param dashboard address of the REST API and the dashboard
 * @param kafka address of the Kafka brokers
 * @param hasOwnBroker whether the broker is one of the processes
 * @param flink which Flink runs, for people
 * @param numTaskManagers that register when all is well
 * @param processes in the order of their start
 */
public record ClusterPlan(
        String dashboard,
        String kafka,
        boolean hasOwnBroker,
        String flink,
        int numTaskManagers,
        List<ProcessSpec> processes) {

    private static final ObjectMapper JSON = new ObjectMapper();

    public ClusterPlan {
        processes = List.copyOf(processes);
    }

    /** @throws java.nio.file.NoSuchFileException if no cluster was started there yet */
    public static ClusterPlan read(ClusterDirs dirs) throws IOException {
        return JSON.readValue(Files.readAllBytes(dirs.planFile()), ClusterPlan.class);
    }

    /** Port of an address such as {@code http://127.0.0.1:8081} or {@code 127.0.0.1:9092}. */
    static int portOf(String address) {
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    void write(ClusterDirs dirs) throws IOException {
        write(dirs.planFile(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    }

    /** Readers see the old file or the new one, never a part. */
    static void write(Path file, byte[] bytes) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        Files.write(next, bytes);
        Files.move(
                next,
                file,
                java.nio.file.StandardCopyOption.ATOMIC_MOVE,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
}
