package io.radixflow.job.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.flink.configuration.BlobServerOptions;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ConfigurationUtils;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;

/**
 * The configuration of a cluster on this machine: {@code flink-conf/config.yaml}, what the command line says, and what follows
 * from where and how it runs: addresses on the loopback interface, folders, high availability through the local ZooKeeper.
 */
final class ClusterConfig {

    private static final String LOOPBACK = "127.0.0.1";
    private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(10);

    private ClusterConfig() {}

    /**
     * @param shipped folder with the configuration to start from
     * @param dynamic settings of the command line, which win
     */
    static Configuration of(
            Path shipped, Map<String, String> dynamic, ClusterDirs dirs, int restPort, int zooKeeperPort) {
        Configuration config =
                GlobalConfiguration.loadConfiguration(shipped.toString(), Configuration.fromMap(dynamic));
        config.set(JobManagerOptions.ADDRESS, LOOPBACK);
        config.set(JobManagerOptions.BIND_HOST, LOOPBACK);
        config.set(TaskManagerOptions.HOST, LOOPBACK);
        config.set(TaskManagerOptions.BIND_HOST, LOOPBACK);
        config.set(RestOptions.ADDRESS, LOOPBACK);
        config.set(RestOptions.BIND_ADDRESS, LOOPBACK);
        config.set(RestOptions.PORT, restPort);
        config.set(RestOptions.BIND_PORT, Integer.toString(restPort));
        config.set(CoreOptions.TMP_DIRS, dirs.temporary().toString());
        config.set(
                BlobServerOptions.STORAGE_DIRECTORY,
                dirs.temporary().resolve("blobs").toString());
        config.set(WebOptions.UPLOAD_DIR, dirs.data().resolve("jars").toString());
        setIfAbsent(config, HighAvailabilityOptions.HA_MODE, "zookeeper");
        setIfAbsent(config, HighAvailabilityOptions.HA_ZOOKEEPER_QUORUM, LOOPBACK + ":" + zooKeeperPort);
        setIfAbsent(
                config, HighAvailabilityOptions.HA_STORAGE_PATH, uri(dirs.data().resolve("recovery")));
        setIfAbsent(config, HighAvailabilityOptions.ZOOKEEPER_SESSION_TIMEOUT, SESSION_TIMEOUT);
        // A ZooKeeper that is back before the session ends has lost nothing: the jobs go on meanwhile.
        setIfAbsent(config, HighAvailabilityOptions.ZOOKEEPER_TOLERATE_SUSPENDED_CONNECTIONS, true);
        setIfAbsent(config, CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
        setIfAbsent(
                config,
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                uri(dirs.data().resolve("checkpoints")));
        setIfAbsent(config, CheckpointingOptions.SAVEPOINT_DIRECTORY, uri(dirs.savepoints()));
        return config;
    }

    /** Whether our own ZooKeeper is the one that the cluster uses. */
    static boolean usesZooKeeperAt(Configuration config, int port) {
        return "zookeeper".equalsIgnoreCase(config.get(HighAvailabilityOptions.HA_MODE))
                && (LOOPBACK + ":" + port).equals(config.get(HighAvailabilityOptions.HA_ZOOKEEPER_QUORUM));
    }

    /** Writes the folder that the processes, and clients by {@code FLINK_CONF_DIR}, read. */
    static void write(Configuration config, Path shipped, ClusterDirs dirs) throws IOException {
        Files.write(
                dirs.conf().resolve(GlobalConfiguration.FLINK_CONF_FILENAME),
                ConfigurationUtils.convertConfigToWritableLines(config, true));
        for (String logging : new String[] {"log4j.properties", "log4j-cli.properties"}) {
            Files.copy(
                    shipped.resolve(logging),
                    dirs.conf().resolve(logging),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static String uri(Path dir) {
        return dir.toUri().toString();
    }

    private static <T> void setIfAbsent(Configuration config, ConfigOption<T> option, T value) {
        if (!config.contains(option)) {
            config.set(option, value);
        }
    }
}
