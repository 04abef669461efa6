package io.radixflow.job.cluster;

import io.radixflow.job.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where a cluster keeps what it needs.
 *
 * @param root absolute; everything lies below it
 */
public record ClusterDirs(Path root) {

    public ClusterDirs {
        root = root.toAbsolutePath().normalize();
    }

    /** Flink's configuration folder, made anew at each start; {@code FLINK_CONF_DIR} for clients. */
    public Path conf() {
        return root.resolve("conf");
    }

    public Path logs() {
        return root.resolve("logs");
    }

    /** What outlives a stop: topics, ZooKeeper's nodes, checkpoints, savepoints, submitted jars. */
    public Path data() {
        return root.resolve("data");
    }

    public Path savepoints() {
        return data().resolve("savepoints");
    }

    /** Plugins for a Flink without a distribution, such as file systems: a folder each. */
    Path plugins() {
        return root.resolve("plugins");
    }

    /** Scratch space of the processes. */
    public Path temporary() {
        return root.resolve("tmp");
    }

    Path planFile() {
        return root.resolve("plan.json");
    }

    Path stateFile() {
        return root.resolve("state.json");
    }

    Path lockFile() {
        return root.resolve("lock");
    }

    /** The log of one process. */
    public Path log(String process) {
        return logs().resolve(process + ".log");
    }

    /** What the process wrote to its standard streams: JVM messages, mostly nothing. */
    Path out(String process) {
        return logs().resolve(process + ".out");
    }

    void create() throws IOException {
        for (Path dir : List.of(conf(), logs(), data(), savepoints(), plugins(), temporary())) {
            Files.createDirectories(dir);
        }
    }

    /** Removes topics, ZooKeeper's nodes, checkpoints and savepoints. */
    public void deleteData() throws IOException {
        Folders.delete(data());
    }

    void deleteTemporary() throws IOException {
        Folders.delete(temporary());
    }
}
