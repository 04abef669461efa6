package io.radixflow.job.pipeline;

import io.radixflow.job.kafka.CheckpointTimes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.LocalStreamEnvironment;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Flink's settings for our jobs and the environment that they run in: the cluster's, or one embedded in this process. */
public final class JobEnvironment {

    private static final String CONF_DIR = "FLINK_CONF_DIR";

    private JobEnvironment() {}

    /**
     * The user's settings and, where they say nothing, ours: exactly-once unaligned checkpoints (an aligned barrier would wait
     * behind every prompt in the network buffers) and restarts that end when failures come in quick succession.
     *
     * @param dynamic settings of the command line, taken before those of config.yaml
     */
    public static Configuration configuration(Map<String, String> dynamic, Duration checkpointInterval) {
        Configuration given = Configuration.fromMap(dynamic);
        Configuration config = System.getenv(CONF_DIR) == null
                ? given
                : GlobalConfiguration.loadConfiguration(System.getenv(CONF_DIR), given);
        setIfAbsent(config, CheckpointingOptions.CHECKPOINTING_INTERVAL, checkpointInterval);
        setIfAbsent(config, CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE);
        setIfAbsent(config, CheckpointingOptions.ENABLE_UNALIGNED, true);
        setIfAbsent(config, RestartStrategyOptions.RESTART_STRATEGY, "failure-rate");
        setIfAbsent(config, RestartStrategyOptions.RESTART_STRATEGY_FAILURE_RATE_MAX_FAILURES_PER_INTERVAL, 5);
        setIfAbsent(
                config,
                RestartStrategyOptions.RESTART_STRATEGY_FAILURE_RATE_FAILURE_RATE_INTERVAL,
                Duration.ofMinutes(5));
        setIfAbsent(config, RestartStrategyOptions.RESTART_STRATEGY_FAILURE_RATE_DELAY, Duration.ofSeconds(1));
        return config;
    }

    /** How often checkpoints are and how long they may take, as configured. */
    public static CheckpointTimes checkpointTimes(Configuration config) {
        Duration interval = config.get(CheckpointingOptions.CHECKPOINTING_INTERVAL);
        Duration pause = config.get(CheckpointingOptions.MIN_PAUSE_BETWEEN_CHECKPOINTS);
        return new CheckpointTimes(
                interval.compareTo(pause) < 0 ? pause : interval,
                config.get(CheckpointingOptions.CHECKPOINTING_TIMEOUT),
                config.get(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER));
    }

    /** Makes it a job of Flink's BATCH mode: stage after stage, without checkpoints, keyed edges sorted in managed memory and on disk. */
    public static void batch(Configuration config) {
        config.removeConfig(CheckpointingOptions.CHECKPOINTING_INTERVAL);
        config.set(ExecutionOptions.RUNTIME_MODE, RuntimeExecutionMode.BATCH);
        setIfAbsent(config, TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(128));
    }

    /** Whether {@code flink run} or a cluster's JobManager called us, so that the job goes to that cluster. */
    public static boolean isInCluster() {
        return !(StreamExecutionEnvironment.getExecutionEnvironment() instanceof LocalStreamEnvironment);
    }

    /** The cluster's environment. */
    public static StreamExecutionEnvironment ofCluster(Configuration config, int parallelism) {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
        env.setParallelism(parallelism);
        return env;
    }

    /**
     * An environment whose cluster runs in this process, with its dashboard on the loopback interface.
     *
     * @param stateDir keeps checkpoints; if an earlier run left one there, the job goes on from it
     */
    public static StreamExecutionEnvironment embedded(
            Configuration config, int parallelism, int dashboardPort, Path stateDir) {
        config.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
        config.set(RestOptions.ADDRESS, "127.0.0.1");
        config.set(RestOptions.PORT, dashboardPort);
        config.set(RestOptions.BIND_PORT, Integer.toString(dashboardPort));
        config.set(HeartbeatManagerOptions.HEARTBEAT_INTERVAL, Duration.ofSeconds(1)); // accumulators travel on it
        setIfAbsent(config, MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, Duration.ofSeconds(1));
        setIfAbsent(config, TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(64));
        setIfAbsent(config, TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(64));
        setIfAbsent(
                config, TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(8)); // we keep no state in it
        setIfAbsent(config, CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
        setIfAbsent(
                config,
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                stateDir.toAbsolutePath().toUri().toString());
        setIfAbsent(
                config,
                CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
                ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        newestCheckpoint(stateDir)
                .ifPresent(path -> setIfAbsent(
                        config,
                        StateRecoveryOptions.SAVEPOINT_PATH,
                        path.toUri().toString()));
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironmentWithWebUI(config);
        env.setParallelism(parallelism);
        return env;
    }

    /** Settings for the stage that sorts: in BATCH mode, without checkpoints. */
    public static Configuration sorting(Configuration config) {
        Configuration sorting = new Configuration(config);
        batch(sorting);
        return sorting;
    }

    /** The newest whole checkpoint under a folder of retained ones. */
    public static Optional<Path> newestCheckpoint(Path stateDir) {
        if (!Files.isDirectory(stateDir)) {
            return Optional.empty();
        }
        try (Stream<Path> paths = Files.walk(stateDir, 3)) {
            return paths.filter(path -> path.endsWith("_metadata"))
                    .max(Comparator.comparing(JobEnvironment::modified))
                    .map(Path::getParent);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FileTime modified(Path path) {
        try {
            return Files.getLastModifiedTime(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static <T> void setIfAbsent(Configuration config, ConfigOption<T> option, T value) {
        if (!config.contains(option)) {
            config.set(option, value);
        }
    }
}
